import { h, ago, place, timeOf } from "./dom.js";

/** What the visitor gave as a name; undefined when there is none. */
export function givenName(messages) {
  return messages.findLast(({ from, name }) => from === "visitor" && name)?.name;
}

/**
 * One conversation in short. Unread is what the visitor wrote after `seen` and after the last answer; it waits since the first
 * message that has no answer. `ended` is when the latest message was written that an operator closed the conversation after.
 */
export function summarise(messages, seen = 0, ended = 0) {
  const answered = messages.findLast(({ from }) => from === "operator")?.at ?? 0;
  const last = messages.at(-1);
  const open = messages.filter(({ from, at }) => from === "visitor" && at > answered);
  const over = Boolean(last) && last.at <= ended;
  return { last, over, unread: open.filter(({ at }) => at > seen).length, waiting: over ? null : open[0]?.at ?? null };
}

/** The list of conversations. `element` is to be put on the page. */
export class Inbox {
  /** @param {(conversation: string) => void} choose called when the operator takes one */
  constructor(choose) {
    this.choose = choose;
    this.rows = new Map();
    this.list = h("ul", { role: "list", onkeydown: (event) => this.#key(event) });
    this.empty = h("p", { class: "empty" });
    this.element = h("div", { class: "inbox" }, this.empty, this.list);
  }

  /** @param {object[]} entries `{id, name, summary, typing}` in the order to show; `selected` is an id; `words` are said when there are none. */
  render(entries, selected, words) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    place(this.list, entries.map((entry) => this.#row(entry, entry.id === selected)));
    this.empty.hidden = entries.length > 0;
    this.empty.textContent = words;
    if (focused && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  /** The id of the conversation so many places below (or above, if negative) that one. */
  beside(id, step) {
    const ids = this.#buttons().map((button) => button.dataset.id);
    return ids[Math.min(Math.max(ids.indexOf(id) + step, 0), ids.length - 1)];
  }

  focus() {
    (this.list.querySelector("[aria-current]") ?? this.#buttons()[0])?.focus();
  }

  #buttons() { return [...this.list.querySelectorAll("button")]; }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step || event.altKey) return;
    event.preventDefault();
    const buttons = this.#buttons();
    buttons[Math.min(Math.max(buttons.indexOf(document.activeElement) + step, 0), buttons.length - 1)]?.focus();
  }

  // An entry is made anew when something has changed in it; a row that shows this one is right.
  #row(entry, selected) {
    let row = this.rows.get(entry.id);
    if (!row) {
      const button = h("button", { type: "button", "data-testid": "conversation", "data-id": entry.id, onclick: () => this.choose(entry.id) });
      this.rows.set(entry.id, row = { button, element: h("li", {}, button) });
    }
    if (selected) row.button.setAttribute("aria-current", "true");
    else row.button.removeAttribute("aria-current");
    if (row.entry !== entry) {
      row.entry = entry;
      row.button.dataset.unread = entry.summary.unread;
      row.button.replaceChildren(...this.#content(entry));
    }
    return row.element;
  }

  #content({ name, typing, summary: { last, unread, waiting, over } }) {
    const text = typing ? "is typing…" : `${last?.from === "operator" ? `${last.name || "You"}: ` : ""}${last?.text ?? ""}`;
    return [
      h("span", { class: "name" }, name),
      last ? h("time", { datetime: new Date(last.at).toISOString(), title: timeOf(last.at) }, ago(last.at)) : null,
      h("span", { class: typing ? "snippet typed" : "snippet", dir: "auto" }, text.slice(0, 160)),
      unread ? h("span", { class: "badge" }, String(unread), h("span", { class: "aside" }, " unread")) : null,
      over ? h("span", { class: "tag" }, "ended") : waiting ? h("span", { class: "tag wait" }, Date.now() - waiting < 60000 ? "waiting" : `waiting ${ago(waiting)}`) : null,
    ].filter(Boolean);
  }
}
