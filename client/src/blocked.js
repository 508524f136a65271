import { originOf } from "./options.js";

/**
 * Hears of URLs that the page's Content-Security-Policy forbids. They are told from dead ones: a forbidden URL says nothing about its deployment, and
 * trying it again is of no use until the page is changed.
 * @param {string[]} urls those that the page is configured with
 * @param {Set<string | undefined>} origins that are forbidden: they are added here
 * @param {(url: string) => void} tell once an origin of these
 * @returns {(violation: any) => void} a listener
 */
export const createBlocked = (urls, origins, tell) => ({ blockedURI, disposition }) => {
  const origin = originOf(blockedURI);
  // What is only reported is not forbidden.
  if (origins.has(origin) || disposition == "report") return;
  origins.add(origin);
  if (urls.some((url) => originOf(url) == origin)) tell(blockedURI);
};
