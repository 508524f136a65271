/**
 * How long a message waits for those before it, in milliseconds: longer than it takes an operator who is reading to notice that a deployment is lost, and to
 * bring what only it had to the other.
 */
export const HOLD = 10000;

/** @typedef {import("../livens-client").Message} Message */
/** @typedef {ReturnType<typeof createTranscript>} Transcript */

/**
 * One conversation as this client holds it: each message once, a sender's own in the order in which they were written. Pure: the time is handed in.
 */
export function createTranscript() {
  /** Of each sender: the messages by n, up to which n they are whole, up to which they were shown, and since when the next is missing (0: it is not).
   * @type {Map<string, {held: Map<number, Message>, whole: number, shown: number, gap: number}>} */
  const senders = new Map();
  let latest = 0;

  /** @param {string} s @param {number} n */
  const get = (s, n) => senders.get(s)?.held.get(n);

  /**
   * Takes a message. Of one that is held already the earlier time counts; the time of an own one that is only being sent was a guess, so that
   * the first that a deployment tells replaces it: all who hold it place it alike then.
   * @param {Message} message @param {number} now 0 while waiting would be in vain, for nobody could send what is missing
   * @returns {Message[]} those that may be shown now, in order
   */
  const add = (message, now) => {
    const { s, n, at } = message;
    const own = senders.get(s) || { held: new Map(), whole: 0, shown: 0, gap: 0 };
    senders.set(s, own);
    const { held } = own;
    const known = held.get(n);
    if (known?.mark == "sending") known.at = at; // an echo is no acknowledgement
    else if (known) known.at = Math.min(known.at, at);
    else held.set(n, message);
    latest = Math.max(latest, at);
    if (known) return [];
    // What comes after its turn was given up is shown late rather than never.
    return n <= own.shown ? [message] : release(own, now);
  };

  /** @param {any} own @param {number} now @returns {Message[]} */
  const release = (own, now) => {
    const { held } = own;
    const out = [];
    for (;;) {
      const next = Math.min(...[...held.keys()].filter((n) => n > own.shown));
      if (next > own.shown + 1 && (next == Infinity || now - (own.gap ||= now) < HOLD)) return out;
      own.gap = 0;
      own.shown = next;
      out.push(held.get(next));
    }
  };

  return {
    get,
    add,

    /** When its latest message was stored. */
    latest: () => latest,

    /**
     * What may be shown now because it waited long enough.
     * @param {number} now
     * @param {boolean} [anew] the waiting begins now: what was sent meanwhile has just come
     * @returns {Message[]}
     */
    due: (now, anew) =>
      [...senders.values()].flatMap((own) => {
        if (anew) own.gap = 0;
        return release(own, now);
      }),

    /** When `due` is to be called next; Infinity when nothing waits. */
    wakes: () => Math.min(...[...senders.values()].map(({ gap }) => (gap ? gap + HOLD : Infinity))),

    /** @returns {Record<string, number>} for each sender the highest n up to which nothing is missing, nor only being sent */
    have: () =>
      Object.fromEntries(
        [...senders].map(([s, own]) => {
          while ((own.held.get(own.whole + 1)?.mark || "sending") != "sending") own.whole++;
          return [s, own.whole];
        }),
      ),

    /** @returns {Message[]} all, by time, then sender, then n; a sender's own always by n */
    all() {
      /** @type {{m: Message, at: number}[]} */
      const list = [];
      // Sorting by time leaves what is of one time in the order in which it was put here.
      for (const [, { held }] of [...senders].sort()) {
        let at = 0;
        for (const m of [...held.values()].sort((a, b) => a.n - b.n)) list.push({ m, at: (at = Math.max(at, m.at)) });
      }
      return list.sort((a, b) => a.at - b.at).map(({ m }) => m);
    },
  };
}
