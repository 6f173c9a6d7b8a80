"""Where trackers call us."""

from django.urls import path

from triage import webhooks

urlpatterns = [
    path("<slug:tracker>/<uuid:connection>", webhooks.receive, name="tracker_hook"),
    path("<slug:tracker>/<uuid:connection>/", webhooks.receive),
]
