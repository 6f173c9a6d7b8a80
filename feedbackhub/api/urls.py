"""Version 1 of the API: each app lists its own calls."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from feedbackhub.api.docs import docs

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", docs, name="api-docs"),
    path("", include("feedbackhub.capture.api_urls")),
    path("", include("annotation.api_urls")),
    path("", include("triage.api_urls")),
]
