import { listen } from "./events.js";
import { originOf } from "./options.js";

/**
 * URLs that the page's Content-Security-Policy forbids. They are told from dead ones: a forbidden URL says nothing about its deployment, and trying
 * it again is of no use until the page is changed.
 * @param {string[]} urls those that the page is configured with
 * @param {(url: string) => void} tell once an origin of these
 */
export function createBlocked(urls, tell) {
  const origins = new Set();
  return {
    has: (/** @type {string} */ url) => origins.has(originOf(url)),
    stop: listen({
      securitypolicyviolation({ blockedURI, disposition }) {
        const origin = originOf(blockedURI);
        // What is only reported is not forbidden.
        if (origins.has(origin) || disposition == "report") return;
        origins.add(origin);
        if (urls.some((url) => originOf(url) == origin)) tell(blockedURI);
      },
    }),
  };
}
