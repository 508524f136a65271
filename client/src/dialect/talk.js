import { createAlarm } from "../alarm.js";
import { spread } from "../backoff.js";
import { attempt, failure } from "../events.js";
import { createLine } from "../line.js";
import { need } from "../options.js";
import { createOutbox } from "../outbox.js";
import { claim } from "../tab.js";
import { createTranscript } from "../transcript.js";
import { isMessage, parse, PROTOCOL, random, ROLE, upTo } from "./frames.js";
import { createPace } from "./pace.js";
import { portions } from "./push.js";

/** @typedef {import("../../livens-client").Message} Message */
/** @typedef {import("../link.js").Link} Link */
/** @typedef {import("../outbox.js").Entry} Entry */

/** What an acknowledgement says, each more than the one before. @type {Message["mark"][]} */
const MARKS = ["sending", "disk", "safe", "delivered"];
/** How long a visitor who was asked to go waits for its outbox; less than what deployments grant, in milliseconds. */
const PATIENCE = 8000;
/** The doubt of a deployment that does not acknowledge. */
const LATE = "no acknowledgement";
/** At most one sign of typing in this time, in milliseconds. */
const TYPING = 2000;

/**
 * The chat protocol over a line: numbers what is sent and keeps it until it is safe, takes what comes once and in order, and brings an
 * operator's copy to the deployment that takes over.
 * @param {import("../../livens-client").ChatOptions} options
 * @param {(type: string, detail: any) => void} emit
 */
export function createTalk(options, emit) {
  const { role, name = "", token } = options;
  need("role", ROLE.test(role));
  const visitor = role == "visitor";
  const line = createLine(options, PROTOCOL, dialect(), { eager: busy, begins: welcome, used, frame, emit: told, ended });
  /** @type {any} */
  const key = options.key || (visitor ? sharedKey("livens:" + options.pool) : undefined);
  // What a deployment would refuse for good is refused here.
  need(visitor ? "key" : "token", visitor ? key[21] : token);
  const outbox = createOutbox(options.storage || attempt(() => sessionStorage), ["livens", options.pool, role, key?.slice(0, 8)].join(":"));
  const pace = createPace();
  /** @type {Map<string, ReturnType<typeof createTranscript>>} */
  const chats = new Map();
  let operators = 0;
  /** What a deployment's clock is ahead of ours. */
  let ahead = 0;
  /** Whether the conversation was closed by the operator. */
  let over = false;
  let puts = 0;
  let typed = 0;
  /** What is to be acknowledged of which conversation. */
  const received = new Map();
  /** Conversations that were ended here, and no deployment has said so. */
  const ending = new Set();
  /** A switch that is told when its replay is over. @type {any} */
  let switched;
  /** A move that waits for the outbox. @type {any} */
  let leaving;
  const paced = createAlarm(flush);
  // The deployment is doubted when the oldest message that it was sent gets no acknowledgement.
  const unacknowledged = createAlarm((sent) => line.doubt(LATE, sent));
  // What waits behind a gap is shown when its time is over.
  const due = createAlarm(showDue);
  const going = createAlarm((step) => step());
  /** @type {(() => void) | undefined} */
  let giveBack;
  /** @type {() => void} */ let started;
  const start = new Promise((resolve) => (started = /** @type {any} */ (resolve)));

  if (outbox.sender) giveBack = claim(outbox.sender, begin);
  else queueMicrotask(begin); // the page listens by then

  /** @param {boolean | void} own whether what the storage holds is this tab's */
  function begin(own) {
    if (line.state == "closed") return;
    if (!own) {
      giveBack?.();
      outbox.restart(role[0] + "-" + random(16));
      giveBack = claim(outbox.sender, () => {});
    }
    for (const e of outbox.entries) take(message(e));
    line.open();
    started();
  }

  function dialect() {
    return {
      hello: (/** @type {any} */ context) => {
        const have = Object.fromEntries(portions(conversations().filter((c) => c).map((c) => [c, chat(c).have()]), Infinity)[0] || []);
        return JSON.stringify({ t: "hello", v: 1, role, key, token, name, sender: outbox.sender, have, ...context });
      },
      ready: (/** @type {any} */ data) => {
        const { t, deployment } = parse(data);
        return t == "welcome" && (deployment || true);
      },
      ping: (/** @type {number} */ ping) => JSON.stringify({ t: "ack", ping }),
      move: (/** @type {any} */ data) => {
        const move = parse(data);
        return move.t == "move" && move;
      },
    };
  }

  function busy() {
    return !visitor || outbox.entries[0] || (chats.size && !over);
  }

  /** @param {string} type @param {any} detail */
  function told(type, detail) {
    if (type != "switch") return emit(type, detail);
    tellSwitch();
    switched = detail;
  }

  function tellSwitch() {
    if (switched) emit("switch", switched);
    switched = undefined;
  }

  /** @param {Link} link @param {any} event */
  function welcome(link, { data }) {
    const w = parse(data);
    line.spread = w.spread;
    ahead = w.now - Date.now() || 0;
    presence(w.operators);
    if (visitor) bind(w.c);
    else push(link, w.have);
  }

  // Before the first welcome a visitor's conversation has no id; what was written meanwhile stands under "".
  /** @param {any} c */
  function bind(c) {
    if (!c || outbox.c) return;
    outbox.bind(c);
    const chat = chats.get("");
    if (!chat) return;
    chats.delete("");
    chats.set(c, chat);
    for (const m of chat.all()) m.c = c;
  }

  // The operator's copy is authoritative: what the deployment lacks of it goes there, but for what it is about to be sent anyway.
  /** @param {Link} link @param {any} have */
  function push(link, have) {
    for (const [c, chat] of chats) {
      const lacking = chat.all().filter((m) => m.n > upTo(have?.[c], m.s) && m.mark != "sending");
      for (const msgs of portions(lacking.map(({ c, mark, ...m }) => m))) {
        link.owes.add(++puts);
        say(link, { t: "put", c, id: puts, msgs });
      }
    }
  }

  // Whatever is not safe goes to the deployment that is new: it drops what it has, and acknowledges it.
  function used() {
    if (switched) switched.resent = outbox.entries.filter((e) => e.sent).length;
    for (const e of outbox.entries) e.sent = 0;
    flush();
    for (const c of ending) speak(c, { kind: "end" });
    if (line.inUse?.filled) complete();
  }

  /** @param {Link} link @param {any} event */
  function frame(link, { data }) {
    const f = parse(data);
    if (f.t == "msg") heard(f);
    if (f.t == "ack") acked(link, f);
    if (f.t == "move") asked(f);
    if (f.t == "synced") synced(link, f);
    // Also what was not answered while the link was doubted for something else.
    watch();
  }

  /** @param {Link} link @param {any} frame */
  function synced(link, { id }) {
    if (id) link.owes.delete(id);
    else {
      link.filled = true;
      if (link == line.inUse) complete();
    }
    if (link.filled && !link.owes.size) line.settle(link);
  }

  // Who is connected now has sent all that there was.
  function complete() {
    showDue(true);
    tellSwitch();
    acknowledge();
  }

  /** @param {any} m */
  function heard(m) {
    const { c, s, n, from, at, text, kind } = m;
    if (kind == "presence") return presence(m.operators);
    if (visitor && c != outbox.c) return;
    if (kind == "typing") emit(kind, { c, from });
    if (kind == "end") {
      over = true;
      ending.delete(c);
      emit(kind, { c });
    }
    if (kind || !isMessage(m)) return;
    over = false;
    const own = s == outbox.sender;
    const entry = own && outbox.entries.find((e) => e.c == c && e.n == n);
    // Another tab may be this sender: this one was frozen, or hidden away, when it was duplicated. Its numbers are taken.
    if (own && n > (outbox.last[c] || 0)) outbox.last[c] = n;
    // And the number of this one was: it takes the next. What was shown under it is now the other's.
    if (entry && entry.text != text) {
      held(entry).text = text;
      show(held(entry));
      outbox.take((e) => e == entry);
      write(c, entry.text, entry);
    }
    take({ c, s, n, from, name: String(m.name || ""), at, text, mark: from != role ? "delivered" : own && !entry ? "safe" : "disk" });
    if (own) return;
    received.set(c, { ...received.get(c), [s]: upTo(chat(c).have(), s) });
    acknowledge();
  }

  // A replay is acknowledged when it is over, once a conversation: deployments count frames.
  function acknowledge() {
    if (!line.inUse?.filled) return;
    for (const [c, have] of received) say(line.inUse, { t: "ack", c, have, by: role });
    received.clear();
  }

  /** @param {Message} m */
  function take(m) {
    if (switched && !chat(m.c).get(m.s, m.n)) switched.replayed++;
    chat(m.c).add(m, now()).forEach(show);
    wait();
  }

  /** @param {boolean} [anew] */
  function showDue(anew) {
    for (const chat of chats.values()) chat.due(now(), anew).forEach(show);
    wait();
  }

  /** @param {Message} m */
  function show(m) {
    emit("message", { ...m });
  }

  // Waiting is of use only while somebody is there who has sent all that there was.
  function now() {
    return line.inUse?.filled ? Date.now() : 0;
  }

  function wait() {
    due(now() ? Math.min(...[...chats.values()].map((chat) => chat.wakes())) - Date.now() : undefined);
  }

  /** @param {Link} link @param {any} frame */
  function acked(link, { ping, spread, c, have, by }) {
    if (ping >= 0) return say(link, { t: "ack", pong: ping });
    line.spread = spread ?? line.spread;
    const rank = by == (visitor ? "operator" : "visitor") ? 3 : MARKS.indexOf(by);
    const chat = chats.get(c);
    if (!chat) return;
    for (const s in have) {
      // Cumulative: those before one that is marked so far are, too.
      for (let n = upTo(have, s); n > 0; n--) {
        const m = chat.get(s, n);
        if (!m || m.from != role || MARKS.indexOf(m.mark) >= rank) break;
        m.mark = MARKS[rank];
        emit("mark", { ...m });
      }
    }
    if (rank > 1) outbox.take((e) => e.c == c && e.n <= upTo(have, outbox.sender)).forEach(settle);
    leave();
  }

  /** @param {Entry} e @returns {Message} */
  function held(e) {
    return /** @type {Message} */ (chat(e.c).get(outbox.sender, e.n));
  }

  /** @param {Entry} e */
  function settle(e) {
    e.resolve?.({ ...held(e) });
  }

  // In the order in which they were written, and no faster than a deployment takes it.
  function flush() {
    paced();
    for (const e of outbox.entries) {
      if (e.sent || !line.inUse) continue;
      const wait = pace();
      if (wait) {
        paced(wait);
        break;
      }
      e.sent = Date.now();
      speak(e.c, { n: e.n, text: e.text });
    }
    watch();
  }

  function watch() {
    const oldest = outbox.entries.find((e) => e.sent && held(e).mark == "sending");
    unacknowledged(oldest && oldest.sent + line.config.timing.ack - Date.now(), oldest?.sent);
    if (!oldest) line.trust(LATE);
  }

  // An operator goes at once, for the visitors need it there; a visitor when its turn has come and nothing is on its way.
  /** @param {any} move */
  function asked(move) {
    if (!visitor) return line.follow(move);
    leaving = undefined;
    going(spread(move.spread), () => {
      leaving = move;
      going(PATIENCE, () => leave(true));
      leave();
    });
  }

  /** @param {boolean} [late] whatever is on its way */
  function leave(late) {
    if (!leaving || (outbox.entries.length && !late)) return;
    going();
    line.follow(leaving);
    leaving = undefined;
  }

  /** @param {string} c @param {string} text @param {Pick<Entry, "resolve" | "reject">} ends */
  function write(c, text, { resolve, reject }) {
    const entry = outbox.put(c, text, Math.max(Date.now() + ahead, chat(c).latest() + 1));
    take(message(Object.assign(entry, { resolve, reject })));
    flush();
  }

  /** @param {any} n */
  function presence(n) {
    if (!(n >= 0) || n == operators) return;
    operators = n;
    emit("presence", { operators });
  }

  function conversations() {
    return [...chats].sort(([, a], [, b]) => b.latest() - a.latest()).map(([c]) => c);
  }

  /** @param {string} c */
  function chat(c) {
    let chat = chats.get(c);
    if (!chat) chats.set(c, (chat = createTranscript()));
    return chat;
  }

  /** @param {Entry} e @returns {Message} */
  function message({ c, n, text, at }) {
    return { c, s: outbox.sender, n, from: role, name, at, text, mark: "sending" };
  }

  /** @param {Link} link @param {any} frame */
  function say(link, frame) {
    link.send(JSON.stringify(frame));
  }

  /** @param {string} c @param {any} what */
  function speak(c, what) {
    if (line.inUse) say(line.inUse, { t: "msg", c, s: outbox.sender, ...what });
  }

  /** @param {any} event */
  function ended({ code }) {
    ending.add(code); // told in any case, also when nothing waits
    stop("refused: " + code);
  }

  /** @param {string} why */
  function stop(why) {
    for (const alarm of [paced, unacknowledged, due, going]) alarm();
    giveBack?.();
    if (ending.size) emit("drop", { why });
    for (const e of outbox.take(() => true)) {
      e.reject?.(failure("AbortError", why));
      emit("drop", { why, message: message(e) });
    }
  }

  return {
    get state() {
      return line.state;
    },
    get deployment() {
      return line.inUse?.id || null;
    },
    get operators() {
      return operators;
    },
    get conversation() {
      return outbox.c || null;
    },
    get pending() {
      return outbox.entries.length;
    },
    conversations,

    /** @param {string} [c] */
    transcript: (c = outbox.c) => (chats.get(c)?.all() || []).map((m) => ({ ...m })),

    /** @param {string} text @param {string} [to] a conversation, which an operator has to name @returns {Promise<Message>} */
    async send(text, to) {
      await start;
      if (line.state == "closed") throw failure("AbortError", "closed");
      const c = visitor ? outbox.c : to;
      need("conversation", c || visitor);
      over = false;
      ending.delete(c);
      return new Promise((resolve, reject) => write(/** @type {string} */ (c), text, { resolve, reject }));
    },

    /** @param {string} [c] */
    typing(c = outbox.c) {
      if (!line.inUse || Date.now() - typed < TYPING || pace()) return;
      typed = Date.now();
      speak(c, { kind: "typing" });
    },

    /** @param {string} c */
    end(c) {
      need("role", !visitor); // a deployment would refuse the session for good
      ending.add(c);
      speak(c, { kind: "end" });
    },

    close() {
      if (line.state == "closed") return;
      line.close();
      stop("closed");
      started();
    },
  };
}

/** @param {string} name @returns {string} the key that all tabs of this visitor share, unless the browser forbids storage */
function sharedKey(name) {
  const key = random(24);
  return attempt(() => (localStorage[name] ||= key)) || key;
}
