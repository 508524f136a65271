import { failure } from "./events.js";

/** How many messages and how many bytes may wait. */
const MESSAGES = 100;
const BYTES = 256 * 1024;
/** The longest text, in bytes. */
const TEXT = 8192;

/** @typedef {{c: string, n: number, text: string, at: number, sent: number, resolve?: (m: any) => void, reject?: (e: Error) => void}} Entry */

/**
 * What is not yet safe, in the order in which it was written. It is bounded, outlives a reload, and never drops anything silently: what can not be kept
 * is refused when it is put in.
 */
export class Outbox {
  /** @type {Entry[]} */
  entries = [];
  /** @type {Record<string, number>} the last n of each conversation */
  last = {};
  /** The visitor's conversation, so that a reload can say what it has. */
  c = "";

  /**
   * @param {Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined} storage
   * @param {string} name of the item
   */
  constructor(storage, name) {
    this.storage = storage;
    this.name = name;
    this.sender = "";
    this.load();
  }

  load() {
    try {
      const kept = JSON.parse(this.storage?.getItem(this.name) || "null");
      if (kept?.sender) {
        this.sender = kept.sender;
        this.c = kept.c;
        this.last = kept.last;
        this.entries = kept.box.map((/** @type {any} */ [c, n, text, at]) => ({ c, n, text, at, sent: 0 }));
      }
    } catch {
      // What another version wrote there is none of ours.
    }
  }

  /** Begins anew as another sender: what was kept belongs to the tab of which this one is a copy. @param {string} sender */
  restart(sender) {
    this.sender = sender;
    this.entries = [];
    this.last = {};
    this.save();
  }

  /** @throws {DOMException} QuotaExceededError when the storage is full */
  save() {
    const { sender, c, last } = this;
    const box = this.entries.map((e) => [e.c, e.n, e.text, e.at]);
    this.storage?.setItem(this.name, JSON.stringify({ sender, c, last, box }));
  }

  /**
   * @param {string} c @param {string} text @param {number} at
   * @returns {Entry}
   * @throws {TypeError} when the text is empty or too long @throws {DOMException} QuotaExceededError when it is full
   */
  put(c, text, at) {
    const size = bytes(text);
    if (typeof text != "string" || !text.trim() || size > TEXT) throw new TypeError("livens: want a text of 1 to 8192 bytes");
    const total = this.entries.reduce((sum, e) => sum + bytes(e.text), size);
    if (this.entries.length >= MESSAGES || total > BYTES) throw failure("QuotaExceededError", "too many messages wait");
    const entry = { c, n: (this.last[c] || 0) + 1, text, at, sent: 0 };
    this.last[c] = entry.n;
    this.entries.push(entry);
    try {
      this.save();
    } catch (error) {
      this.entries.pop();
      this.last[c]--;
      throw error;
    }
    return entry;
  }

  /** Takes out what is safe. @param {string} c @param {number} n up to this one @returns {Entry[]} */
  take(c, n) {
    const out = this.entries.filter((e) => e.c == c && e.n <= n);
    if (out.length) {
      this.entries = this.entries.filter((e) => !out.includes(e));
      this.save();
    }
    return out;
  }

  /** The visitor's conversation has got its id. @param {string} c */
  bind(c) {
    if (this.c == c) return;
    for (const e of this.entries) if (e.c == this.c) e.c = c;
    if (this.c in this.last) {
      this.last[c] = this.last[this.c];
      delete this.last[this.c];
    }
    this.c = c;
    this.save();
  }
}

/** @param {any} text */
function bytes(text) {
  return new TextEncoder().encode(text).length;
}
