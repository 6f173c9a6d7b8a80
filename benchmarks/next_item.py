"""From the key press to the next item painted, in Chromium, while ten other experts judge: ``make bench ARGS=next_item``.

Measured over 200 items twice: as the screen is, and with the next item fetched when it is asked for (as before it fetched
ahead: its requests for what comes next are refused). Each of the ten others does over HTTP what their screen
does, an item every two seconds: that is sixty times the pace of a day's work.
"""

import http.client
import random
import shutil
import threading
import time
from urllib.parse import urlencode

from benchmarks import claims, house
from benchmarks.house import percentile, say

ITEMS = 200
OTHERS = 10
PACE = 2.0  # seconds between two items of each of the others
READING = 0.35  # seconds that the measured expert looks at an item
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
GOAL = 100  # milliseconds, 95th percentile

WATCH = """
() => {
  window.painted = [];
  let pressed = null;
  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey) pressed = event.timeStamp;
  }, true);
  new MutationObserver((changes) => {
    const isNext = changes.some((change) =>
      [...change.addedNodes].some((node) => node.id === "review-item"));
    if (!isNext || pressed === null) return;
    const since = pressed;
    pressed = null;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => painted.push(performance.now() - since);
      channel.port2.postMessage(null);
    });
  }).observe(document.querySelector("[data-review]"), {childList: true});
}
"""


def run() -> None:
    from tests.browsing import chromium_at

    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        say("next item on screen after the key", "there is no Chromium here", f"p95 ≤ {GOAL} ms")
        return
    count = 2 * ITEMS + 40 + int(OTHERS * 400 / PACE)
    project, queue = claims.furnish("next-item", count, overlap=1)
    queue.held_ahead = 3
    queue.save()
    write_answers(project)
    me, *others = [sign_in(expert) for expert in claims.people(project, OTHERS + 1)]
    with house.web() as port, chromium_at(chromium) as browser:
        stop = threading.Event()
        at_work = [
            threading.Thread(target=judge, args=(port, session, stop), daemon=True)
            for session in others
        ]
        for other in at_work:
            other.start()
        try:
            after = measure(browser, port, me, is_fetched_ahead=True)
            tell("next item on screen after the key", after, is_goal=True)
            before = measure(browser, port, me, is_fetched_ahead=False)
            tell("the same, fetched when asked for", before)
        finally:
            stop.set()
            for other in at_work:
                other.join()
    claims.empty()


def tell(path, times, is_goal=False) -> None:
    p50, p95, most = statistics_of(times)
    measured = f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, most {most:.0f} ms over {len(times)} items"
    say(path, measured, f"p95 ≤ {GOAL} ms" if is_goal else "", p95 <= GOAL if is_goal else None)


def statistics_of(times):
    return percentile(times, 0.5), percentile(times, 0.95), max(times, default=float("nan"))


def measure(browser, port, session, *, is_fetched_ahead) -> list[float]:
    """Milliseconds from each Ctrl+Enter to the next item painted."""
    url = f"http://127.0.0.1:{port}"
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(120_000)
    context.add_cookies([{"name": "fh_session", "value": session, "url": url}])
    page = context.new_page()
    if not is_fetched_ahead:
        page.route("**/review/ahead/*", lambda route: route.abort())
    page.goto(f"{url}/p/next-item/review/")
    page.wait_for_selector("[data-is-ready]")
    page.evaluate(WATCH)
    for done in range(1, ITEMS + 1):
        time.sleep(READING)  # in both runs alike: nobody waits for what is fetched ahead
        page.keyboard.press("3")
        page.keyboard.press("Control+Enter")
        page.wait_for_function("(done) => painted.length >= done", arg=done)
    times = page.evaluate("painted")
    page.wait_for_selector('[data-unsent="0"]')
    context.close()
    return times


# --- the others -----------------------------------------------------------------------------------


def sign_in(expert) -> str:
    """A session for this expert; its key."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(expert.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = expert.get_session_auth_hash()
    session.create()
    return session.session_key


def judge(port, session, stop) -> None:
    """Judge item after item as the screen does: what comes next, a draft, the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    token = "a" * 32
    headers = {
        "Cookie": f"fh_session={session}; fh_csrf={token}",
        "X-CSRFToken": token,
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }

    def ask(method, path, **fields):
        connection.request(method, path, urlencode(fields) if fields else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location", ""), answer.read()

    time.sleep(random.uniform(0, PACE))
    while not stop.is_set():
        started = time.perf_counter()
        status, here, _ = ask("GET", "/p/next-item/review/")
        if status != 302:
            return
        ask("POST", "/p/next-item/review/ahead/", here=here.rstrip("/").rsplit("/", 1)[-1])
        said = {"fence": 1, "revision": 0, "verdict": "wrong", "severity": "low"}
        ask("POST", f"{here}draft/", **said, draft_revision=0)
        ask("POST", f"{here}submit/", **said, submit_key=here, seconds_spent=2)
        stop.wait(max(0, PACE - (time.perf_counter() - started)))


# --- what is judged -------------------------------------------------------------------------------


def write_answers(project) -> None:
    """Answers and sources as long as real ones: half a page of Markdown, three documents of a page each."""
    claims.execute(
        """
        UPDATE capture_interaction SET output = '**In short**: answer ' || id || E'.\\n\\n'
               || repeat(E'You can deduct the way to work, as far as you keep a record.\\n\\n- Keep the *receipts*.\\n', 8)
         WHERE project_id = %s
        """,
        [project.pk],
    )
    claims.execute(
        """
        INSERT INTO capture_retrieveddocument (project_id, interaction_id, position, document_id, chunk_id, title, url, text)
        SELECT project_id, id, place, 'guide', place::text, 'Tax guide', '', repeat('The way to work counts. ', 120)
          FROM capture_interaction, generate_series(0, 2) place WHERE project_id = %s
        """,
        [project.pk],
    )
    claims.execute("ANALYZE capture_interaction, capture_retrieveddocument", [])
