// What a swap must not do: take the answer to a part that is gone, or the focus to the top of the page.
(() => {
  "use strict";
  const { body } = document;
  const find = (selector, root = document) => root.querySelector(selector);

  // Another answer may have replaced the target of a request meanwhile: its own goes to what stands in that place now.
  // htmx tells of the swap at the target, which nobody hears where it is gone; so it is looked at before.
  body.addEventListener("htmx:beforeRequest", ({ detail }) => {
    detail.xhr.addEventListener("readystatechange", () => {
      if (detail.xhr.readyState !== XMLHttpRequest.DONE || detail.target.isConnected) return;
      detail.target = (detail.target.id && document.getElementById(detail.target.id)) || detail.target;
    });
  });

  // A button that went with the part it was in: the focus goes to the one of its id, else to where it says (data-then).
  const pressed = new WeakMap();
  body.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.elt.contains(document.activeElement)) pressed.set(detail.xhr, document.activeElement);
  });
  body.addEventListener("htmx:afterSettle", ({ detail }) => {
    const was = pressed.get(detail.xhr);
    if (!was || was.isConnected || (document.activeElement && document.activeElement !== body)) return;
    const next = document.getElementById(was.id) || (was.dataset.then && find(was.dataset.then));
    if (next && next.tabIndex < 0) next.tabIndex = -1;
    if (next) next.focus({ preventScroll: true });
  });
})();
