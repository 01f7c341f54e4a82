// The box of the URL is one line of text that is shown in as many as it takes: no line break comes into it.
(() => {
  "use strict";
  const box = () => document.querySelector("#at-request-url");
  document.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") || "";
    if (event.target !== box() || event.defaultPrevented || !/[\r\n]/.test(text)) return;
    event.preventDefault();
    document.execCommand("insertText", false, text.split(/[\r\n]+/).map((line) => line.trim()).join(""));
  });
  // Where the style sheet cannot do it (field-sizing), its height follows what is in it.
  if (CSS.supports("field-sizing", "content")) return;
  function fit() {
    const field = box();
    if (!field?.offsetParent) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
  }
  document.addEventListener("input", ({ target }) => { if (target === box()) fit(); });
  document.body.addEventListener("htmx:afterSettle", fit);
  addEventListener("resize", fit);
  fit();
})();
