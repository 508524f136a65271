import { plain } from "./link.js";
import { need } from "./options.js";
import { createRoute } from "./route.js";

/** What was learned, by configuration. @type {Map<string, ReturnType<typeof createRoute>>} */
const routes = new Map();

/**
 * fetch at the service's name, then at the active deployment and the others, each at its own origin (those of its WebSocket URLs); after a failure by
 * direct URLs only, those that failed last. Each may take the time of a connect. What may safely be repeated, GET and HEAD, is tried at the next beside
 * one that is slow; all else only after it failed, which is no proof that it was not carried out.
 * @param {import("../livens-client").Options} options
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<Response>} the first answer that is not 502, 503 or 504; else the last of these
 * @throws {TypeError} when nobody answers @throws {DOMException} AbortError
 */
export async function failoverFetch(options, path, init = {}) {
  need("path", path);
  const key = JSON.stringify(options);
  const route = routes.get(key) || createRoute(options);
  routes.set(key, route);
  const { failed, config: { timing } } = route;
  const { signal } = init;
  signal?.throwIfAborted();
  route.advice.ask();
  const fresh = !route.isDirect();
  if (fresh) {
    failed.clear();
    route.reset();
  }
  /** @type {any} */
  let last;
  for (const candidate of route.list(fresh)) {
    const stop = new AbortController();
    const abort = () => stop.abort();
    const timer = setTimeout(abort, timing.connect);
    signal?.addEventListener("abort", abort);
    let good;
    try {
      last = await fetch(new URL(path, plain(candidate.url)), { ...init, signal: stop.signal });
      good = !/50[2-4]/.test(last.status);
    } catch {}
    clearTimeout(timer);
    if (good) break;
    signal?.throwIfAborted();
    route.fail(candidate);
  }
  need("nobody", last);
  return last;
}
