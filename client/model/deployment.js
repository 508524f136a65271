import { Server } from "./network.js";

// A chat deployment as docs/client-protocol.md describes it, with what makes it misbehave: `faults` may hold
//   mute (never welcomes), noacks (answers heartbeats, and does nothing with messages, nor with later ones of the same connection), ackless (stores and echoes messages, and acknowledges none), lies (frames that no protocol knows).

export class Deployment extends Server {
  faults = new Set();
  /** @type {Map<string, Map<string, Map<number, any>>>} conversation → sender → n → message: the disk */
  disk = new Map();
  /** @type {Set<Session>} */
  sessions = new Set();
  /** @type {Deployment | null} the other one, over the link */
  other = null;
  linked = true;
  spread = 0;
  received = 0;

  /** @param {string} name @param {any} plant who is active, as this deployment learned it */
  constructor(name, plant) {
    super(name);
    this.plant = plant;
  }

  accept(socket, network) {
    return new Session(this, socket, network);
  }

  become(condition) {
    super.become(condition);
    if (condition == "dead") this.sessions.clear();
  }

  get active() {
    return this.plant.active == this.name;
  }

  /** Whether the link to the other deployment carries something now. */
  get reaches() {
    return [this, this.other].every((d) => d.linked && d.condition != "dead" && d.condition != "silent");
  }

  /** Moves everybody who is here. */
  moveAll(to, reason, spread = 0) {
    const sessions = [...this.sessions];
    for (const s of sessions) s.say({ t: "move", to, reason, epoch: this.plant.epoch, spread });
    setTimeout(() => sessions.forEach((s) => s.end(4001)), spread + 15000);
  }

  senders(c) {
    if (!this.disk.has(c)) this.disk.set(c, new Map());
    return this.disk.get(c);
  }

  have(c) {
    const out = {};
    for (const [s, own] of this.senders(c)) {
      let n = 0;
      while (own.has(n + 1)) n++;
      if (n) out[s] = n;
    }
    return out;
  }

  /**
   * Takes a message from a client, an operator's copy, or the link, and passes it to all who may see it, its sender too, which learns the time from it and
   * may have been reloaded and lack it. Returns whether it is new.
   */
  store(m) {
    const senders = this.senders(m.c);
    if (!senders.has(m.s)) senders.set(m.s, new Map());
    const own = senders.get(m.s);
    if (own.has(m.n)) return false;
    own.set(m.n, m);
    for (const s of this.sessions) if (s.in(m.c)) s.say(m);
    return true;
  }

  /** What came of one's own clients goes over the link; the follower's word that it is on its disk makes it safe. */
  relay(m) {
    if (!this.linked) return;
    setTimeout(() => {
      if (!this.reaches) return;
      this.other.store(m);
      setTimeout(() => this.reaches && this.tellSafe(m.c), 2);
    }, 2);
  }

  /** After the link was broken: both read what they missed. */
  catchUp() {
    if (!this.reaches) return;
    for (const [from, to] of [[this, this.other], [this.other, this]]) {
      for (const senders of from.disk.values()) for (const own of senders.values()) for (const n of [...own.keys()].sort((a, b) => a - b)) to.store(own.get(n));
    }
    for (const c of this.disk.keys()) {
      this.tellSafe(c);
      this.other.tellSafe(c);
    }
  }

  /** Acknowledges what both disks hold, or, while the other is known to be down, what this one holds. */
  tellSafe(c) {
    const mine = this.have(c);
    const safe = {};
    for (const [s, n] of Object.entries(mine)) {
      safe[s] = this.plant.knownDown.has(this.other.name) ? n : Math.min(n, this.other.have(c)[s] || 0);
    }
    this.acknowledge(c, safe, "safe");
  }

  acknowledge(c, have, by) {
    if (this.faults.has("ackless")) return;
    for (const s of this.sessions) if (s.in(c)) s.say({ t: "ack", c, have, by });
  }
}

class Session {
  who = null;
  c = "";
  stuck = false;

  constructor(deployment, socket, network) {
    this.deployment = deployment;
    this.socket = socket;
    this.network = network;
  }

  in(c) {
    return this.who && (this.who.role == "operator" || this.c == c);
  }

  say(frame) {
    this.socket.deliver(JSON.stringify(frame));
  }

  end(code, reason = "") {
    this.deployment.sessions.delete(this);
    this.network.carry(this.deployment, () => this.socket.closed(code, reason));
  }

  closed() {
    this.deployment.sessions.delete(this);
  }

  received(data) {
    const d = this.deployment;
    if (d.condition == "dead" || this.socket.readyState > 1) return;
    d.received++;
    const frame = JSON.parse(data);
    if (frame.t == "hello") this.hello(frame);
    else if (!this.who) this.end(4008);
    else if (frame.t == "msg") this.message(frame);
    else if (frame.t == "put") this.put(frame);
    else if (frame.t == "ack") this.ack(frame);
  }

  hello(hello) {
    const d = this.deployment;
    d.hellos = (d.hellos || []).concat(hello);
    if (d.faults.has("mute")) return;
    if (d.faults.has("lies")) for (const data of ["", "null", "{", '{"t":"msg"}', '[1]', '{"t":"welcome-not"}']) this.socket.deliver(data);
    const { plant } = d;
    if (hello.token === "wrong") return this.end(4003);
    if (!d.active && !hello.tried.includes(plant.active) && plant.heard !== false && !(hello.epoch > plant.epoch)) {
      this.say({ t: "move", to: plant.active, reason: "not active", epoch: plant.epoch });
      return this.end(4001);
    }
    this.who = hello;
    this.c = hello.role == "visitor" ? "c" + hello.key.slice(0, 12) : "";
    d.sessions.add(this);
    const named = new Set([...Object.keys(hello.have), ...(this.c ? [this.c] : d.disk.keys())]);
    const have = Object.fromEntries([...named].map((c) => [c, d.have(c)]));
    this.say({ t: "welcome", v: 1, deployment: d.name, c: this.c || undefined, have, operators: 1, now: this.network.clock.now, spread: d.spread, epoch: plant.epoch });
    for (const c of named) {
      for (const own of d.senders(c).values()) {
        for (const m of [...own.values()].sort((a, b) => a.n - b.n)) if (!(m.n <= hello.have[c]?.[m.s])) this.say(m);
      }
    }
    this.say({ t: "synced" });
    for (const c of named) if (d.reaches || plant.knownDown.has(d.other.name)) d.tellSafe(c);
  }

  message(frame) {
    const d = this.deployment;
    // What follows a message that was dropped would be out of order: no deployment takes it on the same connection, also when its disk goes on.
    if ((this.stuck ||= d.faults.has("noacks"))) return;
    if (frame.kind) {
      // An end comes back to the one who said it, too.
      for (const s of d.sessions) if ((s != this || frame.kind == "end") && s.in(frame.c)) s.say({ ...frame, from: this.who.role });
      return;
    }
    const c = this.c || frame.c;
    if (frame.s != this.who.sender || frame.c != c) return this.end(4003);
    const m = { t: "msg", c, s: frame.s, n: frame.n, from: this.who.role, name: this.who.name || "", at: this.network.clock.now, text: frame.text };
    d.store(m);
    d.acknowledge(c, d.have(c), "disk");
    d.relay(m);
    if (d.plant.knownDown.has(d.other.name)) d.tellSafe(c);
  }

  put(frame) {
    if (this.who.role != "operator") return this.end(4003);
    const d = this.deployment;
    for (const m of frame.msgs) d.store({ t: "msg", c: frame.c, ...m }) && d.relay({ t: "msg", c: frame.c, ...m });
    this.say({ t: "synced", id: frame.id });
  }

  ack(frame) {
    const d = this.deployment;
    if (frame.ping !== undefined) return this.say({ t: "ack", pong: frame.ping, spread: d.spread });
    if (frame.pong !== undefined) return void (this.pong = frame.pong);
    if (d.faults.has("ackless")) return;
    for (const s of d.sessions) if (s != this && s.in(frame.c)) s.say(frame);
    if (d.reaches) setTimeout(() => d.reaches && [...d.other.sessions].forEach((s) => s.in(frame.c) && s.say(frame)), 2);
  }
}
