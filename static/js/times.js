// <time data-relative> says how long ago or ahead and stays fresh; <time data-exact> says the date
// and time. Both show the exact time in the reader's zone on hover. The words are those of
// relative_words in feedbackhub/parts.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const page = document.documentElement.lang;
const language = page === "en" ? "en-GB" : page || undefined; // 3 Nov, as the server writes it
const words = document.getElementById("time-words")?.dataset ?? {};

const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const withZone = new Intl.DateTimeFormat(language, {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZoneName: "short",
});
const dayMonth = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const dayMonthYear = new Intl.DateTimeFormat(language, {
  day: "numeric",
  month: "short",
  year: "numeric",
});

function relative(when, now) {
  const seconds = (now - when) / 1000;
  const size = Math.abs(seconds);
  const isAhead = seconds < 0;
  const say = (ago, ahead, unit) =>
    (isAhead ? ahead : ago)?.replace("{n}", String(Math.floor(size / unit)));
  if (size < MINUTE) return words.now;
  if (size < HOUR) return say(words.minutesAgo, words.inMinutes, MINUTE);
  if (size < DAY) return say(words.hoursAgo, words.inHours, HOUR);
  if (size < 7 * DAY) return say(words.daysAgo, words.inDays, DAY);
  return (when.getFullYear() === now.getFullYear() ? dayMonth : dayMonthYear).format(when);
}

function refresh(root = document) {
  const now = new Date();
  const times = [...root.querySelectorAll("time[data-relative], time[data-exact]")];
  if (root instanceof Element && root.matches("time[data-relative], time[data-exact]")) {
    times.push(root);
  }
  for (const time of times) {
    const when = new Date(time.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    time.title = withZone.format(when);
    const said = "exact" in time.dataset ? exact.format(when) : relative(when, now);
    if (said && time.textContent !== said) time.textContent = said;
  }
}

refresh();
document.addEventListener("htmx:load", (event) => refresh(event.target));
setInterval(() => document.hidden || refresh(), 30_000);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
