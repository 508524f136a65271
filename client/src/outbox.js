import { attempt, bytes, failure } from "./events.js";
import { isText, need } from "./options.js";

/** How many messages and how many bytes may wait. */
const MESSAGES = 100;
const BYTES = 256 * 1024;
/** The longest text, in bytes. */
const TEXT = 8192;

/** @typedef {{c: string, n: number, text: string, at: number, sent: number, resolve?: (m: any) => void, reject?: (e: Error) => void}} Entry */

/**
 * What is not yet safe, in the order in which it was written. It is bounded, outlives a reload, and never drops anything silently: what can not be kept
 * is refused when it is put in.
 * @param {Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined} storage
 * @param {string} name of the item
 */
export function createOutbox(storage, name) {
  const box = {
    /** Who this tab is. */
    sender: "",
    /** The visitor's conversation; "" until a deployment has told it. */
    c: "",
    /** The last n of each conversation. @type {Record<string, number>} */
    last: {},
    /** @type {Entry[]} */
    entries: [],

    /** Begins anew as another sender: what was kept belongs to the tab of which this one is a copy. @param {string} sender */
    restart(sender) {
      Object.assign(box, { sender, last: {}, entries: [] });
      save();
    },

    /**
     * @param {string} c @param {string} text @param {number} at
     * @returns {Entry}
     * @throws {TypeError} when the text is empty or too long @throws {DOMException} QuotaExceededError when it is full, or the storage is
     */
    put(c, text, at) {
      const size = bytes(text);
      need("text", isText(text) && text.trim() && size <= TEXT);
      const full = box.entries.length >= MESSAGES || box.entries.reduce((sum, e) => sum + bytes(e.text), size) > BYTES;
      const n = (box.last[c] || 0) + 1;
      const entry = { c, n, text, at, sent: 0 };
      box.entries.push(entry);
      box.last[c] = n;
      if (full || !save()) {
        box.entries.pop();
        box.last[c]--;
        throw failure("QuotaExceededError", "full");
      }
      return entry;
    },

    /** Takes out what is safe. @param {(e: Entry) => any} safe @returns {Entry[]} */
    take(safe) {
      const out = box.entries.filter(safe);
      if (out[0]) {
        box.entries = box.entries.filter((e) => !out.includes(e));
        save();
      }
      return out;
    },

    /** The visitor's conversation has got its id. @param {string} c */
    bind(c) {
      for (const e of box.entries) e.c = c;
      if (box.last[""]) box.last = { [c]: box.last[""] };
      box.c = c;
      save();
    },
  };

  // Whether it could be kept; where there is no storage, memory has to do.
  // JSON leaves functions out.
  const save = () =>
    attempt(() => {
      storage?.setItem(name, JSON.stringify(box));
      return true;
    });

  // What is no JSON is none of ours.
  return Object.assign(box, /** @type {{}} */ (attempt(() => JSON.parse(/** @type {any} */ (storage?.getItem(name))))));
}
