"""A list of the API: filtered by allow-listed names, ordered and paged by key, never counted."""

from rest_framework.response import Response

from feedbackhub.api.problems import invalid
from feedbackhub.api.views import ProjectAPIView
from feedbackhub.filters import Filter, conditions, page_size
from feedbackhub.paging import BadCursor, paginate


class ProjectListView(ProjectAPIView):
    """`rows()` answers the project's rows; `show(row)` one of them as JSON, of the shape `row`.

    The answer: {"results": […], "next_cursor": …, "previous_cursor": …}; null at an end.
    """

    row: type  # a TypedDict, for the schema
    filters: dict[str, Filter] = {}
    order: tuple[str, ...] = ("-id",)

    def filters_now(self) -> dict[str, Filter]:
        """The same names, bound to the project where one needs that."""
        return self.filters

    def rows(self):
        raise NotImplementedError

    def show(self, row) -> dict:
        raise NotImplementedError

    def show_all(self, rows) -> list[dict]:
        return [self.show(row) for row in rows]

    def get(self, request, **_address):
        condition, errors = conditions(request.query_params, self.filters_now())
        limit = page_size(request.query_params.get("limit"), errors)
        if errors:
            raise invalid(errors)
        try:
            page = paginate(
                self.rows().filter(condition),
                order=self.order,
                cursor=request.query_params.get("cursor"),
                limit=limit,
            )
        except BadCursor as bad:
            raise invalid([{"field": "cursor", "message": str(bad)}]) from None
        return Response(
            {
                "results": self.show_all(page.rows),
                "next_cursor": page.next_cursor,
                "previous_cursor": page.previous_cursor,
            }
        )
