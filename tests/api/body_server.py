"""A server that only reads bodies, for `test_bodies.py`: the real gunicorn, no database."""

from django.conf import settings

settings.configure(
    SECRET_KEY="for-tests-only",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["feedbackhub.api.problems.ApiProblemMiddleware"],
    LOGGING_CONFIG=None,
)

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

from feedbackhub.api import bodies  # noqa: E402


def take(request):
    submission = bodies.read_submission(request)
    return JsonResponse({"is_batch": submission.is_batch, "rows": len(list(submission.rows))})


urlpatterns = [path("api/v1/take", take)]
application = get_wsgi_application()
