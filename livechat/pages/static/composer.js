import { h, icon, icons } from "./dom.js";

const problems = {
  QuotaExceededError: "Too many messages are waiting to be sent. Please try again in a moment.",
  TypeError: "This message is too long. Please send it in two.",
};

/** The box that messages are written in: Enter sends, Shift+Enter makes a line. `element` is to be put on the page. */
export class Composer {
  /**
   * @param {object} given `testid`: prefix of the hooks for tests; `label`: what the box is called; `send(text)`: a promise
   * that is rejected when the text can not be taken; `typing()`: called whenever somebody writes, which a session passes on not too often.
   */
  constructor({ testid, label, send, typing }) {
    this.give = send;
    this.tell = typing;
    this.box = h("textarea", {
      rows: "1", maxlength: "8000", placeholder: label, "aria-label": label, "data-testid": `${testid}-input`, enterkeyhint: "send",
      onkeydown: (event) => this.#key(event), oninput: () => this.#written(),
    });
    this.button = h("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send", "data-testid": `${testid}-send` }, icon(icons.send));
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    this.element = h("form", { class: "composer", onsubmit: (event) => this.#submit(event) }, this.problem, h("div", { class: "row" }, this.box, this.button));
    this.#changed();
  }

  get text() { return this.box.value; }

  set text(text) {
    this.box.value = text;
    this.#say("");
    this.#changed();
  }

  focus() { this.box.focus(); }

  #key(event) {
    // Enter that ends the composition of a character (Chinese, Japanese, Korean) is not meant for us.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.element.requestSubmit();
  }

  #changed() {
    this.button.disabled = !this.text.trim();
  }

  #written() {
    this.#changed();
    if (this.text) this.tell();
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.text.trim();
    if (!text) return;
    this.text = "";
    this.focus();
    try {
      await this.give(text);
    } catch (error) {
      // A session that is closed keeps what is unsent; only what it did not take at all is handed back.
      if (error.name !== "AbortError") this.#back(text, error);
    }
  }

  #back(text, error) {
    this.text = this.text ? `${text}\n${this.text}` : text;
    this.#say(problems[error.name] ?? "This could not be sent. Please try again.");
  }

  #say(problem) {
    this.problem.textContent = problem;
    this.problem.hidden = !problem;
  }
}
