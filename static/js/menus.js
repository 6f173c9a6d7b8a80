// [popover][data-menu]: stands below its button, arrow keys walk it. Opening and closing are the
// browser's own; those of the bar have their place from the stylesheet.

const GAP = 4;
const EDGE = 8;

const buttonOf = (menu) => document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
const itemsOf = (menu) =>
  [...menu.querySelectorAll("a[href], button:not(:disabled), input:not([type='hidden'])")].filter(
    (item) => item.checkVisibility?.() ?? true,
  );

function place(menu, button) {
  if (!button || menu.matches(".menu-bar-start, .menu-bar-end")) return;
  const box = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const isRtl = getComputedStyle(menu).direction === "rtl";
  let left = isRtl ? box.right - width : box.left;
  left = Math.max(EDGE, Math.min(left, document.documentElement.clientWidth - width - EDGE));
  const below = box.bottom + GAP;
  const fitsBelow = below + height <= document.documentElement.clientHeight - EDGE;
  const top = fitsBelow ? below : Math.max(EDGE, box.top - GAP - height);
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}

document.addEventListener(
  "toggle",
  (event) => {
    const menu = event.target;
    if (!menu.matches?.("[data-menu]")) return;
    const button = buttonOf(menu);
    button?.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState !== "open") return;
    place(menu, button);
    if (button?.matches(":focus-visible")) itemsOf(menu)[0]?.focus();
  },
  true,
);

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("[data-menu]");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "ArrowDown" && !menu) {
    const target = event.target.getAttribute?.("popovertarget");
    const own = target && document.getElementById(target);
    if (own?.matches("[data-menu]")) {
      event.preventDefault();
      own.showPopover();
      itemsOf(own)[0]?.focus();
    }
    return;
  }
  if (!menu || !(step || event.key === "Home" || event.key === "End")) return;
  const items = itemsOf(menu);
  const at = items.indexOf(document.activeElement);
  const next =
    event.key === "Home" ? 0 : event.key === "End" ? -1 : (at + step + items.length) % items.length;
  event.preventDefault();
  items.at(next)?.focus();
});

const hideAll = () => {
  for (const menu of document.querySelectorAll("[data-menu]:popover-open")) {
    if (!menu.matches(".menu-bar-start, .menu-bar-end")) menu.hidePopover();
  }
};
addEventListener("scroll", hideAll, { passive: true });
addEventListener("resize", hideAll);
