"""Addresses of our own pages for places outside: tickets, comments, the API."""

from django.conf import settings


def problem_url(problem) -> str:
    return f"{settings.BASE_URL}/p/{problem.project.slug}/problems/{problem.number}/"
