// The page of the drills: it chats as its address says, and tells the drill what happens, and when. What the drill counts
// is seen here from outside: sockets by watching WebSocket, messages by what was said and what was shown.

const plan = JSON.parse(decodeURIComponent(location.hash.slice(1)));

/** Milliseconds since 1970 by a clock that never jumps, the same for all pages of a browser. */
const now = () => performance.timeOrigin + performance.now();

const tell = (kind, more) => globalThis.drillTell(JSON.stringify({ kind, at: now(), ...more }));

let sockets = 0;

// A socket counts as ready from its welcome until either side closes it.
globalThis.WebSocket = class extends WebSocket {
  #id = ++sockets;

  constructor(url, protocols) {
    super(url, protocols);
    tell("dialled", { id: this.#id, url: String(url) });
    this.addEventListener("close", (e) => tell("closed", { id: this.#id, code: e.code }));
    const welcomed = (e) => {
      if (typeof e.data !== "string" || !e.data.includes('"t":"welcome"')) return;
      this.removeEventListener("message", welcomed);
      tell("ready", { id: this.#id, url: this.url });
    };
    this.addEventListener("message", welcomed);
  }

  close(...args) {
    tell("closed", { id: this.#id, code: args[0] ?? 1005 });
    super.close(...args);
  }
};

/** Random numbers in [0, 1) that a seed repeats. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Keeps what a chat stores apart from that of others in the same tab. */
function storage(prefix) {
  return {
    getItem: (key) => sessionStorage.getItem(prefix + key),
    setItem: (key, text) => sessionStorage.setItem(prefix + key, text),
    removeItem: (key) => sessionStorage.removeItem(prefix + key),
  };
}

/** The next number of what a chat says in a conversation; a reload does not begin again. */
function next(line) {
  const n = Number(sessionStorage.getItem("drill " + line) ?? 0) + 1;
  sessionStorage.setItem("drill " + line, n);
  return n;
}

class Speaker {
  constructor(ChatSession, { name, own, chat }) {
    this.name = name;
    this.turn = 0;
    this.chat = new ChatSession(own ? { ...chat, storage: storage(name) } : chat);
    this.chat.addEventListener("message", ({ detail: m }) => {
      if (m.from !== chat.role) tell("got", { who: name, text: m.text, c: m.c });
    });
    for (const kind of ["switch", "drop", "blocked", "reconnecting", "state"]) {
      this.chat.addEventListener(kind, ({ detail }) => tell(kind, { who: name, detail }));
    }
  }

  /** Says the next thing; whatever is said is told before it is handed on. */
  say(c) {
    const line = c ? `${this.name}/${c.slice(0, 8)}` : this.name;
    const text = `${line} ${next(line)}`;
    tell("said", { who: this.name, text });
    this.chat.send(text, c).then(
      () => tell("safe", { who: this.name, text }),
      (e) => tell("refused", { who: this.name, text, why: e.name }),
    );
  }

  /** Says something: a visitor in its conversation, an operator in one after the other. */
  round() {
    if (this.chat.pending > 80) return; // a full outbox refuses, which is another drill
    if (plan.role === "visitor") return this.say();
    const all = this.chat.conversations().sort();
    if (all.length) this.say(all[this.turn++ % all.length]);
  }
}

const drill = {
  speakers: [],
  talking: plan.talk,

  get pending() {
    return this.speakers.reduce((sum, s) => sum + s.chat.pending, 0);
  },

  /** What every chat holds: name, conversation, texts in order. */
  transcripts() {
    return this.speakers.flatMap(({ name, chat }) =>
      chat.conversations().map((c) => ({ name, c, texts: chat.transcript(c).map((m) => m.text), marks: chat.transcript(c).map((m) => m.mark) })));
  },

  round() {
    for (const s of this.speakers) s.round();
  },

  /** Talks on, with pauses between least and most milliseconds. */
  talk(chance) {
    setTimeout(() => {
      if (this.talking) this.round();
      this.talk(chance);
    }, plan.least + chance() * (plan.most - plan.least));
  },
};
globalThis.drill = drill;

for (const kind of ["pagehide", "pageshow", "freeze", "resume", "online", "offline"]) {
  addEventListener(kind, (e) => tell(kind, { persisted: e.persisted }), true);
}
for (const kind of ["freeze", "resume", "visibilitychange"]) {
  document.addEventListener(kind, () => tell(kind, { why: document.visibilityState }));
}
addEventListener("error", (e) => tell("error", { why: e.message }));
addEventListener("unhandledrejection", (e) => tell("error", { why: String(e.reason) }));

tell("load", {});
import("/livens-client.mjs").then(({ ChatSession }) => {
  tell("begun", {});
  drill.speakers = plan.speakers.map((s) => new Speaker(ChatSession, s));
  drill.talk(random(plan.seed));
}, (e) => tell("error", { why: String(e) }));
