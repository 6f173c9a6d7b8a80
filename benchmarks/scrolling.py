"""Whether an answer of a megabyte scrolls smoothly, in Chromium: ``make bench ARGS=scrolling``.

The review screen is scrolled by the wheel from top to bottom of an answer of a megabyte, plain and as Markdown (each as it
is shown at first, and whole), and of the longest Markdown that is drawn rendered. Told are the frames' times, and the
longest task that kept the browser from answering while it scrolled; beside them, in the same run, a short answer.
"""

import shutil

from benchmarks import claims, house
from benchmarks.house import percentile, say
from benchmarks.next_item import BROWSERS, sign_in

MEGABYTE = 1_048_576
RENDERED = 100_000  # characters: what is longer is shown as plain text
TURNS = 60  # of the wheel
GOAL = 50  # milliseconds: a task that is longer is felt
PLAIN = "You can deduct the way to work as far as you keep a record of it, day by day. "
MARKDOWN = (
    "## The way to work\n\nYou can deduct it, **as far as** you keep a *record*.\n\n- Keep the receipts.\n"
    "- Note the days.\n\n| Year | Allowance |\n|---|---|\n| 2024 | 0.30 |\n\n```\nkm = days * way\n```\n\n"
)

WATCH = """
() => {
  window.frames_seen = [];
  window.tasks_seen = [0];
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) tasks_seen.push(task.duration);
  }).observe({entryTypes: ["longtask"]});
  let before = performance.now();
  const tick = (now) => {
    frames_seen.push(now - before);
    before = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}
"""
HERE = "document.querySelector('[data-read]').scrollTop"


def run() -> None:
    from tests.browsing import chromium_at

    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        say("a megabyte scrolls", "there is no Chromium here", f"longest task ≤ {GOAL} ms")
        return
    project, _queue = claims.furnish("scrolling", 4, overlap=1)
    write_answers(project)
    (expert,) = claims.people(project, 1)
    session = sign_in(expert)
    with house.web() as port, chromium_at(chromium) as browser:
        url = f"http://127.0.0.1:{port}"
        context = browser.new_context(viewport={"width": 1280, "height": 860})
        context.set_default_timeout(120_000)
        context.add_cookies([{"name": "fh_session", "value": session, "url": url}])
        page = context.new_page()
        page.goto(f"{url}/p/scrolling/review/")
        page.wait_for_selector("[data-is-ready]")
        page.evaluate(WATCH)
        for name, is_cut in ITEMS:
            page.wait_for_timeout(1_500)  # what stands beside it has come
            tell(name, page)
            if is_cut:
                page.evaluate("document.querySelector('[data-whole-text]').click()")
                page.wait_for_selector("[data-whole-text]", state="detached")
                page.wait_for_timeout(1_000)
                tell(f"{name}, whole", page)
            page.wait_for_selector("[data-ahead-count]")
            here = page.locator("#review-item").get_attribute("data-item")
            page.keyboard.press("3")
            page.keyboard.press("Control+Enter")
            if name != ITEMS[-1][0]:
                page.wait_for_function(
                    "(here) => document.getElementById('review-item')?.dataset.item !== here",
                    arg=here,
                )
        context.close()
    claims.empty()


def tell(name, page) -> None:
    frames, longest_task, pixels = scroll(page)
    measured = f"p95 frame {percentile(frames, 0.95):.0f} ms, longest task {longest_task:.0f} ms"
    say(f"{name} ({pixels:,} px)", measured, f"longest task ≤ {GOAL} ms", longest_task <= GOAL)


def scroll(page) -> tuple[list[float], float, int]:
    """Frame times and the longest task while the wheel turns, and how far it went."""
    page.evaluate(f"{HERE} = 0")
    page.mouse.move(500, 400)
    page.wait_for_timeout(300)
    page.evaluate("frames_seen.length = 0; tasks_seen.length = 1")
    height = page.evaluate("document.querySelector('[data-read]').scrollHeight")
    for _ in range(TURNS):
        page.mouse.wheel(0, max(120, height / TURNS))
        page.wait_for_timeout(25)
    page.wait_for_timeout(300)
    went = page.evaluate(HERE)
    return page.evaluate("frames_seen"), page.evaluate("Math.max(...tasks_seen)"), int(went)


ITEMS = [
    ("a short answer scrolls", False),
    ("1 MB plain scrolls", True),
    ("1 MB Markdown scrolls", True),
    ("100,000 characters of Markdown scroll", False),
]


def write_answers(project) -> None:
    from annotation.models import ReviewItem
    from feedbackhub.capture.models import Interaction

    def of(text, length):
        return (text * (length // len(text) + 1))[:length]

    texts = [of(PLAIN, 4_000), of(PLAIN, MEGABYTE), of(MARKDOWN, MEGABYTE), of(MARKDOWN, RENDERED)]
    items = ReviewItem.objects.filter(project=project).order_by("pk")
    for place, (item, text) in enumerate(zip(items, texts, strict=True)):
        Interaction.objects.filter(pk=item.interaction_id).update(output=text)
        ReviewItem.objects.filter(pk=item.pk).update(priority=100 - place)
