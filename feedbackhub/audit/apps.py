from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "feedbackhub.audit"
    label = "audit"
