from django.urls import path

from triage import api

urlpatterns = [
    path("problems", api.ProblemsView.as_view(), name="api_problems"),
    path("problems/<uuid:problem>", api.ProblemView.as_view(), name="api_problem"),
]
