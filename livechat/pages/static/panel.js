import { h, icon, icons } from "./dom.js";
import { Transcript } from "./transcript.js";
import { Composer } from "./composer.js";

const phone = matchMedia("(max-width: 560px)");

/** What the widget looks like: the button, and the panel that it opens beside the page, or over all of it on a phone. */
export class Panel {
  /**
   * @param {object} words `heading`, `greeting`, and `name`: the visitor's so far
   * @param {object} on `open()`, `send(text)`, `typing()`, `rename(name)`
   */
  constructor(words, on) {
    this.on = on;
    this.transcript = new Transcript("visitor");
    this.transcript.scroller.prepend(h("p", { class: "greeting" }, words.greeting));
    this.composer = new Composer({ testid: "chat", label: "Write a message…", send: on.send, typing: on.typing });
    this.status = h("p", { id: "status", class: "status", "data-testid": "state", "data-state": "idle", "data-deployment": "", "data-switches": "0", role: "status" }, "Questions? Ask away.");
    this.offline = h("p", { class: "strip offline", role: "status", "data-testid": "offline", hidden: true });
    this.notice = h("p", { class: "strip notice", role: "status", "data-testid": "notice", hidden: true });
    this.name = h("input", { id: "name", maxlength: "60", autocomplete: "given-name", placeholder: "optional", value: words.name, "data-testid": "chat-name", onchange: () => on.rename(this.name.value.trim()) });
    this.nameRow = h("p", { class: "name" }, h("label", { for: "name" }, "Your name"), this.name);
    this.count = h("span", { class: "count", "data-testid": "unread", hidden: true });
    this.launcher = h("button", { type: "button", class: "launcher", "data-testid": "open-chat", "aria-expanded": "false", "aria-haspopup": "dialog", onclick: () => this.open() },
      icon(icons.chat), h("span", { class: "word" }, "Chat with us"), this.count);
    this.dialog = this.#dialog(words.heading);
    this.elements = [this.launcher, this.dialog];
    phone.addEventListener("change", () => this.isOpen && this.open());
    for (const event of ["resize", "scroll"]) window.visualViewport?.addEventListener(event, () => this.#fit());
  }

  get isOpen() { return this.dialog.open; }

  open() {
    if (this.isOpen) this.dialog.close();
    if (phone.matches) this.dialog.showModal();
    else this.dialog.show();
    this.launcher.setAttribute("aria-expanded", "true");
    this.#fit();
    this.transcript.toEnd();
    // A keyboard that comes up by itself would hide the conversation from somebody with a touch screen.
    if (matchMedia("(pointer: coarse)").matches) this.dialog.focus();
    else this.composer.focus();
    this.on.open();
  }

  close() {
    this.dialog.close();
    this.launcher.setAttribute("aria-expanded", "false");
    this.launcher.focus();
  }

  /** Shows a strip with these words, and a button if something can be done; without words, hides it. */
  strip(element, words, action, act) {
    element.hidden = !words;
    element.replaceChildren(words ?? "");
    if (words && action) element.append(" ", h("button", { type: "button", onclick: act }, action));
  }

  /** The number of unread messages on the button. */
  unread(count) {
    this.count.hidden = !count;
    this.count.textContent = count || "";
    const messages = count === 1 ? "1 new message" : `${count} new messages`;
    if (count) this.launcher.setAttribute("aria-label", `Chat with us, ${messages}`);
    else this.launcher.removeAttribute("aria-label");
  }

  #dialog(heading) {
    const close = h("button", { type: "button", class: "close", "aria-label": "Close chat", title: "Close", "data-testid": "close-chat", onclick: () => this.close() }, icon(icons.close));
    const header = h("header", {}, h("span", { class: "avatar", "aria-hidden": "true" }, heading[0]), h("div", { class: "titles" }, h("h2", { id: "heading" }, heading), this.status), close);
    return h("dialog", {
      class: "panel", "aria-labelledby": "heading", tabindex: "-1",
      onkeydown: (event) => event.key === "Escape" && this.close(), oncancel: (event) => event.preventDefault(),
    }, header, this.notice, this.offline, this.transcript.element, this.nameRow, this.composer.element);
  }

  /** On a phone the panel fills what the keyboard leaves free, which no unit of CSS knows. */
  #fit() {
    const view = window.visualViewport;
    const fill = this.isOpen && phone.matches && view;
    this.dialog.style.height = fill ? `${view.height}px` : "";
    this.dialog.style.top = fill ? `${view.offsetTop}px` : "";
  }
}
