"""Light, dark or as the system: a cookie, so that the server draws the right one at once."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

COOKIE = "theme"
THEMES = ("auto", "light", "dark")
_YEAR = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """The theme this browser asked for; "auto" unless it is one we know."""
    theme = request.COOKIES.get(COOKIE, "")
    return theme if theme in THEMES else "auto"


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Keep the choice and go back to the page; to a script say only that it is kept."""
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        return HttpResponse(status=400)
    if request.headers.get("X-Requested-With") == "fetch":
        response = HttpResponse(status=204)
    else:
        back = request.POST.get("next", "/")
        if not url_has_allowed_host_and_scheme(
            back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        ):
            back = "/"
        response = HttpResponseRedirect(back)
    response.set_cookie(
        COOKIE, theme, max_age=_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True
    )
    return response
