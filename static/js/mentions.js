// [data-mentions]: writing @ offers the people that can be ticked below; picking one writes the name and ticks it.

const WORD = /(?:^|\s)@([^\s@]{0,30})$/u;

function offer(form) {
  const text = form.elements.text;
  const menu = form.querySelector('[role="listbox"]');
  const people = [...form.querySelectorAll('[name="mentions"]')];
  if (!people.length) return;
  text.setAttribute("aria-autocomplete", "list");
  text.setAttribute("aria-controls", menu.id);
  let chosen = 0;

  const options = () => [...menu.children];

  function close() {
    menu.hidden = true;
    menu.replaceChildren();
    text.removeAttribute("aria-activedescendant");
  }

  function choose(place) {
    chosen = (place + options().length) % options().length;
    options().forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    options()[chosen].scrollIntoView({ block: "nearest" });
    text.setAttribute("aria-activedescendant", options()[chosen].id);
  }

  function pick(person) {
    const end = text.selectionStart;
    const begin = text.value.lastIndexOf("@", end - 1);
    text.setRangeText(`@${person.dataset.name} `, begin, end, "end");
    person.checked = true;
    close();
    text.focus();
  }

  function look() {
    const word = text.value.slice(0, text.selectionStart).match(WORD)?.[1].toLocaleLowerCase();
    if (word === undefined) return close();
    const found = people
      .filter(({ dataset }) => dataset.name.toLocaleLowerCase().includes(word))
      .slice(0, 8);
    if (!found.length) return close();
    menu.replaceChildren(
      ...found.map((person, place) => {
        const option = document.createElement("div");
        option.role = "option";
        option.id = `mention-${place}`;
        option.textContent = person.dataset.name;
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          pick(person);
        });
        option.person = person;
        return option;
      }),
    );
    menu.hidden = false;
    choose(0);
  }

  text.addEventListener("input", look);
  text.addEventListener("blur", close);
  text.addEventListener("keydown", (event) => {
    if (menu.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter" || event.key === "Tab") pick(options()[chosen].person);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

for (const form of document.querySelectorAll("[data-mentions]")) offer(form);
