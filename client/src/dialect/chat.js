import { spread } from "../backoff.js";
import { custom, failure } from "../events.js";
import { Line } from "../line.js";
import { Outbox } from "../outbox.js";
import { defend, isFree } from "../tab.js";
import { Transcript } from "../transcript.js";
import { isMessage, parse, PROTOCOL, random, vector } from "./frames.js";
import { Pace } from "./pace.js";
import { portions } from "./push.js";

/** @typedef {import("../../livens-client").Message} Message */
/** @typedef {import("../link.js").Link & {synced?: boolean, owes?: Set<number>}} Link */

/** What an acknowledgement says, each more than the one before. */
const MARKS = /** @type {const} */ (["sending", "disk", "safe", "delivered"]);
/** How long before a deployment cuts off who was asked to move a visitor goes though something is unsent, in milliseconds. */
const PATIENCE = 8000;
/** At most one sign of typing in this time, in milliseconds. */
const TYPING = 2000;

/** A chat as visitor or operator. See livens-client.d.ts. */
export class ChatSession extends EventTarget {
  /** How many operators are there. */
  operators = 0;
  #options;
  #line;
  #outbox;
  #key;
  /** @type {Map<string, Transcript>} */
  #chats = new Map();
  #pace = new Pace();
  /** What a deployment's clock is ahead of ours. */
  #ahead = 0;
  #ended = false;
  #puts = 0;
  #typed = 0;
  /** @type {any} a switch that is told when its replay is over */
  #switch = null;
  /** @type {any} a move that waits for the outbox */
  #leaving = null;
  /** @type {any} */ #paceTimer;
  /** @type {any} */ #ackTimer;
  /** @type {any} */ #dueTimer;
  /** @type {any} */ #leaveTimer;
  #undefend = () => {};
  /** @type {Promise<void> | null} until it is known which sender this tab is */
  #claim = null;

  /**
   * @param {import("../../livens-client").ChatOptions} options
   * @throws {TypeError} when the options are wrong
   */
  constructor(options) {
    super();
    this.#options = options;
    if (options?.role != "visitor" && options?.role != "operator") throw new TypeError("livens: role: want visitor or operator");
    this.#line = new Line(options, PROTOCOL, this.#dialect(), this.#host());
    const pool = options.pool;
    this.#key = options.key || (options.role == "visitor" ? sharedKey("livens:" + pool) : "");
    this.#outbox = new Outbox(options.storage || storageOf("sessionStorage"), ["livens", pool, options.role, this.#key.slice(0, 8)].join(":"));
    const { sender } = this.#outbox;
    if (sender) this.#claim = isFree(sender).then((free) => this.#begin(free));
    else this.#begin(false);
  }

  /** @param {boolean} free whether what the storage holds is this tab's own */
  #begin(free) {
    this.#claim = null;
    if (this.state == "closed") return;
    if (!free) this.#outbox.restart(this.#options.role[0] + "-" + random(96));
    this.#undefend = defend(this.#outbox.sender);
    for (const e of this.#outbox.entries) this.#take(this.#own(e), false);
    this.#line.open();
  }

  get state() {
    return this.#line.state;
  }
  get deployment() {
    return this.#line.active?.id ?? null;
  }
  get conversation() {
    return this.#outbox.c || null;
  }
  get pending() {
    return this.#outbox.entries.length;
  }

  /** @returns {string[]} ids of all conversations held, the one with the latest message first */
  conversations() {
    return [...this.#chats].sort(([, a], [, b]) => b.latest - a.latest).map(([c]) => c);
  }

  /** @param {string} [conversation] @returns {Message[]} copies, in order */
  transcript(conversation = this.#outbox.c) {
    return (this.#chats.get(conversation)?.all() || []).map((m) => ({ ...m }));
  }

  /**
   * @param {string} text
   * @param {string} [conversation] an operator names it
   * @returns {Promise<Message>} once the message is safe
   */
  async send(text, conversation) {
    await this.#claim;
    if (this.state == "closed") throw failure("AbortError", "closed");
    const visitor = this.#options.role == "visitor";
    if (!visitor && !conversation) throw new TypeError("livens: want a conversation");
    const c = visitor ? this.#outbox.c : /** @type {string} */ (conversation);
    const at = Math.max(Date.now() + this.#ahead, (this.#chats.get(c)?.latest || 0) + 1);
    const entry = this.#outbox.put(c, text, at);
    this.#ended = false;
    const safe = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
    this.#take(this.#own(entry));
    this.#flush();
    return safe;
  }

  /** Tells the other party that somebody is writing. @param {string} [conversation] */
  typing(conversation = this.#outbox.c) {
    if (Date.now() - this.#typed < TYPING || !this.#line.active || this.#pace.wait()) return;
    this.#typed = Date.now();
    this.#say(this.#line.active, { t: "msg", c: conversation, s: this.#outbox.sender, kind: "typing" });
  }

  /** Closes a conversation, as an operator. @param {string} conversation */
  end(conversation) {
    if (this.#line.active) this.#say(this.#line.active, { t: "msg", c: conversation, s: this.#outbox.sender, kind: "end" });
    else this.#emit("drop", { why: "not connected: the conversation was not closed" });
  }

  /** Ends the session. What is not safe yet is rejected. */
  close() {
    this.#stop("closed");
    this.#line.close(1000);
  }

  /** @param {string} why */
  #stop(why) {
    for (const timer of [this.#paceTimer, this.#ackTimer, this.#dueTimer, this.#leaveTimer]) clearTimeout(timer);
    this.#undefend();
    const { entries } = this.#outbox;
    this.#outbox.entries = [];
    this.#outbox.save();
    for (const e of entries) {
      e.reject?.(failure("AbortError", why));
      this.#emit("drop", { why, message: this.#own(e) });
    }
  }

  #dialect() {
    return {
      hello: (/** @type {any} */ context) => {
        const { role, name, token } = this.#options;
        const have = Object.fromEntries(this.conversations().filter((c) => c).slice(0, 500).map((c) => [c, this.#chat(c).have()]));
        return JSON.stringify({ t: "hello", v: 1, role, key: this.#key || undefined, token, name, sender: this.#outbox.sender, have, ...context });
      },
      ready: (/** @type {any} */ data) => {
        const frame = parse(data);
        return frame.t == "welcome" && (frame.deployment || true);
      },
      ping: (/** @type {number} */ ping) => JSON.stringify({ t: "ack", ping }),
      move: (/** @type {any} */ data) => {
        const frame = parse(data);
        return frame.t == "move" ? frame : null;
      },
    };
  }

  /** @returns {import("../line.js").Host} */
  #host() {
    return {
      settles: true,
      busy: () => this.#options.role == "operator" || this.pending > 0 || (!this.#ended && this.#chats.size > 0),
      state: (state) => this.#emit("state", state),
      blocked: (detail) => this.#emit("blocked", detail),
      notice: (detail) => this.#emit("reconnecting", detail),
      ready: (link, event) => this.#welcome(link, parse(event.data)),
      frame: (link, event) => this.#frame(link, parse(event.data)),
      switched: (detail) => this.#switched(detail),
      final: () => false,
      ended: ({ code }) => {
        this.#stop("refused: " + code);
        this.#emit("drop", { why: "refused: " + code });
      },
    };
  }

  /** @param {Link} link @param {any} w */
  #welcome(link, w) {
    this.#line.spread = w.spread;
    if (Number.isFinite(w.now)) this.#ahead = w.now - Date.now();
    this.#presence(w.operators);
    if (this.#options.role == "visitor") this.#bind(w.c);
    else this.#push(link, w.have || {});
    if (link == this.#line.active) this.#resend();
  }

  // Before the first welcome a visitor's conversation has no id; what was written meanwhile stands under "".
  /** @param {any} c */
  #bind(c) {
    if (typeof c != "string" || !c || this.#outbox.c) return;
    this.#outbox.bind(c);
    const chat = this.#chats.get("");
    if (!chat) return;
    this.#chats.delete("");
    this.#chats.set(c, chat);
    for (const m of chat.all()) m.c = c;
  }

  // The operator's copy is authoritative: what the deployment lacks of it goes there, but for what it is about to be sent anyway.
  /** @param {Link} link @param {any} have */
  #push(link, have) {
    link.owes = new Set();
    for (const [c, chat] of this.#chats) {
      const lacking = chat.beyond(vector(have[c])).filter((m) => m.mark != "sending");
      for (const part of portions(lacking.map(({ s, n, from, name, at, text }) => ({ s, n, from, name, at, text })))) {
        const id = ++this.#puts;
        link.owes.add(id);
        this.#say(link, { t: "put", c, id, msgs: part });
      }
    }
  }

  /** @returns {number} how many were sent before */
  #resend() {
    const again = this.#outbox.entries.filter((e) => e.sent).length;
    for (const e of this.#outbox.entries) e.sent = 0;
    this.#resent = again;
    this.#flush();
    return again;
  }
  #resent = 0;

  /** @param {any} detail */
  #switched(detail) {
    this.#tellSwitch();
    if (detail.planned) {
      this.#resend();
      this.#emit("switch", { ...detail, resent: this.#resent });
    } else this.#switch = { ...detail, resent: this.#resent };
  }

  #tellSwitch() {
    if (this.#switch) this.#emit("switch", this.#switch);
    this.#switch = null;
  }

  /** @param {Link} link @param {any} frame */
  #frame(link, frame) {
    const { t } = frame;
    if (t == "msg") this.#message(link, frame);
    else if (t == "ack") this.#acked(link, frame);
    else if (t == "move") this.#move(frame);
    else if (t == "synced") {
      if ("id" in frame) link.owes?.delete(frame.id);
      else {
        link.synced = true;
        if (link == this.#line.active) this.#tellSwitch();
      }
      if (link.synced && !link.owes?.size) this.#line.settle(link);
    }
  }

  /** @param {Link} link @param {any} m */
  #message(link, m) {
    if (m.kind == "presence") return this.#presence(m.operators);
    if (this.#options.role == "visitor" && m.c != this.#outbox.c) return;
    if (m.kind == "typing") return this.#emit("typing", { c: m.c, from: m.from });
    if (m.kind == "end") {
      this.#ended = true;
      return this.#emit("end", { c: m.c });
    }
    if (m.kind || !isMessage(m)) return;
    const { c, s, n, from, at, text } = m;
    const mark = from != this.#options.role ? "delivered" : this.#outbox.entries.some((e) => e.c == c && e.n == n && s == this.#outbox.sender) ? "disk" : "safe";
    this.#take({ c, s, n, from, name: String(m.name ?? ""), at, text, mark });
    if (s == this.#outbox.sender) return;
    this.#say(link, { t: "ack", c, have: { [s]: this.#chat(c).have()[s] || 0 }, by: this.#options.role });
  }

  /** @param {Message} message @param {boolean} [fresh] */
  #take(message, fresh = true) {
    const chat = this.#chat(message.c);
    if (this.#switch && !chat.get(message.s, message.n)) this.#switch.replayed++;
    if (fresh && message.mark != "sending") this.#ended = false;
    for (const m of chat.add(message, Date.now())) this.#emit("message", { ...m });
    this.#wait();
  }

  // What waits behind a gap is shown when its time is over.
  #wait() {
    clearTimeout(this.#dueTimer);
    const next = Math.min(...[...this.#chats.values()].map((chat) => chat.wakes));
    if (next == Infinity) return;
    this.#dueTimer = setTimeout(() => {
      for (const chat of this.#chats.values()) for (const m of chat.due(Date.now())) this.#emit("message", { ...m });
      this.#wait();
    }, Math.max(0, next - Date.now()));
  }

  /** @param {Link} link @param {any} frame */
  #acked(link, { ping, c, have, by }) {
    if (ping !== undefined) return this.#say(link, { t: "ack", pong: ping });
    const { role } = this.#options;
    const rank = by == (role == "visitor" ? "operator" : "visitor") ? 3 : MARKS.indexOf(by);
    const chat = this.#chats.get(c);
    if (!chat || rank < 1) return;
    for (const [s, n] of Object.entries(vector(have))) this.#mark(chat, s, n, rank);
    const n = vector(have)[this.#outbox.sender] || 0;
    if (rank > 1) for (const e of this.#outbox.take(c, n)) e.resolve?.({ ...chat.get(this.#outbox.sender, e.n) });
    this.#watchAcks();
    this.#leave();
  }

  /** @param {Transcript} chat @param {string} s @param {number} n @param {number} rank */
  #mark(chat, s, n, rank) {
    for (; n > 0; n--) {
      const m = chat.get(s, n);
      if (!m || m.from != this.#options.role || MARKS.indexOf(m.mark) >= rank) return;
      m.mark = MARKS[rank];
      this.#emit("mark", { ...m });
    }
  }

  // In the order in which they were written, and no faster than a deployment takes it.
  #flush() {
    clearTimeout(this.#paceTimer);
    for (const e of this.#outbox.entries) {
      if (e.sent) continue;
      const link = this.#line.active;
      if (!link) return;
      const wait = this.#pace.wait();
      if (wait) {
        this.#paceTimer = setTimeout(() => this.#flush(), wait);
        break;
      }
      e.sent = Date.now();
      this.#say(link, { t: "msg", c: e.c, s: this.#outbox.sender, n: e.n, text: e.text });
    }
    this.#watchAcks();
  }

  // The deployment is doubted when the oldest message that it was sent gets no acknowledgement.
  #watchAcks() {
    clearTimeout(this.#ackTimer);
    const oldest = this.#outbox.entries.find((e) => e.sent && this.#chat(e.c).get(this.#outbox.sender, e.n)?.mark == "sending");
    if (!oldest) return this.#line.trust("ack");
    const { sent } = oldest;
    this.#ackTimer = setTimeout(() => this.#line.doubt("ack", sent), Math.max(0, sent + this.#line.options.timing.ack - Date.now()));
  }

  // An operator goes at once, for the visitors need it there; a visitor when its turn has come and nothing is on its way.
  /** @param {any} move */
  #move(move) {
    if (this.#options.role == "operator") return this.#line.move(move);
    clearTimeout(this.#leaveTimer);
    this.#leaving = null;
    const wait = spread(move.spread);
    this.#leaveTimer = setTimeout(() => {
      this.#leaving = move;
      this.#leaveTimer = setTimeout(() => this.#leave(true), PATIENCE);
      this.#leave();
    }, wait);
  }

  /** @param {boolean} [now] whatever is on its way */
  #leave(now) {
    const move = this.#leaving;
    if (!move || (this.pending && !now)) return;
    clearTimeout(this.#leaveTimer);
    this.#leaving = null;
    this.#line.move(move);
  }

  /** @param {any} operators */
  #presence(operators) {
    if (!Number.isSafeInteger(operators) || operators == this.operators) return;
    this.operators = operators;
    this.#emit("presence", { operators });
  }

  /** @param {string} c @returns {Transcript} */
  #chat(c) {
    let chat = this.#chats.get(c);
    if (!chat) this.#chats.set(c, (chat = new Transcript()));
    return chat;
  }

  /** @param {import("../outbox.js").Entry} e @returns {Message} */
  #own({ c, n, text, at }) {
    return { c, s: this.#outbox.sender, n, from: this.#options.role, name: this.#options.name || "", at, text, mark: "sending" };
  }

  /** @param {Link} link @param {any} frame */
  #say(link, frame) {
    link.send(JSON.stringify(frame));
  }

  /** @param {string} type @param {any} detail */
  #emit(type, detail) {
    this.dispatchEvent(custom(type, detail));
  }
}

/** @param {"sessionStorage" | "localStorage"} name @returns {Storage | undefined} where the browser forbids it there is none */
function storageOf(name) {
  try {
    return globalThis[name];
  } catch {
    return undefined;
  }
}

/** @param {string} name @returns {string} the key that all tabs of this visitor share */
function sharedKey(name) {
  const storage = storageOf("localStorage");
  const key = random(132);
  try {
    if (!storage?.getItem(name)) storage?.setItem(name, key);
    return storage?.getItem(name) || key;
  } catch {
    return key;
  }
}
