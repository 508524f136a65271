/**
 * Asks whether the deployment is alive when it was silent for a heartbeat. Armed by whoever handles its messages: browsers slow down chains of
 * timers in hidden pages, and a timer that a message armed begins a new chain.
 */
export class Watchdog {
  #timing;
  #ends;
  /** @type {any} */
  #timer;
  #asked = 0;
  #late = false;
  #n = 0;

  /**
   * @param {import("../livens-client").Timing} timing
   * @param {{busy: () => boolean, ping: (n: number) => void, silent: (since: number) => void}} ends
   */
  constructor(timing, ends) {
    this.#timing = timing;
    this.#ends = ends;
  }

  /** The deployment spoke. */
  heard() {
    this.stop();
    this.#timer = setTimeout(() => this.probe(), this.#ends.busy() ? this.#timing.busy : this.#timing.idle);
  }

  /** Asks now, unless an answer is awaited already. */
  probe() {
    if (this.#asked) return;
    clearTimeout(this.#timer);
    this.#asked = Date.now();
    this.#ends.ping(++this.#n);
    this.#timer = setTimeout(() => this.#unanswered(), this.#timing.ack);
  }

  // A page that slept gets its timers before the messages that came meanwhile: the first late timer accuses nobody, and asks again.
  #unanswered() {
    const since = this.#asked;
    const late = !this.#late && Date.now() - since > this.#timing.ack + 1000;
    this.#asked = 0;
    if (late) {
      this.#late = true;
      this.probe();
    } else this.#ends.silent(since);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#asked = 0;
    this.#late = false;
  }
}
