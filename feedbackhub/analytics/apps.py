from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "feedbackhub.analytics"
    label = "analytics"
