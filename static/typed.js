// What is typed while an answer is on its way is newer than it: it is put back into what the answer brings.
(() => {
  "use strict";
  const { body } = document;
  const part = (field) => (["checkbox", "radio"].includes(field.type) ? "checked" : "value");

  // Every field of a form by its name and its place among those of the same name.
  function fieldsOf(form) {
    const count = {}, found = new Map();
    for (const field of form?.elements ?? []) {
      if (!field.name || ["submit", "button", "file"].includes(field.type)) continue;
      count[field.name] = (count[field.name] ?? -1) + 1;
      found.set(`${field.name} ${count[field.name]}`, field);
    }
    return found;
  }
  // form: gives the form as it is then. options.moved: the place of a field after the operation that was asked for.
  // options.putBack: told of each field that got its text back, options.gone of each place that was taken out meanwhile.
  httpstep.keepTyped = (form, { moved = (place) => place, putBack, gone = () => {} }) => {
    const sentWith = new WeakMap();
    let newer = [], missing = [];
    const values = () => new Map([...fieldsOf(form())].map(([place, field]) => [place, field[part(field)]]));
    body.addEventListener("htmx:beforeRequest", ({ detail: { elt, xhr } }) => sentWith.set(xhr, { values: values(), op: elt.name === "op" ? elt.value : "" }));
    body.addEventListener("htmx:beforeSwap", ({ detail: { xhr } }) => {
      const sent = sentWith.get(xhr), now = values();
      newer = sent ? [...now].filter(([place, value]) => sent.values.has(place) && sent.values.get(place) !== value).map(([place, value]) => [moved(place, sent.op), value]) : [];
      missing = sent ? [...sent.values.keys()].filter((place) => !now.has(place)) : [];
    });
    function restore() {
      missing.forEach(gone);
      const fields = fieldsOf(form());
      for (const [place, value] of newer) {
        const field = fields.get(place);
        if (!field || field[part(field)] === value) continue;
        field[part(field)] = value;
        putBack(field);
      }
    }
    body.addEventListener("htmx:oobAfterSwap", restore);
    body.addEventListener("htmx:afterSwap", restore);
  };
})();
