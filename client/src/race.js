import { createAlarm } from "./alarm.js";
import { createLink } from "./link.js";

/** @typedef {import("./link.js").Link} Link */
/** @typedef {{id: string | null, url: string}} Candidate */

/**
 * @typedef {object} Judge
 * @property {() => string | undefined} hello what is said first; undefined: an open connection has won
 * @property {(link: Link, event: any) => boolean} ready whether this frame makes the connection ready
 * @property {(link: Link, event: any) => void} won
 * @property {(link: Link, code: number) => void} failed a link came to nothing, or was silent (code 0) so long that others are tried
 * @property {() => Candidate[]} more what to try beside those that neither answer nor fail
 * @property {() => void} over all came to nothing
 * @property {(url: string) => boolean} scout whether to ask first whether anybody is there
 */

/**
 * Candidates tried one beside the other: the next starts after `stagger`, or at once when one fails. The first that is ready wins and the others
 * are closed. Connections that merely opened wait: only `hello` makes a session, so it is said to one at a time, and to the next only when
 * that one let `stagger` pass.
 * @param {Candidate[]} waiting
 * @param {string | string[] | undefined} protocols
 * @param {import("../livens-client").Timing} timing
 * @param {Judge} judge
 */
export function createRace(waiting, protocols, timing, judge) {
  /** @type {Map<Link, any>} each with its deadline */
  const running = new Map();
  /** @type {Link | undefined} */
  let greeted;
  let ended = false;

  /** Ends it: whatever is running is closed. */
  const stop = () => {
    ended = true;
    stagger();
    for (const link of [...running.keys()]) remove(link).close();
  };

  const remove = (/** @type {Link} */ link) => {
    clearTimeout(running.get(link));
    running.delete(link);
    return link;
  };

  const deadline = (/** @type {Link} */ link, /** @type {number} */ ms) => {
    clearTimeout(running.get(link));
    running.set(link, setTimeout(fail, ms, link, { code: 0 }));
  };

  const next = () => {
    stagger();
    if (ended) return;
    const candidate = waiting.shift();
    if (candidate) deadline(createLink(candidate, protocols, { opened, frame, down: fail }, judge.scout(candidate.url)), timing.connect);
    else if (!running.size) {
      ended = true;
      return judge.over();
    }
    stagger(timing.stagger);
  };

  // Who was silent for this long counts as failing for those that are asked next, and may still win.
  const stagger = createAlarm(() => {
    if (!waiting.length) waiting = judge.more().filter((c) => ![...running.keys()].some((link) => link.url == c.url));
    if (waiting.length || greeted) for (const link of running.keys()) if (!link.isOpen || link == greeted) judge.failed(link, 0);
    greeted = undefined;
    greet();
    next();
  });

  const opened = (/** @type {Link} */ link) => {
    deadline(link, timing.welcome);
    greet();
  };

  const greet = () => {
    for (const link of running.keys()) {
      if (greeted || ended || !link.isOpen || link.greeted) continue;
      const hello = judge.hello();
      if (hello === undefined) return win(link, null);
      greeted = link;
      link.greeted = true;
      link.send(hello);
      stagger(timing.stagger);
    }
  };

  const frame = (/** @type {Link} */ link, /** @type {any} */ event) => {
    if (judge.ready(link, event)) win(link, event);
  };

  const fail = (/** @type {Link} */ link, /** @type {{code: number}} */ { code }) => {
    remove(link).close();
    judge.failed(link, code);
    if (greeted == link) greeted = undefined;
    greet();
    next();
  };

  const win = (/** @type {Link} */ link, /** @type {any} */ event) => {
    remove(link);
    stop();
    judge.won(link, event);
  };

  /** Starts this one now, whatever is running: a Moderator or a deployment named it. @param {Candidate | undefined} candidate */
  const prefer = (candidate) => {
    if (!candidate || [...running.keys()].some((link) => link.id == candidate.id)) return;
    waiting = [candidate, ...waiting.filter((c) => c.url != candidate.url)];
    next();
  };

  next();
  return { stop, prefer };
}
