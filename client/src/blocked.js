/**
 * URLs that the page's Content-Security-Policy forbids. They are told from dead ones: a forbidden URL says nothing about its deployment, and trying it again
 * is of no use until the page is changed.
 */
export class Blocked {
  /** @type {Set<string>} */
  #hosts = new Set();
  #listener;

  /** @param {(url: string) => void} tell once a host */
  constructor(tell) {
    this.#listener = (/** @type {any} */ event) => {
      const host = hostOf(event.blockedURI);
      if (!host || !/^connect-src|^default-src/.test(event.effectiveDirective) || this.#hosts.has(host)) return;
      this.#hosts.add(host);
      tell(event.blockedURI);
    };
    globalThis.document?.addEventListener("securitypolicyviolation", this.#listener);
  }

  /** @param {string} url @returns {boolean} */
  has(url) {
    return this.#hosts.has(hostOf(url));
  }

  stop() {
    globalThis.document?.removeEventListener("securitypolicyviolation", this.#listener);
  }
}

// Scheme and host: https: to a Moderator may be allowed where wss: to the same host is not.
/** @param {string} url */
function hostOf(url) {
  try {
    const u = new URL(url);
    return u.protocol + u.host;
  } catch {
    return "";
  }
}
