"""Addresses of our own pages for places outside: tickets, comments, the API."""

from django.conf import settings
from django.urls import reverse


def problem_url(problem) -> str:
    return settings.BASE_URL + reverse("problem", args=[problem.project.slug, problem.number])
