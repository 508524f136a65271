import { h, icon, icons, ago, timeOf } from "./dom.js";
import { Transcript } from "./transcript.js";
import { Composer } from "./composer.js";
import { givenName } from "./inbox.js";

// {name} becomes the visitor's. They go into the box, to be changed before they are sent.
const quick = [
  ["Greet", "Hello {name}, how can I help?"],
  ["One moment", "One moment please, I am looking that up."],
  ["Delivery", "It leaves our workshop within two working days, and delivery takes two to three days more."],
  ["Anything else?", "Is there anything else that I can help you with?"],
];

/** The conversation that the operator has in front of them. */
export class Room {
  /** @param {object} on `send(text, conversation)`, `typing(conversation)`, `end(conversation)`, `back()` */
  constructor(element, on) {
    this.element = element;
    this.on = on;
    this.drafts = new Map();
    this.conversation = null;
    this.element.replaceChildren(h("p", { class: "nothing" }, "Choose a conversation on the left.", h("br"), h("small", {}, "Alt + ↑ and Alt + ↓ go from one to the next.")));
  }

  /** Shows another conversation, with what was being written in it. */
  open(conversation) {
    if (conversation === this.conversation) return;
    if (this.conversation) this.drafts.set(this.conversation, this.composer.text);
    this.conversation = conversation;
    this.transcript = new Transcript("operator");
    this.composer = new Composer({
      testid: "operator", label: "Write an answer…",
      send: (text) => this.on.send(text, conversation), typing: () => this.on.typing(conversation),
    });
    this.composer.text = this.drafts.get(conversation) ?? "";
    this.title = h("h2", {});
    this.since = h("p", { class: "since" });
    this.ender = h("button", { type: "button", class: "end", "data-testid": "end-conversation", onclick: () => this.on.end(conversation) }, "End", h("span", { class: "wide" }, " conversation"));
    const back = h("button", { type: "button", class: "back", "aria-label": "All conversations", onclick: () => this.on.back() }, icon("M15 5l-7 7 7 7"));
    const replies = quick.map(([label, text], i) => h("button", { type: "button", title: `Alt+${i + 1}: ${text}`, onclick: () => this.reply(i) }, label));
    this.element.replaceChildren(h("header", {}, back, h("div", { class: "titles" }, this.title, this.since), this.ender), this.transcript.element,
      h("div", { class: "quick", role: "group", "aria-label": "Quick replies" }, ...replies), this.composer.element);
  }

  /** @param {object} entry as the inbox has it, with `messages`, the whole transcript */
  render({ name, messages, summary: { waiting, over, last } }) {
    this.name = name;
    this.visitor = givenName(messages) ?? "there";
    this.title.textContent = name;
    this.since.textContent = over ? "Ended. A new message opens it again." : waiting ? `Waiting since ${timeOf(waiting)} (${ago(waiting)})` : last ? `Last message at ${timeOf(last.at)}` : "";
    this.ender.disabled = over;
    this.transcript.render(messages);
  }

  /** Puts the quick reply with this number into the box. */
  reply(i) {
    if (!this.composer || !quick[i]) return;
    const text = quick[i][1].replace("{name}", () => this.visitor);
    this.composer.text = this.composer.text ? `${this.composer.text} ${text}` : text;
    this.composer.focus();
  }
}
