// The chat button and its panel, for any page:
//
//   <script src="https://chat.example.com/livens.js" defer></script>   (or what `livens snippet` prints)
//   <script src="https://chat.example.com/widget.js" type="module"></script>
//   <livens-chat heading="Alderlight" greeting="Hello!" answer-by="ten o'clock tomorrow"></livens-chat>
//
// What it connects to (Options of livens-client) is in a <script type="application/json"> inside the element, else in the
// snippet's livensConfig, else where its attribute `config` says, else in client.json beside this file. `--livens-accent`
// colours it. It lives in an open shadow root: the page's styles do not reach it, nor its own the page. `session` is its
// ChatSession, once there is one. A link to #livens-chat opens it.
import { h, countInTitle, soon } from "./dom.js";
import { Panel } from "./panel.js";

const kept = "livens-widget";

class LivensChat extends HTMLElement {
  session = null;
  #over = 0; // when the latest message was written, when the conversation was closed
  #draw = soon(() => this.session && this.#show());
  #known = recall(); // started: has written before; name; seen: when the latest message was written that was on the screen

  connectedCallback() {
    if (this.shadowRoot) return;
    this.panel = new Panel({
      heading: this.getAttribute("heading") || "Chat",
      greeting: this.getAttribute("greeting") || "Hello! How can we help?",
      name: this.#known.name ?? "",
    }, { open: () => this.#opened(), send: (text) => this.#send(text), typing: () => this.session?.typing(), rename: (name) => this.#rename(name) });
    const styles = ["chat.css", "widget.css"].map((file) => h("link", { rel: "stylesheet", href: new URL(file, import.meta.url).href }));
    this.attachShadow({ mode: "open" }).append(...styles, ...this.panel.elements);
    document.addEventListener("visibilitychange", this.#draw);
    document.addEventListener("click", (event) => this.#link(event));
    // Whoever has a conversation is told of an answer without opening the panel; nobody else costs a connection.
    if (this.#known.started) this.#connect().catch(() => {});
  }

  #link(event) {
    if (!event.target.closest?.('a[href="#livens-chat"]')) return;
    event.preventDefault();
    this.panel.open();
  }

  #opened() {
    if (this.session) this.#draw();
    else this.#connect().catch(() => {});
  }

  /** Says what the visitor writes; the panel is usable before anything is connected. */
  async #send(text) {
    if (!this.session) await this.#connect();
    this.#keep({ started: true });
    return this.session.send(text);
  }

  // A session says its name once. Before the first message nothing is lost by beginning another.
  #rename(name) {
    this.#keep({ name });
    if (!this.session || this.#known.started) return;
    this.session.close();
    this.#connect().catch(() => {});
  }

  #connect() {
    return this.connecting ??= this.#begin().finally(() => this.connecting = null);
  }

  async #begin() {
    const { panel } = this;
    panel.strip(panel.notice);
    try {
      const options = await this.#options();
      this.session = new livens.ChatSession({ ...options, role: "visitor", name: this.#known.name });
      this.#listen(this.session);
      this.#state();
      this.#draw();
    } catch (error) {
      console.error("livens-chat:", error);
      panel.strip(panel.notice, "The chat can not be reached right now.", "Try again", () => this.#opened());
      throw error;
    }
  }

  async #options() {
    const inline = this.querySelector('script[type="application/json"]');
    if (inline) return JSON.parse(inline.textContent);
    if (globalThis.livensConfig) {
      await livensReady;
      return livensConfig;
    }
    const reply = await fetch(this.getAttribute("config") || new URL("client.json", import.meta.url)).catch(String);
    if (!reply.ok) throw new Error(`no configuration: ${reply.status ?? reply}`);
    return reply.json();
  }

  #listen(session) {
    const { panel } = this;
    const on = (type, act) => session.addEventListener(type, (event) => session === this.session && act(event.detail));
    for (const type of ["message", "mark"]) on(type, () => this.#draw());
    on("message", (message) => message.from === "operator" && panel.transcript.typing(null));
    on("typing", ({ from }) => from === "operator" && panel.transcript.typing(session.transcript().findLast((m) => m.from === "operator")?.name || this.getAttribute("heading") || "Somebody"));
    for (const type of ["state", "presence"]) on(type, () => this.#state());
    on("reconnecting", () => this.#reconnecting());
    on("switch", (change) => this.#switched(change));
    on("end", () => this.#ended());
    on("drop", ({ why, message }) => message ? this.#note(`Not delivered: “${message.text}” (${why})`) : console.warn(`livens-chat: ${why}`));
    on("blocked", ({ url, why }) => console.warn(`livens-chat: ${url} is blocked on this page: ${why}`));
  }

  #state() {
    const { panel, session } = this;
    const { state, operators } = session;
    panel.status.dataset.state = state;
    panel.status.dataset.deployment = session.deployment ?? "";
    if (state === "live") {
      panel.status.textContent = operators ? "We are here to help" : "Leave us a message";
      panel.strip(panel.notice);
      const by = this.getAttribute("answer-by");
      panel.strip(panel.offline, operators ? null : `Nobody is at the desk right now. Leave a message: we answer ${by ? `by ${by}` : "as soon as we are back"}, here in this chat.`);
    } else if (state === "closed") {
      panel.status.textContent = "Not available right now";
      panel.strip(panel.notice, "The chat was closed.", "Connect again", () => this.#connect().catch(() => {}));
    } else if (state === "connecting") {
      panel.status.textContent = "Connecting…";
    }
    panel.status.dataset.operators = operators;
  }

  // Only after `notice`: a short gap is nobody's business.
  #reconnecting() {
    const { panel, session } = this;
    if (session.state === "connecting") return panel.strip(panel.notice, "Connecting takes longer than usual. You can write already; it will be sent.");
    panel.status.textContent = "Reconnecting…";
    panel.strip(panel.notice, "We are reconnecting. You can go on writing; nothing is lost.");
  }

  #switched({ to, gap, reason, planned, resent }) {
    Object.assign(this.panel.status.dataset, { deployment: to, gap, reason, planned, resent, switches: Number(this.panel.status.dataset.switches) + 1 });
  }

  // A deployment repeats it to whoever comes back; to say it again would betray a switch.
  #ended() {
    const at = this.session.transcript().at(-1)?.at;
    if (at !== this.#over) this.#note("This conversation was closed. Write again and it goes on here.");
    this.#over = at;
  }

  #note(text) {
    this.panel.transcript.note(text);
    this.#draw();
  }

  #show() {
    const messages = this.session.transcript();
    this.panel.nameRow.hidden = messages.length > 0;
    this.panel.transcript.render(messages);
    if (this.panel.isOpen && !document.hidden && messages.length) this.#keep({ seen: messages.at(-1).at });
    const unread = messages.filter(({ from, at }) => from === "operator" && at > (this.#known.seen ?? 0)).length;
    this.panel.unread(unread);
    countInTitle(unread);
  }

  #keep(news) {
    Object.assign(this.#known, news);
    try {
      localStorage.setItem(kept, JSON.stringify(this.#known));
    } catch {
      // Storage that is full or forbidden costs the visitor's name after a reload, not the chat.
    }
  }
}

function recall() {
  try {
    return JSON.parse(localStorage.getItem(kept)) ?? {};
  } catch {
    return {};
  }
}

customElements.define("livens-chat", LivensChat);
