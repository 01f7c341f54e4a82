// What every page needs: notices, the dialog, copying, times in this browser's zone, countdowns, and faults of fragments
// shown where the person looks. Listens for events that the server names in HX-Trigger; evaluates nothing.
(() => {
  "use strict";
  const { body } = document;
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => {
    const found = [...root.querySelectorAll(selector)];
    if (root instanceof Element && root.matches(selector)) found.unshift(root);
    return found;
  };
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };
  const closeButton = (label, onClick) => {
    const button = make("button", "btn btn-quiet btn-sm btn-icon", "×");
    button.type = "button";
    button.setAttribute("aria-label", label);
    button.addEventListener("click", onClick);
    return button;
  };

  // ---- notices: {"toast": {"text": …, "kind": "success" | "info" | "warning" | "error", "stays": false, "undo": ""}}
  // An error stays until it is closed; one with more to read (stays) longer than others, and no longer than to the next
  // press or letter elsewhere.
  const SHOWN_FOR = 5000, LONGER = 15000;
  function toast({ text, kind = "success", stays = false, undo = "" }) {
    const region = find("#toasts");
    if (!region || !text) return;
    const notice = make("div", `toast toast-${kind}`);
    notice.setAttribute("role", kind === "error" ? "alert" : "status");
    const words = Object.assign(make("p", "", text), { tabIndex: 0 });  // a long one may have to be scrolled
    notice.append(words, ...(undo ? [undoButton(undo, notice)] : []), closeButton("Close this notice", () => notice.remove()));
    region.append(notice);
    while (region.children.length > 4) region.firstElementChild.remove();
    if (kind === "error") return;
    notice.toggleAttribute("data-until-next", stays);
    let timer;
    const go = () => { timer = setTimeout(() => notice.remove(), undo || stays ? LONGER : SHOWN_FOR); };
    const hold = () => clearTimeout(timer);
    notice.addEventListener("pointerenter", hold);
    notice.addEventListener("pointerleave", go);
    notice.addEventListener("focusin", hold);
    notice.addEventListener("focusout", go);
    go();
  }
  function undoButton(what, notice) {
    const button = make("button", "btn btn-sm", "Undo");
    button.type = "button";
    button.addEventListener("click", () => {
      notice.remove();
      body.dispatchEvent(new CustomEvent("toast:undo", { detail: { what } }));
    });
    return button;
  }
  body.addEventListener("toast", (event) => toast(event.detail));
  for (const type of ["click", "input"]) document.addEventListener(type, ({ target }) => {
    if (!target.closest?.("#toasts")) for (const notice of all("[data-until-next]", find("#toasts") || body)) notice.remove();
  }, true);

  // ---- the dialog: {"modal:open": "#modal"}; focus goes back to where it was opened
  let opener = null, asked = null;
  body.addEventListener("htmx:beforeRequest", ({ detail }) => { if (detail.target.id === "modal-body") asked = document.activeElement; });
  body.addEventListener("modal:open", (event) => {
    const dialog = find(event.detail.value || "#modal");
    if (!dialog || dialog.open) return;
    opener = document.activeElement === body ? asked : document.activeElement;  // what was pressed may have been redrawn meanwhile
    dialog.showModal();
  });
  function closed(dialog) {
    if (dialog.id === "modal") find("#modal-body").replaceChildren();  // and with them whoever asked: what is on its way opens nothing again
    const back = opener && (opener.isConnected ? opener : opener.id && document.getElementById(opener.id));
    opener = null;
    if (back) back.focus();
  }
  body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "modal-body" && !find("#modal").open) event.detail.shouldSwap = false;
  });
  document.addEventListener("close", ({ target }) => { if (target.matches("dialog.modal")) closed(target); }, true);
  document.addEventListener("click", ({ target }) => {
    const opens = target.closest("[data-opens]");
    if (opens) body.dispatchEvent(new CustomEvent("modal:open", { detail: { value: opens.dataset.opens } }));
    const dialog = target.closest("dialog.modal");
    if (dialog && (target === dialog || target.closest("[data-close]"))) dialog.close();
  });

  // ---- menus and confirmations close when one looks elsewhere
  const POPPING = "details[data-menu][open], details.confirm[open]";
  document.addEventListener("click", (event) => {
    if (event.target.closest(".toast")) return; // a message lies over the page, it is no other place of it
    for (const menu of all(POPPING)) if (!menu.contains(event.target)) menu.open = false;
    const menu = event.target.closest("[data-confirm-cancel]")?.closest("details");
    if (menu) { menu.open = false; find("summary", menu).focus(); }
  });
  // One that would end below the window, or under the bar at its foot, opens upwards; without room there it is scrolled to.
  document.addEventListener("toggle", ({ target }) => {
    const list = target.matches?.("details.menu[data-menu]") && find(":scope > .menu-list", target);
    if (!list) return;
    target.classList.remove("menu-up");
    const { height, bottom } = list.getBoundingClientRect();
    const [bar, foot] = [find(".topbar"), find(".bottom-bar")].map((one) => one?.getBoundingClientRect());
    if (!target.open || bottom <= (foot?.height ? foot.top : innerHeight)) return;
    if (target.getBoundingClientRect().top - height > (bar?.bottom ?? 0)) target.classList.add("menu-up");
    else list.scrollIntoView({ block: "nearest" });
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of all(POPPING)) {
      menu.open = false;
      find("summary", menu).focus();
    }
  });

  // ---- what somebody opens is scrolled into sight: to its end, or to its beginning where there is no room for all of it
  document.addEventListener("click", ({ target }) => {
    const fold = target.closest?.("summary")?.parentElement;
    if (!fold || fold.open || fold.matches("[data-menu], .confirm, .tree *")) return;
    setTimeout(() => {
      const whole = fold.closest(".rule") || fold, { scrollPaddingTop, scrollPaddingBottom } = getComputedStyle(document.documentElement);
      const room = innerHeight - (parseFloat(scrollPaddingTop) || 0) - (parseFloat(scrollPaddingBottom) || 0);
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (fold.open) whole.scrollIntoView({ block: whole.clientHeight > room ? "start" : "nearest", behavior: still ? "auto" : "smooth" });
    });
  });

  // ---- copying: data-copy="#id" copies that element's text or value
  async function copied(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = make("textarea", "visually-hidden");
      area.value = text;
      body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = find(button.dataset.copy);
    if (!source) return;
    const done = await copied("value" in source ? source.value : source.textContent);
    const label = find("[data-copy-label]", button) || button;
    const before = button.dataset.copyBefore || (button.dataset.copyBefore = label.textContent);
    label.textContent = done ? "Copied" : "Select and copy";
    button.focus();
    setTimeout(() => { label.textContent = before; }, 2000);
  });

  // ---- times: <time data-epoch="seconds">
  const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const UNITS = [[60, "second", 1], [3600, "minute", 60], [86400, "hour", 3600], [30 * 86400, "day", 86400]];
  function told(seconds) {
    const away = seconds - Date.now() / 1000;
    if (Math.abs(away) < 5) return "just now";
    const unit = UNITS.find(([most]) => Math.abs(away) < most);
    return unit ? relative.format(Math.round(away / unit[2]), unit[1]) : absolute.format(new Date(seconds * 1000));
  }
  function showTimes(root) {
    for (const element of all("time[data-epoch]", root)) {
      const seconds = Number(element.dataset.epoch);
      const whole = absolute.format(new Date(seconds * 1000));
      const near = told(seconds);
      const first = "absolute" in element.dataset ? whole : near;
      if (element.textContent !== first) element.textContent = first;
      element.title = first === whole ? near : whole;
    }
    for (const option of all("option[data-epoch]", root)) option.textContent = `${option.dataset.before}, ${absolute.format(new Date(Number(option.dataset.epoch) * 1000))}`;
    for (const element of all("[data-title-epoch]", root)) element.title = absolute.format(new Date(Number(element.dataset.titleEpoch) * 1000));
  }
  setInterval(() => showTimes(document), 20000);

  // ---- countdowns: <span data-countdown="23" data-enables="#test-btn">; ends with the event countdown:done,
  // and where it stands in a [data-wait], the words around it go
  function startCountdowns(root) {
    for (const element of all("[data-countdown]", root)) {
      if (element.dataset.counting) continue;
      element.dataset.counting = "yes";
      const ends = Date.now() + Number(element.dataset.countdown) * 1000;
      const waits = element.dataset.enables ? all(element.dataset.enables) : [];
      for (const control of waits) control.disabled = true;
      const timer = setInterval(() => {
        const left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
        element.textContent = String(left);
        if (left && element.isConnected) return;
        clearInterval(timer);
        for (const control of waits) control.disabled = false;
        if (element.isConnected) element.dispatchEvent(new CustomEvent("countdown:done", { bubbles: true }));
        element.closest("[data-wait]")?.replaceChildren("You can try again now");
      }, 250);
    }
  }

  // ---- the first field with an error takes the focus, else what asks for it, once
  function focusFirstError(root) {
    const field = find('[aria-invalid="true"]', root) || find("[data-focus]", root);
    for (const asking of all("[data-focus]", root)) asking.removeAttribute("data-focus");
    if (field) field.focus();
  }

  // ---- faults: shown at the target, which keeps what it holds
  const SENTENCES = {
    400: ["Bad Request", "httpstep could not make sense of this request."],
    403: ["Not Allowed", "You may not do this."],
    404: ["Not Found", "This is no longer there. Somebody may have deleted it."],
    413: ["Content Too Large", "This is more than httpstep takes at once. Make it smaller and try again."],
    502: ["httpstep Cannot Be Reached", "The server in front of httpstep got no answer from it. Try again shortly."],
    503: ["Unavailable", "httpstep cannot do this just now. Try again shortly."],
    504: ["No Answer", "httpstep did not answer in time. Try again."],
  };
  function faultOf(xhr) {
    const type = xhr.getResponseHeader("Content-Type") || "";
    if (type.startsWith("text/html")) {
      const told_ = new DOMParser().parseFromString(xhr.responseText, "text/html");
      const title = find("[data-fault-title]", told_);
      if (title) {
        const reference = find("code", find("[data-fault]", told_) || told_);
        const text = find("[data-fault-text]", told_)?.textContent || "";
        return [title.textContent, reference ? `${text} Reference: ${reference.textContent}` : text];
      }
    }
    return SENTENCES[xhr.status] || ["Something Went Wrong", `httpstep answered with the status ${xhr.status}.`];
  }
  function placeFor(target) {
    if (!target || !target.isConnected || target === body) return find("#content");
    return target;
  }
  function clearFault(target) {
    const place = placeFor(target);
    for (const old of all(`[data-fault-for="${place.id || "content"}"]`)) old.remove();
  }
  // What the page asks for by itself must not move it under who types.
  const wasPressed = (event) => /^(click|submit|change|input|keyup|toggle)$/.test(event.detail.requestConfig?.triggeringEvent?.type);
  function showFault(target, [title, text], seconds, pressed = true) {
    const place = placeFor(target);
    clearFault(target);
    const alert = make("div", "banner banner-danger fault-here");
    alert.setAttribute("role", "alert");
    alert.dataset.faultFor = place.id || "content";
    const words = make("div");
    words.append(make("strong", "", title), make("p", "", text));
    if (seconds) {
      const wait = make("p", "small", "Try again in ");
      const count = make("span", "", String(seconds));
      count.dataset.countdown = String(seconds);
      wait.dataset.wait = "";
      wait.append(count, " s");
      words.append(wait);
    }
    alert.append(words, closeButton("Close this message", () => alert.remove()));
    const table = place.closest("table, ul, ol, select, input, textarea, button, summary, p, span");
    if (table) table.before(alert); else (find(":scope > .card-body, :scope > form > .card-body", place) || place).prepend(alert);
    startCountdowns(alert);
    if (place.closest("dialog:not([open])")) { find("#content").prepend(alert); }
    if (pressed) alert.scrollIntoView({ block: "nearest" });
  }
  // A refusal that has no form or result in it (X-Fault) never takes the place of what is there.
  body.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.xhr.getResponseHeader("X-Fault")) return;
    event.detail.shouldSwap = false;
    event.detail.isError = true;
  });
  body.addEventListener("htmx:responseError", (event) => {
    const { xhr, target } = event.detail;
    showFault(target, faultOf(xhr), Number(xhr.getResponseHeader("Retry-After")) || 0, wasPressed(event));
  });
  body.addEventListener("htmx:sendError", (event) => {
    showFault(event.detail.target, ["No Connection", "httpstep could not be reached. What you typed is still here; try again."], 0, wasPressed(event));
  });
  body.addEventListener("htmx:timeout", (event) => {
    showFault(event.detail.target, ["No Answer", "httpstep did not answer in time. What you typed is still here; try again."], 0, wasPressed(event));
  });
  body.addEventListener("htmx:targetError", () => toast({ text: "This part of the page is gone. Load the page again.", kind: "error" }));
  body.addEventListener("htmx:swapError", (event) => {
    showFault(event.detail.target, ["Something Went Wrong", "The answer could not be shown. Load the page again."]);
  });
  body.addEventListener("htmx:beforeRequest", (event) => clearFault(event.detail.target));

  // ---- a form that had expired gets its fresh token: {"csrf:fresh": {"token": …}}
  body.addEventListener("csrf:fresh", (event) => {
    body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": event.detail.token }));
    for (const input of all('input[name="csrf_token"]')) input.value = event.detail.token;
  });

  // ---- what somebody else typed in this tab, or has tried out in this browser, goes when another person has signed in
  try {
    const theirs = new RegExp(`^httpstep-(draft|offered|values|says):(?!${body.dataset.user}:)`);
    for (const store of body.dataset.user ? [sessionStorage, localStorage] : []) {
      for (const key of Object.keys(store)) if (theirs.test(key)) store.removeItem(key);
    }
  } catch { /* this browser keeps nothing */ }

  // ---- appearance
  function showTheme() {
    const chosen = document.documentElement.dataset.theme || "system";
    for (const button of all("[data-theme-set]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeSet === chosen));
    }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-set]");
    if (!button) return;
    const choice = button.dataset.themeSet;
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    try { localStorage.setItem("httpstep-theme", choice); } catch { /* it lasts as long as this page */ }
    showTheme();
  });

  // ---- a page or fragment has come
  function dress(root) {
    showTimes(root);
    startCountdowns(root);
  }
  body.addEventListener("htmx:load", (event) => dress(event.detail.elt));
  body.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (detail.xhr?.getResponseHeader("HX-Reswap") !== "none" || detail.elt !== detail.target) focusFirstError(detail.elt);
  });
  for (const tab of all('.tab[aria-current="page"]')) tab.parentElement.scrollLeft = tab.offsetLeft - 60;
  for (const choice of all("[data-theme-choice]")) choice.hidden = false;
  showTheme();
  dress(document);
  focusFirstError(document);

  window.httpstep = { toast, showFault, clearFault };
})();
