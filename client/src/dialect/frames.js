import { attempt } from "../events.js";
import { isText } from "../options.js";

/** The WebSocket subprotocol. */
export const PROTOCOL = "livens-chat.1";

export const ROLE = /^(visitor|operator)$/;

/** @param {any} data @returns {any} an object, or an empty one for what is no frame */
export function parse(data) {
  return attempt(() => JSON.parse(data)) || {};
}

/** @param {any} m @returns {boolean} whether this is a numbered message as a deployment sends it */
export function isMessage({ c, s, n, from, at, text }) {
  return [c, s, text].every(isText) && n > 0 && Number.isSafeInteger(n) && Number.isFinite(at) && ROLE.test(from);
}

/** @param {any} have @param {string} s @returns {number} how far somebody has what a sender wrote */
export function upTo(have, s) {
  return have?.[s] | 0;
}

/** @param {number} length @returns {string} so many random bytes, each as one or two of the characters 0-9 a-z */
export function random(length) {
  return [...crypto.getRandomValues(new Uint8Array(length))].map((byte) => byte.toString(36)).join("");
}
