"""Ours, and a bare view that does one INSERT."""

from django.db import connection
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from feedbackhub.urls import *  # noqa: F403
from feedbackhub.urls import urlpatterns as ours


@csrf_exempt
def bare(request):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bench_bare (body, at) VALUES (%s, now()) RETURNING id",
            [request.body.decode()],
        )
        return HttpResponse(str(cursor.fetchone()[0]), status=201)


urlpatterns = [path("bare", bare), *ours]
