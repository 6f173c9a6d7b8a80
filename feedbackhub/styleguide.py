"""All parts on one page, in both themes: look at it before adding a new one."""

from django.shortcuts import render


def styleguide(request):
    return render(request, "styleguide.html")
