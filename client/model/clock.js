// A clock that moves only when a test says so. It stands in for setTimeout, clearTimeout and Date.now of the code under test.

const real = { setTimeout, clearTimeout, setImmediate, now: Date.now };

export class Clock {
  now = 1_795_653_000_000;
  #timers = new Map();
  #id = 0;

  install() {
    globalThis.setTimeout = /** @type {any} */ ((f, ms = 0, ...args) => {
      this.#timers.set(++this.#id, { at: this.now + Math.max(0, ms), f, args });
      return this.#id;
    });
    globalThis.clearTimeout = /** @type {any} */ ((id) => this.#timers.delete(id));
    Date.now = () => Math.floor(this.now);
    return this;
  }

  uninstall() {
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    Date.now = real.now;
  }

  /** How many timers wait. */
  get size() {
    return this.#timers.size;
  }

  /** Lets everything happen that is due within this time, in order. */
  async run(ms) {
    const end = this.now + ms;
    await settle();
    for (;;) {
      let due = null;
      for (const [id, t] of this.#timers) if (t.at <= end && (!due || t.at < due.t.at)) due = { id, t };
      if (!due) break;
      this.#timers.delete(due.id);
      this.now = Math.max(this.now, due.t.at);
      due.t.f(...due.t.args);
      await settle();
    }
    this.now = end;
  }

  /** Runs until something is so; fails the test when it is not within a minute. */
  async until(what, limit = 60000) {
    const began = this.now;
    while (!what()) {
      if (this.now - began > limit) throw new Error("not within " + limit + " ms: " + what);
      await this.run(5);
    }
    return this.now - began;
  }

  /** The page sleeps: time goes on, timers do not. */
  sleep(ms) {
    this.now += ms;
  }
}

// A real turn of the event loop: all promises that can settle have done so.
function settle() {
  return new Promise((resolve) => real.setImmediate(resolve));
}
