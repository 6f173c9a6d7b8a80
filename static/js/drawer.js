// <a href data-drawer="id">: loads the address as a fragment into that drawer and opens it.
// With Ctrl, ⌘, Shift or the middle button, and without a script, the link is simply followed.

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-drawer]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const drawer = document.getElementById(link.dataset.drawer);
  const body = drawer?.querySelector("[data-drawer-body]");
  if (!body || !window.htmx) return;
  event.preventDefault();
  const before = body.firstChild;
  await window.htmx.ajax("GET", link.href, { source: link, target: body, swap: "innerHTML" });
  if (body.firstChild === before && before !== null) return; // refused: answers.js has said so
  const title = drawer.querySelector("[data-drawer-title]");
  if (title && link.dataset.drawerTitle) title.textContent = link.dataset.drawerTitle;
  drawer.scrollTop = 0;
  if (!drawer.open) drawer.showModal();
});
