import { listen } from "./events.js";

// Scheme and host: https: to a host may be allowed where wss: is not.
/** @param {string} url */
const hostOf = (url) => {
  try {
    const { protocol, host } = new URL(url);
    return protocol + host;
  } catch {}
};

/**
 * URLs that the page's Content-Security-Policy forbids. They are told from dead ones: a forbidden URL says nothing about its deployment, and trying
 * it again is of no use until the page is changed.
 * @param {(url: string) => void} tell once a host
 */
export function createBlocked(tell) {
  const hosts = new Set();
  return {
    has: (/** @type {string} */ url) => hosts.has(hostOf(url)),
    stop: listen({
      securitypolicyviolation({ blockedURI }) {
        const host = hostOf(blockedURI);
        if (!host || hosts.has(host)) return;
        hosts.add(host);
        tell(blockedURI);
      },
    }),
  };
}
