from django.apps import AppConfig


class CaptureConfig(AppConfig):
    name = "feedbackhub.capture"
    label = "capture"
