/**
 * Which URLs to try, in which order. Pure. Deployments take turns, so that the second attempt is at another data center and not at another name
 * of the same one. Those that are failing come last, yet are never left out: with all of them failing something must be tried.
 * @param {{url: string, deployments: {id: string, urls: string[]}[]}} options
 * @param {object} now
 * @param {string[]} [now.first] ids that are preferred, best first: what a Moderator said, or where one was last
 * @param {string[]} [now.tried] ids that fail
 * @param {boolean} [now.fresh] the first load: the service's DNS name comes first
 * @param {boolean} [now.direct] the browser's DNS cache is stale: leave the name out, unless nothing else is left
 * @param {(url: string) => boolean} [now.blocked] URLs that this page may not use
 * @returns {{id: string | null, url: string}[]} id is null for the service's name, which may lead to any
 */
export function candidates(options, { first = [], tried = [], fresh = false, direct = false, blocked = () => false }) {
  const place = (/** @type {string} */ id) => (tried.includes(id) ? 1e6 : 0) + (first.indexOf(id) + 1 || 1e3);
  const deployments = [...options.deployments].sort((a, b) => place(a.id) - place(b.id));
  /** @type {{id: string | null, url: string, turn?: number}[]} */
  const list = deployments.flatMap(({ id, urls }) => urls.map((url, turn) => ({ id, url, turn }))).sort((a, b) => /** @type {any} */ (a).turn - /** @type {any} */ (b).turn);
  const name = { id: null, url: options.url };
  if (fresh) list.unshift(name);
  else list.push(name);
  const fitting = list.filter((c) => c.id || !direct);
  // Better a stale name than nothing, and better what is blocked than nothing.
  return [fitting, list].map((some) => some.filter((c) => !blocked(c.url))).find((l) => l[0]) || fitting;
}
