// "Make this a variable": what is selected in the URL or the body becomes {{name}}, and its text the value for test.
(() => {
  "use strict";
  const { body } = document;
  const FIELDS = "#at-request-url, .body-text, [name=field_value]";
  const NAME = /^[A-Za-z_][\w.-]{0,99}$/;
  const box = document.querySelector("#make-variable");
  if (!box) return;
  const button = box.querySelector("button"), input = box.querySelector("input"), ask = box.querySelector("[data-ask]"), why = box.querySelector("[data-why]");
  let field = null, from = 0, to = 0;

  const isName = (text) => NAME.test(text) && !text.startsWith("secret.");
  // Quotes around a JSON text stay outside of what is replaced.
  function range(target) {
    let [start, end] = [target.selectionStart, target.selectionEnd];
    const text = target.value.slice(start, end);
    if (target.matches(".body-text") && /^"[^"]*"$/.test(text)) { start += 1; end -= 1; }
    return [start, end];
  }
  function isLiteral(target, start, end) {
    const text = target.value.slice(start, end);
    if (!text.trim() || text.length > 500 || /[{}\n]/.test(text)) return false;
    const before = target.value.slice(0, start);
    return before.lastIndexOf("{{") <= before.lastIndexOf("}}");
  }
  // "?lang=de" is named lang, "/orders/42" order_id, "\"city\": \"Berlin\"" city.
  function nameFor(target, start) {
    const before = target.value.slice(0, start);
    const key = /["']([\w.-]+)["']\s*:\s*"?$/.exec(before) || /[?&]([\w.-]+)=$/.exec(before);
    const part = /\/([A-Za-z][\w-]*)\/$/.exec(before);
    const row = target.matches("[name=field_value]") ? target.closest("[data-row]").querySelector('[name="field_name"]').value : "";
    const name = (key?.[1] || row || (part ? `${part[1].replace(/s$/, "")}_id` : "value")).replace(/[^\w.-]/g, "_");
    return isName(name) ? name : "value";
  }
  function close() {
    box.hidden = true;
    ask.hidden = true;
    button.hidden = false;
  }
  function standAt(target, start, end) {
    [field, from, to] = [target, start, end];
    (target.closest(".input-group, .text-with-pick") || target).after(box);
  }
  function offer(target) {
    const [start, end] = range(target);
    if (!isLiteral(target, start, end)) { if (!box.contains(document.activeElement)) close(); return; }
    standAt(target, start, end);
    ask.hidden = true;
    button.hidden = box.hidden = false;
  }
  // As it is typed among the values for test: the text that the literal stands for.
  function valueOf(literal) {
    let text = literal;
    if (field.id === "at-request-url") try { text = decodeURIComponent(field.value.slice(0, from).includes("?") ? literal.replaceAll("+", " ") : literal); } catch { /* it is no encoded text */ }
    const inQuotes = field.name === "json_text" && field.value[from - 1] === '"';
    if (inQuotes) try { text = JSON.parse(`"${literal}"`); } catch { /* it stays as it is typed */ }
    if (field.name === "json_text" && !inQuotes) return text;
    try { return String(JSON.parse(text)) === text ? text : JSON.stringify(text); } catch { return text; }
  }
  const fieldFor = (name) => document.querySelector(`#test-values [name="${CSS.escape(name)}"]`);
  const isCarried = '[data-editor] > input[type=hidden][name^="value:"]';
  function make() {
    const name = input.value.trim();
    const known = fieldFor(`value:${name}`);
    const literal = field.value.slice(from, to), value = valueOf(literal);
    const fault = !isName(name) ? "A name has letters, digits, “_”, “.” and “-”." : known && known.value && known.value !== value ? `“${name}” has another value already. Choose another name.` : "";
    why.textContent = fault;
    if (fault) { input.setAttribute("aria-invalid", "true"); input.focus(); return; }
    input.removeAttribute("aria-invalid");
    const target = field;
    close();
    if (known) known.value = value;
    else {
      // It goes with the form until an answer brings its field.
      const carried = Object.assign(document.createElement("input"), { type: "hidden", name: `value:${name}`, value });
      carried.setAttribute("form", "step-form");
      document.querySelector("[data-editor]").append(carried);
    }
    target.focus({ preventScroll: true });
    target.setSelectionRange(from, to);
    const text = `{{${name}}}`;
    if (!document.execCommand("insertText", false, text)) {
      target.setRangeText(text, from, to, "end");
      target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
  function askName() {
    input.value = nameFor(field, from);
    why.textContent = "";
    button.hidden = true;
    box.hidden = ask.hidden = false;
    input.focus();
    input.select();
  }
  button.addEventListener("click", askName);
  // At once, by the name that is suggested; it is asked for where another value has it.
  httpstep.makeVariable = (target, start, end) => {
    standAt(target, start, end);
    askName();
    make();
  };
  box.querySelector("[data-make]").addEventListener("click", make);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); const back = field; close(); back.focus(); }
    if (event.key !== "Enter" || event.target !== input || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    make();
  });
  let waiting;
  document.addEventListener("selectionchange", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (document.activeElement?.matches(FIELDS)) offer(document.activeElement); }, 120);
  });
  // Whoever presses on something below means what is there now: nothing moves up before the button is let go.
  let isPressed = false;
  function leave() {
    const at = document.activeElement ?? body;
    if (!isPressed && !box.hidden && at !== body && at !== field && !box.contains(at) && !at.matches(FIELDS)) close();
  }
  document.addEventListener("focusin", leave);
  addEventListener("mousedown", ({ button }) => { isPressed = button === 0; }, true); // a menu of the browser's may keep the end of another
  for (const type of ["mouseup", "dragend"]) addEventListener(type, () => { isPressed = false; setTimeout(leave); }, true);
  // A part of the form goes with a swap; the box must not.
  function stepOut({ detail: { target } }) {
    if (!target?.contains(box)) return;
    close();
    document.querySelector("[data-editor]").append(box);
  }
  body.addEventListener("htmx:afterSwap", () => document.querySelectorAll(isCarried).forEach((one) => { if (fieldFor(one.name)) one.remove(); }));
  body.addEventListener("htmx:beforeSwap", stepOut);
  body.addEventListener("htmx:oobBeforeSwap", stepOut);
})();
