"""The web process with the bare view added."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedbackhub.settings")

from django.conf import settings

settings.ROOT_URLCONF = "benchmarks.urls"

from feedbackhub.wsgi import application  # noqa: E402, F401
