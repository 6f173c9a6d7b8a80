"""Pictures of every page of the demo project, at 1280 and 360 pixels, light and dark.

    python -m tests.journeys.screenshots FOLDER

Signs in as each demo role and follows every link of the project; each address that has a name is shown once, by the first
role that comes to it. Prints what a browser or a server complained of on the way.
"""

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests import environment
from tests.browsing import Person, chromium_at
from tests.processes import Stack

WIDTHS, THEMES = (1280, 360), ("light", "dark")
SKIPPED = {"account_logout", "demo_sign_in", "export_download", "export_manifest"}
ADDRESSES = "links => links.map(link => new URL(link.getAttribute('href'), document.baseURI).href)"
FIRST = ("/", "/styleguide/")
STRANGERS = ("/accounts/login/", "/accounts/password/reset/", "/nowhere/")


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    complaints: list[str] = []
    with (
        Stack(processes=("web", "worker"), settings={"DEMO_SIGN_IN": "true"}) as stack,
        chromium_at(environment.chromium_path()) as browser,
    ):
        people = json.loads(stack.manage("load_demo"))["people"]
        stranger = Person(browser, stack.url)
        for path in STRANGERS:
            shoot(stranger, path, folder / f"signed-out-{path.strip('/').replace('/', '-')}")
        shown: set[str] = set()
        for somebody in people:
            person = Person(browser, stack.url)
            person.go(somebody["sign_in"])
            person.page.locator("main form button, form button").first.click()
            person.page.wait_for_load_state()
            show_all(person, somebody["roles"][0].lower(), shown, folder)
            complaints += person.errors
            person.context.close()
    sys.stdout.write("\n".join([f"{len(shown)} pages", *sorted(set(complaints))]) + "\n")
    return 0


def show_all(person: Person, role: str, shown: set[str], folder: Path) -> None:
    waiting, seen = [*FIRST], set()
    while waiting:
        path = waiting.pop(0)
        name = name_of(path)
        if path in FIRST[:1]:
            name = f"home of {role}"
        if name in SKIPPED or name.endswith("_file") or name in seen:
            continue
        seen.add(name)
        if name in shown:
            person.go(path)
        else:
            shown.add(name)
            shoot(person, path, folder / name.replace(" ", "-"))
        found = person.page.eval_on_selector_all("a[href]", ADDRESSES)
        waiting += [urlsplit(link).path for link in found if link.startswith(person.url)]


def name_of(path: str) -> str:
    from django.urls import Resolver404, resolve

    try:
        return resolve(path).url_name or path
    except Resolver404:
        return path.strip("/").replace("/", "-")


def shoot(person: Person, path: str, file: Path) -> None:
    page = person.page
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    answer = page.goto(person.url + path)
    if answer.status >= 400:
        person.errors.append(f"{answer.status} {path}")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900 if width > 700 else 740})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=f"{file}-{width}-{theme}.png", full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            person.errors.append(f"{path}: {wide} pixels wide on a screen of {width}")


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "feedbackhub.settings"
    import django

    django.setup()
    try:
        sys.exit(main(Path(sys.argv[1])))
    finally:
        environment._end(environment.FOLDER)
