import { createAlarm } from "./alarm.js";

/** @typedef {import("./link.js").Link} Link */
/** @typedef {{id: string | null, url: string}} Candidate */

/**
 * @typedef {object} Judge
 * @property {() => string | undefined} greeting what is said first; undefined: an open connection has won
 * @property {(link: Link, event: any) => boolean} judge whether this frame makes the connection ready
 * @property {(link: Link, event: any) => void} won
 * @property {(link: Link, event: import("./link.js").Closing) => void} failed a link came to nothing, or was silent (no code) so long that others are tried
 * @property {() => Candidate[]} others what to try beside those that neither answer nor fail
 * @property {() => void} over all came to nothing
 */

/**
 * Candidates tried one beside the other: the next starts after `stagger`, or at once when one fails. The first that is ready wins and the others
 * are closed. Connections that merely opened wait: only `hello` makes a session, so it is said to one at a time, and to the next only when
 * that one let `stagger` pass.
 * @param {Candidate[]} waiting
 * @param {(candidate: Candidate, ends: import("./link.js").Ends) => any} dial
 * @param {{connect: number, stagger: number, welcome: number}} timing
 * @param {Judge} judge
 */
export function createRace(waiting, dial, timing, judge) {
  /** @type {Set<Link>} */
  const running = new Set();
  /** @type {Link | undefined} */
  let greeted;
  let ended = false;

  /** Ends it: whatever is running is closed. */
  const stop = () => {
    ended = true;
    stagger();
    for (const link of [...running]) remove(link).close();
  };

  const remove = (/** @type {Link} */ link) => {
    link.late();
    running.delete(link);
    return link;
  };

  const next = () => {
    // With nobody to try now, the next turn comes when it would have come.
    if (ended || (!waiting[0] && running.size)) return;
    const candidate = waiting.shift();
    if (candidate) {
      const link = dial(candidate, { opened, frame, down: fail });
      running.add(link);
      link.late = createAlarm(fail);
      link.late(timing.connect, link, {});
    } else {
      ended = true;
      stagger();
      return judge.over();
    }
    // The service's name, when it comes last, is one of these deployments once more: it takes nobody's turn.
    stagger(waiting[0] || candidate.id !== null ? timing.stagger : 0);
  };

  // Who was silent for this long counts as failing for those that are asked next, and may still win.
  const stagger = createAlarm(() => {
    stagger(timing.stagger);
    if (!waiting[0]) waiting = judge.others().filter((c) => ![...running].some((link) => link.url == c.url));
    if (waiting[0] || greeted) for (const link of running) if (!link.isOpen() || link == greeted) judge.failed(link, {});
    greeted = undefined;
    greet();
    next();
  });

  const opened = (/** @type {Link} */ link) => {
    link.late(timing.welcome, link, {});
    greet();
  };

  const greet = () => {
    for (const link of running) {
      if (greeted || ended || !link.isOpen() || link.greeted) continue;
      const hello = judge.greeting();
      link.greeted = true;
      if (hello === undefined) return win(link, null);
      greeted = link;
      link.send(hello);
      stagger(timing.stagger);
    }
  };

  const frame = (/** @type {Link} */ link, /** @type {any} */ event) => {
    if (judge.judge(link, event)) win(link, event);
  };

  const fail = (/** @type {Link} */ link, /** @type {import("./link.js").Closing} */ event) => {
    remove(link).close();
    judge.failed(link, event);
    if (greeted == link) greeted = undefined;
    greet();
    next();
  };

  const win = (/** @type {Link} */ link, /** @type {any} */ event) => {
    remove(link);
    stop();
    judge.won(link, event);
  };

  /** Starts this one now, whatever is running, or next: a Moderator or a deployment named it. @param {Candidate | undefined} candidate @param {boolean} [later] */
  const prefer = (candidate, later) => {
    if (!candidate || [...running].some((link) => link.id == candidate.id)) return;
    waiting = [candidate, ...waiting.filter((c) => c.url != candidate.url)];
    if (!later) next();
  };

  next();
  return { stop, prefer };
}
