/** How long a Moderator's word counts, in milliseconds. */
const MEMORY = 60000;

/**
 * What the Moderators say. Nobody waits for it: whoever asks goes on with what is known, and is told when there is news.
 */
export class Moderator {
  /** @param {ReturnType<import("./options.js").validate>} options */
  constructor(options) {
    this.options = options;
    this.origins = [...options.moderators];
    /** @type {{active: string, order: string[], epoch: number, at: number} | null} */
    this.word = null;
    /** @type {Promise<boolean> | null} */
    this.asking = null;
  }

  /** The word that still counts, or null. */
  get known() {
    return this.word && Date.now() - this.word.at < MEMORY ? this.word : null;
  }

  /**
   * Takes a word, of a Moderator or of a deployment that says `move`, unless it names a stranger or a newer word is known.
   * @param {any} word @returns {boolean} whether it was taken
   */
  hear(word) {
    const ids = this.options.deployments.map((d) => d.id);
    const epoch = word && word.epoch;
    if (!Number.isSafeInteger(epoch) || epoch < 0 || !ids.includes(word.active) || (this.known && epoch < this.known.epoch)) return false;
    const order = Array.isArray(word.order) ? word.order.filter((/** @type {any} */ id) => ids.includes(id)) : [];
    this.word = { active: word.active, order, epoch, at: Date.now() };
    return true;
  }

  /**
   * Asks one, and each further one after `hedge` or a failure. The first good answer counts.
   * @returns {Promise<boolean>} whether one answered; never rejects
   */
  ask() {
    return (this.asking ||= this.#hedged().finally(() => (this.asking = null)));
  }

  /** @returns {Promise<boolean>} */
  #hedged() {
    const { hedge, moderator } = this.options.timing;
    const stop = new AbortController();
    return new Promise((resolve) => {
      let left = this.origins.length;
      let next = 0;
      /** @type {any} */
      let timer;
      const end = (/** @type {boolean} */ answered) => {
        clearTimeout(timer);
        stop.abort();
        resolve(answered);
      };
      const one = () => {
        clearTimeout(timer);
        const origin = this.origins[next++];
        if (!origin) return;
        timer = setTimeout(one, hedge);
        this.#one(origin, stop.signal, moderator).then(
          () => {
            // Who answered is asked first from now on.
            this.origins.sort((a, b) => +(b == origin) - +(a == origin));
            end(true);
          },
          () => (--left ? one() : end(false)),
        );
      };
      if (left) one();
      else end(false);
    });
  }

  /** @param {string} origin @param {AbortSignal} signal @param {number} patience */
  async #one(origin, signal, patience) {
    const own = new AbortController();
    const stop = () => own.abort();
    signal.addEventListener("abort", stop);
    const timer = setTimeout(stop, patience);
    try {
      const url = new URL("/v1/pools/" + this.options.pool, origin).href;
      const reply = await fetch(url, { signal: own.signal, credentials: "omit", cache: "no-store" });
      const word = reply.ok && (await reply.json());
      if (!word || word.pool != this.options.pool || !this.hear(word)) throw 0;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }
}
