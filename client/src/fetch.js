import { candidates } from "./candidates.js";
import { plain } from "./link.js";
import { createModerator } from "./moderator.js";
import { validate } from "./options.js";

/** @type {Map<string, ReturnType<typeof createModerator>>} one a pool, so that a second call goes where the first was told to */
const known = new Map();

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
  const moderator = known.get(valid.pool) || createModerator(valid);
  known.set(valid.pool, moderator);
  moderator.ask();
  const word = moderator.known();
  /** @type {any} */
  let last;
  for (const { url } of candidates(valid, { first: word && [word.active, ...word.order], fresh: true })) {
    const stop = new AbortController();
    const abort = () => stop.abort();
    const timer = setTimeout(abort, valid.timing.connect);
    init.signal?.addEventListener("abort", abort);
    try {
      init.signal?.throwIfAborted();
      last = await fetch(new URL(path, plain(url)), { ...init, signal: stop.signal });
      if (![502, 503, 504].includes(last.status)) break;
    } catch (error) {
      if (init.signal?.aborted) throw error;
    } finally {
      clearTimeout(timer);
    }
  }
  if (last) return last;
  throw new TypeError("livens: no deployment answered");
}
