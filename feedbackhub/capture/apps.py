from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CaptureConfig(AppConfig):
    name = "feedbackhub.capture"
    label = "capture"

    def ready(self):
        autodiscover_modules("trail", "erasure")  # what each app adds to an interaction's story
