import { countInTitle, soon } from "./dom.js";
import { Inbox, givenName, summarise } from "./inbox.js";
import { Room } from "./room.js";

const $ = (selector) => document.querySelector(selector);
const filters = [...document.querySelectorAll("[data-filter]")];
const phone = matchMedia("(max-width: 720px)");

/** What lies before an operator: the list of conversations and the one that is open, drawn from what the session holds. */
export class Desk {
  #session = null;
  #entries = new Map(); // what is known of each conversation, until something happens in it
  #seen = JSON.parse(sessionStorage.getItem("operator-seen") ?? "{}"); // when the latest message was written that was on the screen
  #ended = {}; // when the latest message was written, when it was ended
  #typing = {}; // the timer that ends "is typing"
  #filter = "all";

  constructor() {
    this.draw = soon(() => this.#session && this.#draw());
    this.inbox = new Inbox((conversation) => this.open(conversation));
    this.room = new Room($("#room"), {
      send: (text, conversation) => this.#session.send(text, conversation),
      typing: (conversation) => this.#session.typing(conversation),
      end: (conversation) => this.#session.end(conversation),
      back: () => this.#list(),
    });
    $("nav").append(this.inbox.element);
    for (const button of filters) button.addEventListener("click", () => this.#show(button.dataset.filter));
    document.addEventListener("keydown", (event) => this.#session && this.#key(event));
    document.addEventListener("visibilitychange", this.draw);
    setInterval(() => { this.#entries.clear(); this.draw(); }, 30000); // "4 min" becomes "5 min"
  }

  /** Works with this session from now on, or with none. */
  use(session) {
    this.#session = session;
    this.#entries.clear();
    if (!session) countInTitle(0);
    this.draw();
  }

  /** Something was written in a conversation, or its mark changed. */
  changed(conversation) {
    this.#entries.delete(conversation);
    this.draw();
  }

  /** The visitor is typing there, for 5 s; or not any more. */
  typing(conversation, on) {
    clearTimeout(this.#typing[conversation]);
    delete this.#typing[conversation];
    if (on) this.#typing[conversation] = setTimeout(() => this.typing(conversation, false), 5000);
    if (conversation === this.room.conversation) this.room.transcript.typing(on ? this.room.name : null);
    this.changed(conversation);
  }

  /** An operator closed it. A deployment repeats that to whoever comes back. */
  ended(conversation) {
    const at = this.#session.transcript(conversation).at(-1)?.at ?? 0;
    if (this.#ended[conversation] === at) return;
    this.#ended[conversation] = at;
    if (conversation === this.room.conversation) this.room.transcript.note("This conversation was ended.");
    this.changed(conversation);
  }

  /** Opens the conversation in which something could not be delivered, and says so there. */
  undelivered(why, message) {
    this.open(message.c);
    this.room.transcript.note(`Not delivered: “${message.text}” (${why})`);
  }

  open(conversation) {
    if (!conversation) return;
    document.body.dataset.view = "room";
    this.room.open(conversation);
    this.#draw();
    this.room.transcript.toEnd();
    if (!matchMedia("(pointer: coarse)").matches) this.room.composer.focus();
  }

  #entry(id) {
    let entry = this.#entries.get(id);
    if (!entry) {
      const messages = this.#session.transcript(id);
      entry = { id, name: givenName(messages) ?? `Visitor ${id.slice(0, 4)}`, messages, summary: summarise(messages, this.#seen[id], this.#ended[id]), typing: id in this.#typing };
      this.#entries.set(id, entry);
    }
    return entry;
  }

  #draw() {
    this.#read(this.room.conversation);
    const all = this.#session.conversations().map((id) => this.#entry(id));
    const waiting = all.filter(({ summary }) => summary.waiting);
    this.inbox.render(this.#filter === "all" ? all : waiting, this.room.conversation, all.length ? "Nobody is waiting." : "No conversations yet. They appear here by themselves.");
    const open = all.find(({ id }) => id === this.room.conversation);
    if (open) this.room.render(open);
    for (const button of filters) button.querySelector("span").textContent = button.dataset.filter === "all" ? all.length : waiting.length;
    const unread = all.reduce((sum, { summary }) => sum + summary.unread, 0);
    countInTitle(unread);
    $("link[rel=icon]").href = unread ? "/favicon-unread.svg" : "/favicon.svg";
  }

  // What is open is read, unless the page is hidden, or a phone shows the list.
  #read(conversation) {
    if (!conversation || document.hidden || (phone.matches && document.body.dataset.view === "list")) return;
    const latest = this.#entry(conversation).messages.at(-1)?.at ?? 0;
    if (latest <= (this.#seen[conversation] ?? 0)) return;
    this.#seen[conversation] = latest;
    sessionStorage.setItem("operator-seen", JSON.stringify(this.#seen));
    this.#entries.delete(conversation);
  }

  #list() {
    document.body.dataset.view = "list";
    this.inbox.focus();
  }

  #show(filter) {
    this.#filter = filter;
    for (const button of filters) button.setAttribute("aria-pressed", String(button.dataset.filter === filter));
    this.draw();
  }

  #key(event) {
    if (event.altKey && event.key === "ArrowDown") this.open(this.inbox.beside(this.room.conversation, 1));
    else if (event.altKey && event.key === "ArrowUp") this.open(this.inbox.beside(this.room.conversation, -1));
    else if (event.altKey && /^Digit[1-9]$/.test(event.code)) this.room.reply(Number(event.code.slice(5)) - 1);
    else if (event.key === "Escape") this.#list();
    else return;
    event.preventDefault();
  }
}
