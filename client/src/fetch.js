import { candidates } from "./candidates.js";
import { Moderator } from "./moderator.js";
import { validate } from "./options.js";

/** @type {Map<string, Moderator>} one a pool, so that a second call need not ask again */
const moderators = new Map();

/**
 * fetch at the active deployment, then at the others, each at its own origin (those of its WebSocket URLs). Only for requests that may be repeated:
 * one that was not answered may have been carried out.
 * @param {import("../livens-client").Options} options
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<Response>} the first answer that is not 502, 503 or 504; else the last of these
 * @throws {TypeError} when nobody answers @throws {DOMException} AbortError
 */
export async function failoverFetch(options, path, init = {}) {
  const valid = validate(options);
  const key = valid.pool + valid.moderators;
  const moderator = moderators.get(key) || new Moderator(valid);
  moderators.set(key, moderator);
  if (!moderator.known) moderator.ask();
  const word = moderator.known;
  const list = candidates(valid, { first: word ? [word.active, ...word.order] : [], fresh: true });
  /** @type {any} */
  let last;
  for (const { url } of list) {
    try {
      const reply = await patient(new URL(path, url.replace(/^ws/, "http")).href, init, valid.timing.connect);
      if (![502, 503, 504].includes(reply.status)) return reply;
      last = reply;
    } catch (error) {
      if (init.signal?.aborted) throw error;
      last ||= error;
    }
  }
  if (last instanceof Response) return last;
  throw new TypeError("livens: no deployment answered");
}

/** @param {string} url @param {RequestInit} init @param {number} ms until the answer begins */
async function patient(url, init, ms) {
  const own = new AbortController();
  const stop = () => own.abort();
  const timer = setTimeout(stop, ms);
  init.signal?.addEventListener("abort", stop);
  try {
    return await fetch(url, { ...init, signal: own.signal });
  } finally {
    clearTimeout(timer);
  }
}
