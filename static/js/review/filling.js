// What a form holds, as pairs that can be kept, and back into a form.

const HOLD = ["csrfmiddlewaretoken", "fence", "revision", "draft_revision", "schema_version", "submit_key"];

export const pairsOf = (form) =>
  [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");

export function bodyOf(pairs) {
  const body = new FormData();
  for (const [name, value] of pairs) body.append(name, value);
  return body;
}

export const valueIn = (pairs, name) => pairs.find(([each]) => each === name)?.[1];

// Answers into the form; under which lease they are given is for the page to say.
export function fillIn(form, pairs) {
  for (const field of form.elements) {
    if (!field.name || HOLD.includes(field.name)) continue;
    const values = pairs.filter(([name]) => name === field.name).map(([, value]) => value);
    if (field.matches('input[type="radio"], input[type="checkbox"]')) {
      field.checked = values.includes(field.value);
    } else if (values.length) field.value = values[0];
  }
}
