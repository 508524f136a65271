import { bytes } from "../events.js";

/** What one `put` may carry: messages, and bytes of JSON, which leave room below 64 KiB for the frame around them. */
const MESSAGES = 200;
const BYTES = 60000;

/**
 * Cuts messages into the lists of put frames, or whatever else has to fit into a frame.
 * @template T
 * @param {T[]} messages
 * @param {number} [most] how many go into one
 * @returns {T[][]}
 */
export function portions(messages, most = MESSAGES) {
  /** @type {T[][]} */
  const out = [];
  let room = 0;
  for (const message of messages) {
    const size = bytes(JSON.stringify(message)) + 1;
    if (size > room || out[0].length >= most) {
      out.unshift([]);
      room = BYTES;
    }
    out[0].push(message);
    room -= size;
  }
  return out.reverse();
}
