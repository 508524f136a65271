import { Link } from "./link.js";

/**
 * @typedef {object} Judge
 * @property {() => string | undefined} hello what is said first; undefined: an open connection has won
 * @property {(link: Link, event: any) => boolean} ready whether this frame makes the connection ready
 * @property {(link: Link, event: any) => void} won
 * @property {(link: Link, code: number) => void} failed a link came to nothing; code is that of its close, 0 for silence
 * @property {() => void} over all came to nothing
 */

/**
 * Candidates tried one beside the other: the next starts after `stagger`, or at once when one fails. The first that is ready wins and the others
 * are closed. Connections that merely opened wait: only `hello` makes a session, so it is said to one at a time, and to the next only when
 * that one let `stagger` pass.
 */
export class Race {
  #timing;
  #judge;
  #protocols;
  /** @type {{id: string | null, url: string}[]} */
  #waiting;
  /** @type {Map<Link, any>} each with its deadline */
  #running = new Map();
  /** @type {Link | null} */
  #greeted = null;
  /** @type {any} */
  #stagger;
  #ended = false;

  /**
   * @param {{id: string | null, url: string}[]} list
   * @param {string | string[] | undefined} protocols
   * @param {import("../livens-client").Timing} timing
   * @param {Judge} judge
   */
  constructor(list, protocols, timing, judge) {
    this.#waiting = [...list];
    this.#protocols = protocols;
    this.#timing = timing;
    this.#judge = judge;
    this.#next();
  }

  /** Starts this one now, whatever is running: a Moderator or a deployment named it. @param {{id: string | null, url: string}} candidate */
  prefer(candidate) {
    for (const link of this.#running.keys()) if (link.id == candidate.id) return;
    this.#waiting = [candidate, ...this.#waiting.filter((c) => c.url != candidate.url)];
    this.#next();
  }

  /** Ends it: whatever is running is closed. */
  stop() {
    this.#ended = true;
    clearTimeout(this.#stagger);
    for (const [link, deadline] of this.#running) {
      clearTimeout(deadline);
      link.close();
    }
    this.#running.clear();
  }

  #next() {
    clearTimeout(this.#stagger);
    if (this.#ended) return;
    const candidate = this.#waiting.shift();
    if (candidate) {
      const link = new Link(candidate, this.#protocols, {
        opened: (link) => this.#opened(link),
        frame: (link, event) => this.#judge.ready(link, event) && this.#win(link, event),
        down: (link, event) => this.#fail(link, event.code),
      });
      this.#deadline(link, this.#timing.connect);
    } else if (!this.#running.size) {
      this.#ended = true;
      return this.#judge.over();
    }
    this.#stagger = setTimeout(() => this.#stalled(), this.#timing.stagger);
  }

  // Who was silent for this long counts as failing for those that are asked next, and may still win.
  #stalled() {
    if (this.#greeted) {
      this.#judge.failed(this.#greeted, 0);
      this.#greeted = null;
      this.#greet();
    }
    if (this.#waiting.length) {
      for (const link of this.#running.keys()) this.#judge.failed(link, 0);
      this.#next();
    } else if (this.#running.size) this.#stagger = setTimeout(() => this.#stalled(), this.#timing.stagger);
  }

  /** @param {Link} link @param {number} ms */
  #deadline(link, ms) {
    clearTimeout(this.#running.get(link));
    this.#running.set(link, setTimeout(() => this.#fail(link, 0), ms));
  }

  /** @param {Link} link */
  #opened(link) {
    this.#deadline(link, this.#timing.welcome);
    this.#greet();
  }

  #greet() {
    if (this.#greeted) return;
    for (const link of this.#running.keys()) {
      if (!link.isOpen || link.greeted) continue;
      const hello = this.#judge.hello();
      if (hello === undefined) return this.#win(link, null);
      this.#greeted = link;
      link.greeted = true;
      return link.send(hello);
    }
  }

  /** @param {Link} link @param {number} code */
  #fail(link, code) {
    if (this.#ended) return;
    clearTimeout(this.#running.get(link));
    this.#running.delete(link);
    link.close();
    this.#judge.failed(link, code);
    if (this.#ended) return;
    if (this.#greeted == link) this.#greeted = null;
    this.#greet();
    this.#next();
  }

  /** @param {Link} link @param {any} event */
  #win(link, event) {
    clearTimeout(this.#running.get(link));
    this.#running.delete(link);
    this.stop();
    this.#judge.won(link, event);
  }
}
