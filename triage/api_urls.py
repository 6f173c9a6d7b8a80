from django.urls import path

from triage import api, fix_api

urlpatterns = [
    path("problems", api.ProblemsView.as_view(), name="api_problems"),
    path("problems/<uuid:problem>", api.ProblemView.as_view(), name="api_problem"),
    path("fixes", fix_api.FixesView.as_view(), name="api_fixes"),
    path("fixes/<path:fix>/replays", fix_api.ReplaysView.as_view(), name="api_replays"),
    path("reports", fix_api.ReportsView.as_view(), name="api_reports"),
]
