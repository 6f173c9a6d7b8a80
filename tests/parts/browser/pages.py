"""The addresses of these tests: the style guide, a list, and what its forms post to."""

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.template import engines
from django.urls import path

from feedbackhub.styleguide import styleguide

LIST = """
{% extends "base_page.html" %}{% load parts %}
{% block title %}Gold{% endblock %}{% block heading %}Gold{% endblock %}
{% block actions %}{% button "Add" key="a" type="button" opens="adding" %}{% endblock %}
{% block content %}
<form method="post" action="/approve/" data-confirm="Approve them all?" data-confirm-label="Approve">
{% csrf_token %}
<p data-when-ticked hidden><button>Approve <span data-ticked-count></span></button></p>
<table class="table" data-list><tbody>
{% for name in names %}<tr><td><input type="checkbox" name="row" value="{{ name }}"
aria-label="Tick {{ name }}"></td><td><a class="row-link" href="/row/{{ name }}/">{{ name }}</a></td>
</tr>{% endfor %}
</tbody></table></form>
<p><input aria-label="Words" id="words"></p>
<button type="button" id="slow" hx-post="/slow/" hx-swap="none">Slow</button>
<button type="button" id="broken" hx-post="/broken/" hx-swap="none">Broken</button>
<button type="button" id="undoable" hx-post="/undoable/" hx-swap="none">Submit</button>
<a id="drawer-link" href="/row/one/" data-drawer="drawer" data-drawer-title="Row one">Look</a>
{% endblock %}
{% block after %}
{% include "parts/_dialog.html" with id="adding" title="Add an example" text="Here." only %}
{% include "parts/_drawer.html" with id="drawer" title="Row" only %}
{% endblock %}
"""


class Reader:
    is_authenticated = True
    email = "ana@example.org"

    def __str__(self):
        return "Ana Brandt"


PLACES = [
    {"name": name.lower(), "label": name, "url": f"/{name.lower()}/", "icon": "star"}
    for name in ("Review", "Gold", "Problems")
]


def listing(request):
    template = engines["django"].from_string(LIST)
    context = {
        "names": ["one", "two", "three"],
        "user": Reader(),
        "places": PLACES,
        "projects": [],
        "palette_url": "/palette/",
        "theme": request.COOKIES.get("theme", "auto"),
    }
    return HttpResponse(template.render(context, request))


def palette(request):
    query = request.GET["q"]
    entry = {"label": f"Problem about {query}", "url": "/row/found/", "hint": "P-12"}
    return JsonResponse({"groups": [{"label": "Problems", "entries": [entry]}]})


def undoable(request):
    response = HttpResponse()
    response["HX-Trigger"] = (
        '{"toast": {"text": "Submitted.", "undo_url": "/undo/", "seconds": 10}}'
    )
    return response


def choose_theme(request):
    response = HttpResponseRedirect("/list/")
    response.set_cookie("theme", request.POST["theme"])
    return response


def say(text):
    return lambda request, **kwargs: HttpResponse(f"<p>{text}{kwargs.get('name', '')}</p>")


urlpatterns = [
    path("styleguide/", styleguide),
    path("list/", listing),
    path("palette/", palette),
    path("theme/", choose_theme, name="theme"),
    path("row/<name>/", say("row ")),
    path("gold/", say("gold")),
    path("approve/", say("approved")),
    path("favicon.ico", say("")),
    path("undo/", say("undone")),
    path("undoable/", undoable),
    path("broken/", lambda request: HttpResponse("no", status=500)),
]
