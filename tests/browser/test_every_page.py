"""Every page of the house in a browser, in both themes: no accessibility violation, no script error.

One walk by a person of each kind through the demo project: every address that has a name is looked at once, by the first
who comes to it over a link; then those that nobody links, as far as they need no more than the project's name. The first page
of the project is another for each role.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import NoReverseMatch, Resolver404, get_resolver, resolve, reverse

from annotation import comparing, gold, label_schema
from annotation.models import GoldExample, GoldVersion, LabelSchema, ReviewItem, ReviewQueue
from feedbackhub.accounts.models import Membership
from feedbackhub.demo import loading
from tests.annotation.evaluation.candidate import answers, evaluate
from tests.factories import TrackerConnectionFactory
from triage.models import Notice, NoticeTemplate
from triage.reporter_link import token_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]
LEFT_OUT = {
    "demo_sign_in",
    "api-docs",  # another project's page, served as it is
    "metrics",
    "readyz",
}
ROLES = ("expert", "owner", "lead", "engineer")
STRANGERS = ("/accounts/login/", "/accounts/password/reset/")
ADDRESSES = "all => all.map(link => new URL(link.getAttribute('href'), document.baseURI).href)"
TALL = 2_400  # so that what stays at the bottom of a window covers nothing
UNREACHED = {
    # parts of a page, which it asks for itself
    *(
        "answer_proposal",
        "export_count",
        "item_text",
        "review_context",
        "review_session",
        "review_text",
        "review_turn",
    ),
    *("connection_statuses", "ticket_comments"),
    # behind a letter's or a file's signature, or a code's
    *("account_reset_password_from_key", "export_linked"),
    "confirm_fix",  # of a fix that a tracker tells
}


@dataclass
class Walked:
    """Names of the pages that were looked at, of what answers but is no page, and what was found."""

    seen: set = field(default_factory=set)
    no_pages: set = field(default_factory=set)
    found: list = field(default_factory=list)


class Visitor:
    """One of the people, or a stranger."""

    def __init__(self, server, user=None):
        self.server, self.client = server, Client()
        if user:
            self.client.force_login(
                user, backend="allauth.account.auth_backends.AuthenticationBackend"
            )

    def has_page(self, path, walked) -> bool:
        """A whole page by GET: no fragment, no file, no act."""
        answer = self.client.get(path)
        content = answer.getvalue()  # read to its end: a stream is under way until then
        is_html = answer.headers.get("Content-Type", "").startswith("text/html")
        is_page = answer.status_code == 200 and is_html and b"<html" in content
        if answer.status_code in (200, 302) and not is_page:
            walked.no_pages.add(name_of(path))
        return is_page


def name_of(path):
    try:
        return resolve(path).url_name
    except Resolver404:
        return path


def names(slug, owner):
    """Every address that one may ask for by GET, by its name; those of programs are no pages."""
    examples = {"IntConverter": 1, "UUIDConverter": UUID(int=1)}
    for name, (candidates, _pattern, _defaults, converters) in get_resolver().reverse_dict.items():
        if not isinstance(name, str):
            continue
        parameters = dict.fromkeys(candidates[0][1], "x")
        for parameter, converter in converters.items():
            parameters[parameter] = examples.get(type(converter).__name__, "x")
        if "project" in parameters:
            parameters["project"] = slug
        try:
            path = reverse(name, kwargs=parameters)
        except NoReverseMatch:
            yield name
            continue
        if name_of(path) != name:  # another page stands at that address
            continue
        if not path.startswith("/api/") and owner.client.get(path).status_code != 405:
            yield name


def unlinked(slug):
    """The addresses that need nothing, or nothing but the project's name."""
    for name, (candidates, *_rest) in get_resolver().reverse_dict.items():
        if not isinstance(name, str):
            continue
        parameters = [list(each) for _path, each in candidates]
        if ["project"] in parameters:
            yield reverse(name, args=[slug])
        elif [] in parameters:
            yield reverse(name)


def look_at(page, path, found):
    """Both themes; the second for what depends on colours alone."""
    page.emulate_media(color_scheme="light")
    in_light = Axe().run(page, options={"runOnly": RULES}).response
    page.emulate_media(color_scheme="dark")
    in_dark = page.evaluate("rules => axe.run({runOnly: rules})", OF_COLOURS)
    for theme, said in (("light", in_light), ("dark", in_dark)):
        for each in said["violations"]:
            found.append((path, theme, each["id"], each["nodes"][0]["html"][:300]))


def walk(page, server, user, starts, walked, role=""):
    visitor = Visitor(server, user)
    waiting, queued = list(starts), set()
    while waiting:
        path = waiting.pop(0)
        name = name_of(path)
        if name == "project_home":
            name = f"home of {role}"
        if name in walked.seen or name in LEFT_OUT or not visitor.has_page(path, walked):
            continue
        walked.seen.add(name)
        page.goto(server.url + path)
        look_at(page, path, walked.found)
        links = page.eval_on_selector_all("a[href]", ADDRESSES)
        for link in links:
            if link.startswith(server.url) and (there := urlsplit(link).path) not in queued:
                queued.add(there)
                waiting.append(there)


def furnish():
    """The demo project, and what its people have not done yet: a run of the gate, two answers compared, another version of
    the gold and of the schema, a tracker, words of their own.
    """
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
    gold.retire_example(example=GoldExample.objects.filter(project=project).first())
    gold.freeze_gold_version(project=project)
    schema = LabelSchema.objects.filter(project=project, is_current=True).first()
    label_schema.change_guidelines(schema=schema, guidelines="Look twice.")
    TrackerConnectionFactory(project=project)
    NoticeTemplate.objects.create(project=project, language="pt", subject="S", body="B")
    return project


def _ids(members):
    return {
        str(public_id)
        for public_id in members.values_list("revision__example__public_id", flat=True)
    }


def test_no_page_has_an_accessibility_violation_in_either_theme(sit_down, quiet_server):
    project = furnish()
    walked = Walked()
    members = Membership.objects.filter(project=project).select_related("user").order_by("pk")
    by_role = {role: member.user for member in members for role in member.roles}
    for role in ROLES:
        user = by_role[role]
        page = sit_down(user, "/", height=TALL)
        starts = ["/", *unlinked(project.slug)]
        walk(page, quiet_server, user, starts, walked, role)
        page.context.close()
    page = sit_down(by_role["owner"], "/", height=TALL)
    page.context.clear_cookies()
    letters = [
        reverse("reporter_page", args=[token_for(notice)]) for notice in Notice.objects.all()[:1]
    ]
    walk(page, quiet_server, None, [*STRANGERS, *letters], walked)
    assert walked.found == []
    assert {f"home of {role}" for role in ROLES} <= walked.seen
    owner = Visitor(quiet_server, by_role["owner"])
    known = walked.seen | walked.no_pages | LEFT_OUT | {"project_home"}
    unreached = set(names(project.slug, owner)) - known
    assert sorted(map(str, unreached - UNREACHED)) == []
