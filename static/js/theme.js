// [data-theme-form]: changes the theme at once and keeps it by a cookie of the server's.

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-form]") || !event.submitter) return;
  event.preventDefault();
  const theme = event.submitter.value;
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of form.querySelectorAll("[name='theme']")) {
    button.setAttribute("aria-pressed", String(button === event.submitter));
  }
  const body = new FormData(form, event.submitter);
  const answer = await fetch(form.action, {
    method: "POST",
    body,
    redirect: "manual", // the answer leads back here, where we are
  }).catch(() => null);
  if (!answer || (!answer.ok && answer.type !== "opaqueredirect")) form.submit();
});
