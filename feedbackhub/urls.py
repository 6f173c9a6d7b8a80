"""Every address of the house: each room lists its own."""

from django.conf import settings
from django.urls import include, path

from feedbackhub import health

handler400 = "feedbackhub.errors.bad_request"
handler500 = "feedbackhub.errors.server_error"

urlpatterns = [
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/", include("feedbackhub.api.urls")),
    path("", include("feedbackhub.accounts.urls")),
    path("p/<slug:project>/", include("feedbackhub.capture.urls")),
    path("p/<slug:project>/", include("annotation.urls")),
    path("p/<slug:project>/", include("triage.urls")),
    path("p/<slug:project>/", include("feedbackhub.analytics.urls")),
    path("hooks/", include("triage.hook_urls")),
    path("r/", include("triage.reporter_urls")),
    path("d/", include("annotation.download_urls")),
]
if settings.USES_ANYMAIL:
    urlpatterns.insert(0, path("hooks/mail/", include("anymail.urls")))
if settings.DEBUG or settings.DEMO_SIGN_IN:
    from feedbackhub import styleguide

    urlpatterns.append(path("styleguide/", styleguide.styleguide, name="styleguide"))
