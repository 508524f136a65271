/** @typedef {any} Frame */

/** The WebSocket subprotocol. */
export const PROTOCOL = "livens-chat.1";

/** @param {any} data @returns {Frame} an object, or an empty one for what is no frame */
export function parse(data) {
  try {
    const frame = JSON.parse(data);
    return frame && typeof frame == "object" ? frame : {};
  } catch {
    return {};
  }
}

/** @param {Frame} m @returns {boolean} whether this is a numbered message as a deployment sends it */
export function isMessage(m) {
  return !!m && isText(m.c) && isText(m.s) && isText(m.text) && Number.isSafeInteger(m.n) && m.n > 0 && Number.isFinite(m.at) && (m.from == "visitor" || m.from == "operator");
}

/** @param {any} have @returns {Record<string, number>} only what is well-formed of it */
export function vector(have) {
  return Object.fromEntries(Object.entries(have || {}).filter(([, n]) => Number.isSafeInteger(n)));
}

/** @param {any} text */
function isText(text) {
  return typeof text == "string" && text != "";
}

/** @param {number} bits @returns {string} random characters, base64url */
export function random(bits) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  return Array.from(crypto.getRandomValues(new Uint8Array(Math.ceil(bits / 6))), (b) => alphabet[b & 63]).join("");
}
