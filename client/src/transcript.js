/** How long a message waits for those before it, in milliseconds. */
export const HOLD = 5000;

/** @typedef {import("../livens-client").Message} Message */

/**
 * One conversation as this client holds it: each message once, a sender's own in the order in which they were written. Pure, but for the time
 * that is handed in.
 */
export class Transcript {
  /** @type {Map<string, Map<number, Message>>} */
  #senders = new Map();
  /** @type {Map<string, number>} up to which n a sender's messages were shown */
  #shown = new Map();
  /** @type {Map<string, number>} since when a sender's next message is missing */
  #gaps = new Map();
  /** @type {Map<string, number>} */
  #whole = new Map();
  /** When its latest message was stored. */
  latest = 0;

  /** @param {string} s @param {number} n @returns {Message | undefined} */
  get(s, n) {
    return this.#senders.get(s)?.get(n);
  }

  /**
   * Takes a message. One that is held already changes nothing, except that the earlier time counts.
   * @param {Message} message @param {number} now
   * @returns {Message[]} those that may be shown now, in order
   */
  add(message, now) {
    const { s, n, at } = message;
    if (!this.#senders.has(s)) this.#senders.set(s, new Map());
    const own = /** @type {Map<number, Message>} */ (this.#senders.get(s));
    const held = own.get(n);
    if (held) {
      held.at = Math.min(held.at, at);
      return [];
    }
    own.set(n, message);
    this.latest = Math.max(this.latest, at);
    let whole = this.#whole.get(s) || 0;
    while (own.has(whole + 1)) whole++;
    this.#whole.set(s, whole);
    // What comes after its turn was given up is shown late rather than never.
    if (n <= (this.#shown.get(s) || 0)) return [message];
    return this.#release(s, now);
  }

  /** What may be shown now because it waited long enough. @param {number} now @returns {Message[]} */
  due(now) {
    return [...this.#gaps.keys()].flatMap((s) => this.#release(s, now));
  }

  /** When `due` is to be called next; Infinity when nothing waits. */
  get wakes() {
    return Math.min(...[...this.#gaps.values()].map((since) => since + HOLD));
  }

  /** @param {string} s @param {number} now */
  #release(s, now) {
    const own = /** @type {Map<number, Message>} */ (this.#senders.get(s));
    const out = [];
    let shown = this.#shown.get(s) || 0;
    for (;;) {
      const message = own.get(shown + 1);
      if (message) {
        out.push(message);
        shown++;
        this.#gaps.delete(s);
        continue;
      }
      const beyond = [...own.keys()].filter((n) => n > shown);
      if (!beyond.length) break;
      const since = this.#gaps.get(s) ?? now;
      this.#gaps.set(s, since);
      if (now - since < HOLD) break;
      shown = Math.min(...beyond) - 1;
    }
    this.#shown.set(s, shown);
    return out;
  }

  /** @returns {Record<string, number>} for each sender the highest n up to which nothing is missing */
  have() {
    return Object.fromEntries([...this.#whole].filter(([, n]) => n));
  }

  /**
   * @param {Record<string, number>} have what somebody holds
   * @returns {Message[]} what is held here beyond it, each sender's in order
   */
  beyond(have) {
    return this.all().filter((m) => !(m.n <= have[m.s]));
  }

  /** @returns {Message[]} all, by time, then sender, then n; a sender's own always by n */
  all() {
    const list = [];
    for (const own of this.#senders.values()) {
      let at = 0;
      for (const n of [...own.keys()].sort((a, b) => a - b)) {
        const message = /** @type {Message} */ (own.get(n));
        list.push({ message, at: (at = Math.max(at, message.at)) });
      }
    }
    list.sort((a, b) => a.at - b.at || (a.message.s < b.message.s ? -1 : +(a.message.s > b.message.s)) || a.message.n - b.message.n);
    return list.map((entry) => entry.message);
  }
}
