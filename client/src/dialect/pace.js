/** What a deployment takes at once, and a second; less than that, so that two clocks may differ. */
const BURST = 18;
const RATE = 4.5;

/** Keeps what is sent below what a deployment calls a flood. */
export class Pace {
  #left = BURST;
  #at = Date.now();

  /** @returns {number} 0 when one may be sent now (and it is counted), else in how many milliseconds to ask again */
  wait() {
    const now = Date.now();
    this.#left = Math.min(BURST, this.#left + (Math.max(0, now - this.#at) / 1000) * RATE);
    this.#at = now;
    if (this.#left < 1) return Math.ceil(((1 - this.#left) / RATE) * 1000);
    this.#left--;
    return 0;
  }
}
