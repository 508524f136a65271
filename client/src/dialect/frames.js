import { isText } from "../options.js";

/** The WebSocket subprotocol. */
export const PROTOCOL = "livens-chat.1";

/** @param {any} data @returns {any} an object, or an empty one for what is no frame */
export function parse(data) {
  try {
    return JSON.parse(data) || {};
  } catch {
    return {};
  }
}

/** @param {any} m @returns {boolean} whether this is a numbered message as a deployment sends it */
export function isMessage({ c, s, n, from, at, text }) {
  return [c, s, text].every(isText) && n > 0 && Number.isSafeInteger(n) && Number.isFinite(at) && /^(visitor|operator)$/.test(from);
}

/** @param {any} have @param {string} s @returns {number} how far somebody has what a sender wrote */
export function upTo(have, s) {
  return have?.[s] | 0;
}

/** @param {number} length a multiple of 4 @returns {string} random characters of A-Z a-z 0-9 and _, almost 6 bits each */
export function random(length) {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array((length / 4) * 3)))).replace(/\W/g, "_");
}
