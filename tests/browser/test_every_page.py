"""Every page of the house in a browser, in both themes: no accessibility violation, no script error.

One walk by a person of each kind through the demo project: every address that has a name is looked at once, by the first
who comes to it over a link; then those that nobody links, as far as they need no more than the project's name.
"""

from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import Resolver404, get_resolver, resolve, reverse

from annotation import comparing
from annotation.models import GoldVersion, ReviewItem, ReviewQueue
from feedbackhub.accounts.models import Membership
from feedbackhub.demo import loading
from tests.annotation.evaluation.candidate import answers, evaluate
from triage.models import Notice
from triage.reporter_link import token_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]
LEFT_OUT = {
    "account_logout",
    "demo_sign_in",
    "api-docs",  # another project's page, served as it is
    "metrics",
    "readyz",
}
STRANGERS = ("/accounts/login/", "/accounts/password/reset/")
ADDRESSES = "all => all.map(link => new URL(link.getAttribute('href'), document.baseURI).href)"
TALL = 2_400  # so that what stays at the bottom of a window covers nothing
FEWEST = 60  # names; fewer: the walk came to an end too soon


class Walk:
    """What was looked at, and what was found there."""

    def __init__(self, server, user=None):
        self.server, self.client = server, Client()
        if user:
            self.client.force_login(
                user, backend="allauth.account.auth_backends.AuthenticationBackend"
            )

    def is_page(self, path) -> bool:
        """A whole page by GET: no fragment, no file, no act."""
        answer = self.client.get(path)
        content = answer.getvalue()  # read to its end: a stream is under way until then
        is_html = answer.headers.get("Content-Type", "").startswith("text/html")
        return answer.status_code == 200 and is_html and b"<html" in content


def name_of(path):
    try:
        return resolve(path).url_name
    except Resolver404:
        return path


def unlinked(slug):
    """The addresses that need nothing but the project's name."""
    for name, (candidates, *_rest) in get_resolver().reverse_dict.items():
        if not isinstance(name, str):
            continue
        if any(list(parameters) == ["project"] for _path, parameters in candidates):
            yield reverse(name, args=[slug])


def look_at(page, path, found):
    """Both themes; the second for what depends on colours alone."""
    page.emulate_media(color_scheme="light")
    in_light = Axe().run(page, options={"runOnly": RULES}).response
    page.emulate_media(color_scheme="dark")
    in_dark = page.evaluate("rules => axe.run({runOnly: rules})", OF_COLOURS)
    for theme, said in (("light", in_light), ("dark", in_dark)):
        for each in said["violations"]:
            found.append((path, theme, each["id"], each["nodes"][0]["html"][:300]))


def walk(page, server, user, starts, seen, found):
    visitor = Walk(server, user)
    waiting, queued = list(starts), set()
    while waiting:
        path = waiting.pop(0)
        name = name_of(path)
        if name in seen or name in LEFT_OUT or not visitor.is_page(path):
            continue
        seen.add(name)
        page.goto(server.url + path)
        look_at(page, path, found)
        links = page.eval_on_selector_all("a[href]", ADDRESSES)
        for link in links:
            if link.startswith(server.url) and (there := urlsplit(link).path) not in queued:
                queued.add(there)
                waiting.append(there)


def furnish():
    """The demo project, and what its people have not done yet: a run of the gate, two answers compared, a letter."""
    project, _is_new = loading.load()
    version = GoldVersion.objects.filter(project=project).order_by("-number").first()
    members = version.members.filter(split="validation")
    results = [each for each in answers(version) if each["id"] in _ids(members)]
    evaluate(version, results=results)
    queue = ReviewQueue.objects.filter(project=project).first()
    item = ReviewItem.objects.filter(project=project).first()
    comparing.compare_answers(
        interaction=item.interaction, text="Another answer.", queue=queue, priority=1_000
    )
    return project


def _ids(members):
    return {
        str(public_id)
        for public_id in members.values_list("revision__example__public_id", flat=True)
    }


def test_no_page_has_an_accessibility_violation_in_either_theme(sit_down, quiet_server):
    project = furnish()
    seen, found = set(), []
    members = Membership.objects.filter(project=project).select_related("user").order_by("pk")
    by_role = {role: member.user for member in members for role in member.roles}
    for role in ("expert", "owner", "lead", "engineer"):
        user = by_role[role]
        page = sit_down(user, "/", height=TALL)
        starts = ["/", *unlinked(project.slug)]
        walk(page, quiet_server, user, starts, seen, found)
        page.context.close()
    page = sit_down(by_role["owner"], "/", height=TALL)
    page.context.clear_cookies()
    letters = [
        reverse("reporter_page", args=[token_for(notice)]) for notice in Notice.objects.all()[:1]
    ]
    walk(page, quiet_server, None, [*STRANGERS, *letters], seen, found)
    assert found == []
    assert len(seen) >= FEWEST, sorted(map(str, seen))
