/**
 * @typedef {object} Ends what a link tells to whoever holds it
 * @property {(link: Link) => void} [opened]
 * @property {(link: Link, event: any) => void} frame
 * @property {(link: Link, event: {code: number, reason: string, wasClean?: boolean}) => void} down once, and nothing after it
 */

/** One WebSocket to one URL. A closed one is silent: what a page let go can not disturb it. */
export class Link {
  /**
   * @param {{id: string | null, url: string}} candidate
   * @param {string | string[] | undefined} protocols
   * @param {Ends} ends may be replaced when the link changes hands
   */
  constructor({ id, url }, protocols, ends) {
    this.id = id;
    this.url = url;
    this.ends = ends;
    this.isOpen = false;
    /** Whether hello was said on it. */
    this.greeted = false;
    this.gone = false;
    this.heard = Date.now();
    /** @type {any} */
    this.ws = null;
    try {
      this.ws = new WebSocket(url, protocols);
    } catch {
      // Mixed content, or an old browser's way to say that the CSP forbids it.
      queueMicrotask(() => this.#down({ code: 1006, reason: "" }));
      return;
    }
    this.ws.onopen = () => {
      this.isOpen = true;
      this.heard = Date.now();
      this.ends.opened?.(this);
    };
    this.ws.onmessage = (/** @type {any} */ event) => {
      this.heard = Date.now();
      this.ends.frame(this, event);
    };
    this.ws.onclose = (/** @type {any} */ event) => this.#down(event);
  }

  /** @param {any} event */
  #down(event) {
    if (this.gone) return;
    this.#silence();
    this.ends.down(this, event);
  }

  #silence() {
    this.gone = true;
    this.isOpen = false;
    if (this.ws) this.ws.onopen = this.ws.onmessage = this.ws.onclose = null;
  }

  /** @param {any} data */
  send(data) {
    if (this.isOpen && this.ws.readyState == 1) this.ws.send(data);
  }

  /** Lets it go without a word to its holder. @param {number} [code] @param {string} [reason] */
  close(code, reason) {
    if (this.gone) return;
    this.#silence();
    if (this.ws) this.ws.close(code, reason);
  }
}
