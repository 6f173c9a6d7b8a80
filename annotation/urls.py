"""The rooms of annotation: review, gold, and what a lead sets. Each lists its own addresses."""

from django.urls import include, path

urlpatterns = [
    path("", include("annotation.review_urls")),
    path("", include("annotation.trust_urls")),
    path("", include("annotation.gold_urls")),
    path("", include("annotation.settings_urls")),
]
