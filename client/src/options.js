/** The defaults of {@link Timing}, in milliseconds. */
export const TIMING = {
  connect: 4000, welcome: 4000, ack: 2000, busy: 5000, idle: 20000, stagger: 1000, hedge: 300, moderator: 2000, direct: 120000, notice: 3000,
};

/**
 * Checks what a page is configured with, and fills in the times. A page that is wrong shall say so on its first load, not in the first failure.
 * @param {any} options as the page gave them
 * @returns {import("../livens-client").Options & {moderators: string[], timing: import("../livens-client").Timing}}
 * @throws {TypeError} naming the key that is wrong
 */
export function validate(options) {
  const { pool, url, deployments, moderators = [], timing = {} } = options || {};
  need(/^[\w.-]+$/.test(pool), "pool", "the pool's name at the Moderators");
  need(isURL(url, "ws"), "url", "a ws: or wss: URL");
  need(Array.isArray(deployments) && deployments.length, "deployments", "at least one");
  const ids = new Set();
  for (const d of deployments) {
    need(d && typeof d.id == "string" && d.id && !ids.has(d.id), "deployments", "each its own id");
    need(Array.isArray(d.urls) && d.urls.length && d.urls.every((/** @type {any} */ u) => isURL(u, "ws")), d.id, "urls: ws: or wss: URLs");
    ids.add(d.id);
  }
  need(Array.isArray(moderators) && moderators.every((m) => isURL(m, "http")), "moderators", "http: or https: origins");
  for (const [name, ms] of Object.entries(timing)) {
    need(name in TIMING && Number.isFinite(ms) && ms >= 0, "timing." + name, "milliseconds of " + Object.keys(TIMING));
  }
  return { ...options, moderators, timing: { ...TIMING, ...timing } };
}

/** @param {any} ok @param {string} key @param {string} hint */
function need(ok, key, hint) {
  if (!ok) throw new TypeError(`livens: ${key}: want ${hint}`);
}

/** @param {any} text @param {string} scheme ws or http, each also with s */
function isURL(text, scheme) {
  try {
    return new RegExp(`^${scheme}s?:$`).test(new URL(text).protocol);
  } catch {
    return false;
  }
}
