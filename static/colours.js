// The JSON of a body in colours, with the first error marked and said. The colours lie behind the text field, whose own
// letters are transparent: caret, undo, input methods and screen readers have the field as it is.
(() => {
  "use strict";
  const { body } = document;
  const FIELDS = ".body-text:is([name=json_text], [name=variables])";
  const MOST = 60000, PAUSE = 600;
  const make = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text ?? "" });
  const behind = new WeakMap();

  function fit(field) {
    const { layer } = behind.get(field);
    layer.style.width = `${field.clientWidth + 2}px`;
    layer.style.height = `${field.offsetHeight}px`;
    layer.scrollTop = field.scrollTop;
    layer.scrollLeft = field.scrollLeft;
  }
  const placeOf = (text, at) => `line ${text.slice(0, at).split("\n").length}, column ${at - text.lastIndexOf("\n", at - 1)}`;
  // A text in double quotes has its names in the colour of names.
  function coloured(kind, text) {
    if (kind !== "string" && kind !== "key") return [kind === "space" || kind === "sign" ? text : make("span", `json-${kind}`, text)];
    return text.split(/(?<!\\)(\{\{[^{}]*\}\})/).filter(Boolean).map((part) => make("span", `json-${part.startsWith("{{") ? "name" : kind}`, part));
  }
  // The marked piece is cut out of whatever it lies in.
  function marked(pieces, fault) {
    const shown = [];
    let at = 0;
    for (const [kind, text] of pieces) {
      const from = fault && fault.length ? Math.max(0, Math.min(text.length, fault.at - at)) : text.length;
      const to = fault && fault.length ? Math.max(from, Math.min(text.length, fault.at + fault.length - at)) : text.length;
      if (from) shown.push(...coloured(kind, text.slice(0, from)));
      if (to > from) shown.push(make("mark", "json-fault", text.slice(from, to)));
      if (to < text.length) shown.push(...coloured(kind, text.slice(to)));
      at += text.length;
    }
    if (fault && !fault.length) shown.push(make("mark", "json-fault", "\u00a0"));
    return shown;
  }
  function paint(field) {
    const one = behind.get(field);
    if (field.value === one.painted) { fit(field); return; }
    one.painted = field.value;
    const large = field.value.length > MOST;
    field.classList.toggle("is-coloured", !large);
    const { pieces, fault } = large ? { pieces: [], fault: null } : httpstep.readJson(field.value);
    one.layer.replaceChildren(...marked(pieces, fault), "\n");
    fit(field);
    clearTimeout(one.waiting);
    const say = () => { one.said.textContent = fault ? `At ${placeOf(field.value, fault.at)}: ${fault.sentence}` : field.value.trim() && !large ? "This is valid JSON." : ""; one.said.classList.toggle("danger-text", Boolean(fault)); };
    if (document.activeElement === field) one.waiting = setTimeout(say, PAUSE); else say();
  }
  function dress() {
    for (const field of document.querySelectorAll(FIELDS)) {
      if (behind.has(field)) { paint(field); continue; }
      const layer = make("pre", "colours"), said = make("p", "field-help json-said");
      layer.setAttribute("aria-hidden", "true");
      said.setAttribute("role", "status");
      field.before(layer);
      field.parentElement.after(said);
      behind.set(field, { layer, said, painted: null, waiting: 0 });
      field.addEventListener("scroll", () => fit(field), { passive: true });
      new ResizeObserver(() => fit(field)).observe(field);
      paint(field);
    }
  }
  document.addEventListener("input", ({ target }) => { if (behind.has(target)) paint(target); });
  body.addEventListener("htmx:afterSettle", dress);
  body.addEventListener("form:looked", dress);
  dress();
})();
