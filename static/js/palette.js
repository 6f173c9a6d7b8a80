// Ctrl/⌘+K: go to a place, do what this page offers, find an interaction or problem by id or words.
// Places are the links of the bar, doings the controls with a key; the rest is asked of
// data-palette-url (?q=…): {"groups": [{"label", "entries": [{"label", "url", "hint"}]}]}.

const PAUSE = 120;
const palette = document.querySelector("[data-palette]");

if (palette) {
  const input = palette.querySelector("input");
  const list = palette.querySelector('[role="listbox"]');
  const note = palette.querySelector('[role="status"]');
  const words = palette.dataset;
  let found = [];
  let asked = 0;
  let timer = 0;
  let at = 0;
  let failed = false;

  const fits = (text, query) =>
    query
      .toLowerCase()
      .split(/\s+/)
      .every((word) => text.toLowerCase().includes(word));

  function placesHere() {
    return [...document.querySelectorAll("[data-place], .side-item")].map((link) => ({
      label: link.textContent.trim(),
      url: link.href,
    }));
  }

  function doingsHere() {
    return [...document.querySelectorAll("main :is(a, button)[data-key], [data-palette-do]")]
      .filter((control) => !control.disabled && (control.checkVisibility?.() ?? true))
      .map((control) => {
        const shown = control.cloneNode(true);
        const caps = shown.querySelector(".keycaps");
        caps?.remove();
        const label = (control.getAttribute("aria-label") ?? shown.textContent).trim();
        return { label, hint: caps?.textContent, act: () => control.click() };
      });
  }

  function option(entry, number) {
    const item = document.createElement("div");
    item.role = "option";
    item.id = `palette-${number}`;
    const label = document.createElement("span");
    label.className = "label";
    label.textContent = entry.label;
    item.append(label);
    if (entry.hint) {
      const hint = document.createElement("span");
      hint.className = "hint";
      hint.textContent = entry.hint;
      item.append(hint);
    }
    item.entry = entry;
    return item;
  }

  const options = () => [...list.querySelectorAll('[role="option"]')];

  function mark(place) {
    const all = options();
    at = Math.max(0, Math.min(place, all.length - 1));
    all.forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    if (all[at]) {
      input.setAttribute("aria-activedescendant", all[at].id);
      all[at].scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function draw() {
    const query = input.value.trim();
    const near = (entries) => (query ? entries.filter((each) => fits(each.label, query)) : entries);
    const groups = [
      { label: words.goWord, entries: near(placesHere()) },
      { label: words.doWord, entries: near(doingsHere()) },
      ...(query ? found : []),
    ].filter((group) => group.entries.length);
    list.replaceChildren();
    let number = 0;
    groups.forEach((group, index) => {
      const block = document.createElement("div");
      block.role = "group";
      const title = document.createElement("span");
      title.className = "menu-title";
      title.id = `palette-group-${index}`;
      title.textContent = group.label;
      block.setAttribute("aria-labelledby", title.id);
      block.append(title, ...group.entries.map((entry) => option(entry, number++)));
      list.append(block);
    });
    list.hidden = number === 0;
    const isAsking = timer !== 0 && query !== "";
    const said = failed ? words.failedWord : number === 0 && !isAsking ? words.noneWord : "";
    note.textContent = said;
    note.hidden = said === "";
    mark(0);
  }

  async function find() {
    const query = input.value.trim();
    const turn = ++asked;
    if (!query || !words.paletteUrl) {
      found = [];
      timer = 0;
      draw();
      return;
    }
    const url = new URL(words.paletteUrl, location.href);
    url.searchParams.set("q", query);
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const { groups } = await answer.json();
      if (turn !== asked) return;
      found = groups;
      failed = false;
    } catch {
      if (turn !== asked) return;
      found = [];
      failed = true;
    }
    timer = 0;
    draw();
  }

  function go(item, event) {
    if (!item) return;
    palette.close();
    const { url, act } = item.entry;
    if (act) act();
    else if (event.ctrlKey || event.metaKey) window.open(url, "_blank", "noopener");
    else location.assign(new URL(url, location.href));
  }

  palette.addEventListener("opens", () => {
    input.value = "";
    found = [];
    failed = false;
    draw();
  });

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, PAUSE);
    draw();
  });

  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const { length } = options();
      if (length) mark((at + step + length) % length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(options()[at], event);
    }
  });

  list.addEventListener("click", (event) => go(event.target.closest('[role="option"]'), event));
  list.addEventListener("pointermove", (event) => {
    const item = event.target.closest('[role="option"]');
    if (item && item.getAttribute("aria-selected") !== "true") mark(options().indexOf(item));
  });

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    if (event.key?.toLowerCase() !== "k") return;
    event.preventDefault();
    if (palette.open) {
      palette.close();
      return;
    }
    if (document.querySelector("dialog[open]:not([data-palette])")) return;
    palette.dispatchEvent(new Event("opens", { bubbles: true }));
    palette.showModal();
  });
}
