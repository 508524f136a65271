import { h, icon, icons, place, timeOf, dayOf } from "./dom.js";

const pictures = {
  sending: "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z M12 7.5V12l3 2",
  disk: "M5 12.5l4.5 4.5L19 7.5",
  safe: "M2 12.5l4.5 4.5L15.5 7.5 M10.5 15.5l1.5 1.5L21.5 7.5",
};
pictures.delivered = pictures.safe;

// What the marks say to somebody who does not see them.
const meaning = { sending: "sending", disk: "sent", safe: "sent, and kept in two places", delivered: "delivered" };

/**
 * The messages of one conversation as the visitor or the operator sees them. `element` is to be put on the page; a new
 * conversation needs a new Transcript, so that a screen reader is not read all of it as news.
 */
export class Transcript {
  /** @param {"visitor"|"operator"} mine whose side of the screen is the right one */
  constructor(mine) {
    this.mine = mine;
    this.drawn = new Map();
    this.notes = [];
    this.list = h("ol", { role: "log", "aria-label": "Messages", "aria-live": "polite", "data-testid": "log" });
    this.writing = h("p", { class: "typing", "data-testid": "typing", role: "status", hidden: true });
    this.scroller = h("div", { class: "scroller", tabindex: "0", role: "group", "aria-label": "Conversation", onscroll: () => this.#follow() },
      this.list, this.writing);
    this.below = h("button", { type: "button", class: "below", hidden: true, onclick: () => this.toEnd() }, icon(icons.down), "New messages");
    this.element = h("div", { class: "transcript" }, this.scroller, this.below);
    this.following = true;
    // Whatever makes less room (a keyboard, a longer text in the box) must not hide the latest message.
    new ResizeObserver(() => this.following && this.toEnd()).observe(this.scroller);
  }

  /** Shows these messages, in this order; what is shown already stays as it is. */
  render(messages) {
    const wanted = [];
    const notes = [...this.notes];
    let before = null;
    for (const message of messages) {
      while (notes.length && notes[0].at < message.at) wanted.push(notes.shift().element);
      if (!before || dayOf(before.at) !== dayOf(message.at)) wanted.push(this.#day(message.at));
      const follows = before && before.s === message.s && message.at - before.at < 180000 && wanted.at(-1)?.dataset.key;
      wanted.push(this.#message(message, Boolean(follows)));
      before = message;
    }
    wanted.push(...notes.map((note) => note.element));
    const grown = wanted.at(-1) !== this.list.lastElementChild;
    place(this.list, wanted);
    if (this.following || (before?.from === this.mine && grown)) this.toEnd();
    else if (grown) this.below.hidden = false;
  }

  /** A line between the messages: something that happened now. */
  note(text, ...more) {
    this.notes.push({ at: Date.now(), element: h("li", { class: "note", "data-testid": "note" }, text, ...more) });
  }

  /** Shows for 5 s that the other one is writing; without a name, ends that. */
  typing(name) {
    clearTimeout(this.timer);
    this.writing.hidden = !name;
    if (!name) return;
    this.writing.replaceChildren(h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), `${name} is typing`);
    this.timer = setTimeout(() => this.typing(null), 5000);
    if (this.following) this.toEnd();
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.following = true;
    this.below.hidden = true;
  }

  #follow() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.following = scrollHeight - scrollTop - clientHeight < 40;
    if (this.following) this.below.hidden = true;
  }

  #day(at) {
    const name = dayOf(at);
    if (!this.drawn.has(name)) this.drawn.set(name, h("li", { class: "day" }, name));
    return this.drawn.get(name);
  }

  #message(message, follows) {
    const key = `${message.s}:${message.n}`;
    let drawn = this.drawn.get(key);
    // Its text changes when another tab was quicker to take its number.
    if (drawn?.querySelector("p").textContent !== message.text) this.drawn.set(key, drawn = this.#draw(key, message));
    drawn.classList.toggle("follows", follows);
    if (drawn.dataset.mark !== message.mark) this.#mark(drawn, message);
    return drawn;
  }

  #draw(key, message) {
    const mine = message.from === this.mine;
    const who = mine ? "You" : message.name || (message.from === "visitor" ? "Visitor" : "We");
    return h("li", { class: `message ${mine ? "mine" : "theirs"}`, "data-testid": "message", "data-key": key, "data-from": message.from },
      h("span", { class: mine ? "aside" : "who" }, who),
      h("p", { dir: "auto" }, message.text),
      h("span", { class: "meta" }, h("time", { datetime: new Date(message.at).toISOString() }, timeOf(message.at)),
        mine ? h("span", { class: "mark", role: "img" }) : null));
  }

  #mark(drawn, { mark, at }) {
    drawn.dataset.mark = mark;
    drawn.querySelector("time").textContent = timeOf(at);
    const sign = drawn.querySelector(".mark");
    if (!sign) return;
    sign.setAttribute("aria-label", meaning[mark] ?? mark);
    sign.setAttribute("title", meaning[mark] ?? mark);
    sign.replaceChildren(icon(pictures[mark] ?? pictures.sending));
  }
}
