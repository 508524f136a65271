import { createAlarm } from "./alarm.js";
import { createBlocked } from "./blocked.js";
import { backoff, spread } from "./backoff.js";
import { createLink, plain } from "./link.js";
import { createRace } from "./race.js";
import { createRoute } from "./route.js";
import { listen } from "./events.js";
import { createWatchdog } from "./watchdog.js";

/** @typedef {import("./link.js").Link} Link */
/** @typedef {{to: string, reason: string, epoch: number}} Move */
/** @typedef {"silent" | "no acknowledgement"} Doubt what an active link did not do */
/** @typedef {import("./link.js").Closing} Closing */

/**
 * @typedef {object} Host who uses a line
 * @property {() => any} eager whether a user would notice a delay
 * @property {(link: Link, event: any) => void} begins a link is ready (event: the frame that made it so, or null); more frames of it follow. A planned move is over when the host calls settle
 * @property {() => void} [used] another link is in use now
 * @property {(link: Link, event: any) => void} frame
 * @property {(type: string, detail: any) => void} emit what the page is told: state, switch, blocked, reconnecting
 * @property {(code: number) => boolean} [final] whether a close with this code is meant
 * @property {(event: Closing) => void} ended
 */

/**
 * A connection to whichever deployment serves: the one place that knows which link is in use, which is in doubt and what is tried beside it.
 * Once begun, either `inUse` is a ready link, or a race for one is on, or a timer stands that begins the next race.
 * @param {any} options not yet validated
 * @param {string | string[] | undefined} protocols
 * @param {any} dialect a Dialect, or undefined: an open connection is ready then
 * @param {Host} host
 */
export function createLine(options, protocols, dialect, host) {
  const route = createRoute(options);
  const { config, advice: moderator, failed, tried, list } = route;
  const { timing, deployments } = config;
  /** @type {ReturnType<typeof createRace> | undefined} */
  let race;
  /** What the active link is doubted for. @type {Doubt | undefined} */
  let doubted;
  /** The planned move that is on. @type {Move | undefined} */
  let moving;
  let round = 0;
  /** When the present gap began, and why. */
  let since = 0;
  let reason = "";
  /** When deployments complained about our frames, the latest first. @type {number[]} */
  const complaints = [];
  /** @type {(() => void) | undefined} */
  let unlisten;
  const retry = createAlarm((next) => next());
  const notice = createAlarm(() => {
    setState("reconnecting");
    host.emit("reconnecting", { since });
  });

  const line = {
    /** In use. @type {Link | undefined} */
    inUse: undefined,
    /** Ready, and not yet in use: a planned move is on. @type {Link | undefined} */
    next: undefined,
    /** @type {import("../livens-client").State} */
    state: "connecting",
    /** Over which time a deployment wants a crowd's return spread. */
    spread: 0,
    config,
    open,
    check,
    doubt,
    trust,
    follow: move,
    settle,
    close,
  };

  const securitypolicyviolation = createBlocked([config.url, ...deployments.flatMap((d) => d.urls)], route.shunned, (url) => host.emit("blocked", { url, why: "csp" }));
  const watchdog = createWatchdog(timing, host.eager, (n) => line.inUse?.send(dialect?.ping(n)), (at) => doubt("silent", at));

  /** Begins. */
  function open() {
    // The page may have slept, or the network may be another one.
    unlisten = listen({ online: check, pageshow: check, resume: check, visibilitychange: check, securitypolicyviolation });
    miss(Date.now(), "");
    seek();
  }

  /**
   * Asks now whether the deployment is alive.
   * @param {any} [seeks] whether to try now as well, without a link or with one in doubt: the network may be another one
   */
  function check(seeks) {
    dialect && watchdog.check();
    !seeks || race || (line.inUse && !doubted) || line.state == "closed" || seek();
  }

  /**
   * SUSPECT: others are tried beside the active link, which is kept until one of them is ready.
   * @param {Doubt} why @param {number} at when what was not answered was sent
   */
  function doubt(why, at) {
    if (!line.inUse || doubted) return;
    // What was to be left anyway is left now, and it was no planned move.
    if (line.next) return use(line.next, { reason: why, gap: Date.now() - at, planned: false });
    doubted = why;
    miss(at, why);
    route.fail(line.inUse);
    seek();
  }

  /** The active link did what it was doubted for. @param {Doubt} why */
  function trust(why) {
    if (!line.inUse || doubted != why) return;
    failed.clear();
    calm();
    setState("live");
    if (moving) attach();
  }

  // Nothing is sought any more.
  function calm() {
    doubted = undefined;
    round = 0;
    halt();
    notice();
    watchdog.heard();
  }

  function halt() {
    race?.stop();
    race = undefined;
    retry();
  }

  // One round: every deployment is tried. The Moderators are asked meanwhile; what is known is enough to begin.
  function seek() {
    halt();
    const known = route.home || round;
    moderator.ask().then(() => {
      const id = moderator.known()?.active;
      // On the first load the service's name leads there too, unless it is slow.
      if (id && !tried().includes(id)) prefer(id, !known);
    });
    run(list(!known), adopt, () => {
      race = undefined;
      retry(backoff(++round, host.eager()), seek);
    });
  }

  /** @param {import("./race.js").Candidate[]} list @param {(link: Link, event: any) => void} won @param {() => void} over */
  function run(list, won, over) {
    // No request that is forbidden tells who is there.
    const dial = (/** @type {import("./race.js").Candidate} */ c, /** @type {any} */ ends) => createLink(c, protocols, ends, round > 0 && !route.shuns(plain(c.url)));
    race = createRace(list, dial, timing, {
      greeting: () => dialect?.hello({ tried: tried(), epoch: moderator.known()?.epoch || 0 }),
      judge: ready,
      won,
      over,
      failed: lost,
      others: () => (host.eager() && (doubted || !moving) ? candidatesAgain() : []),
    });
  }

  function candidatesAgain() {
    round++;
    return list();
  }

  /** @param {string} id @param {boolean} [later] when its turn comes, and not beside what is tried */
  function prefer(id, later) {
    // A move ends where one is already.
    if (id == line.inUse?.id && !doubted) moving = undefined;
    else race?.prefer(list().find((c) => c.id == id), later);
  }

  /** @param {Link} link @param {any} event */
  function ready(link, { data }) {
    const id = dialect.ready(data);
    if (id) {
      if (deployments.some((d) => d.id == id)) link.id = id;
      return true;
    }
    // Refused, not failed: whoever is named is tried now, unless that was in vain already.
    const move = dialect.move?.(data);
    if (move && moderator.hear(move.to, move.epoch) && !tried().includes(move.to)) prefer(move.to);
    return false;
  }

  /** @param {Link} link @param {Closing} event */
  function lost(link, event) {
    const code = /** @type {number} */ (event.code);
    if (code == 4008 && link.greeted) complaints.unshift(Date.now());
    const refused = code == 4003 || host.final?.(code);
    // Beside a link that is in use it is the other deployment that is wrong.
    if (complaints[0] - complaints[2] < 60000 || (refused && !line.inUse)) {
      close();
      return host.ended(event);
    }
    route.fail(link, code);
  }

  /** @param {Link} link @param {any} event */
  function adopt(link, event) {
    const gap = Date.now() - since;
    link.id ||= moderator.known()?.active || deployments[0].id;
    use(link, { reason, gap, planned: false }, event);
  }

  /** The planned move is over: the new link is in use, the old one goes. @param {Link} link */
  function settle(link) {
    if (link == line.next) use(link, { reason: moving?.reason, gap: 0, planned: true });
  }

  /** @param {Link} link @param {any} detail of the switch @param {any} [event] that made it ready, unless the host was told */
  function use(link, detail, event) {
    const { inUse, next } = line;
    const from = route.home;
    line.inUse = link;
    line.next = moving = undefined;
    route.home = link.id;
    failed.clear();
    hold(link);
    calm();
    setState("live");
    inUse?.close(1000);
    if (next != link) {
      next?.close(1000);
      host.begins(link, event);
    }
    if (from) host.emit("switch", { from, to: link.id, ...detail, resent: 0, replayed: 0 });
    host.used?.();
  }

  /** @param {Link} link */
  function hold(link) {
    link.ends = {
      frame(link, event) {
        if (link == line.inUse) {
          watchdog.heard();
          trust("silent");
        }
        host.frame(link, event);
      },
      down,
    };
  }

  /** @param {Link} link @param {Closing} event */
  function down(link, event) {
    if (link == line.next) {
      line.next = undefined;
      route.fail(link);
      return doubted || moveLater();
    }
    line.inUse = undefined;
    watchdog.stop();
    if (!doubted) miss(Date.now(), event.reason || "closed " + event.code);
    lost(link, event);
    if (line.state == "closed") return;
    if (line.next) return settle(line.next);
    moving = undefined;
    setState("reconnecting");
    const racing = doubted;
    doubted = undefined;
    if (racing) return; // for another one already, since it was doubted
    halt();
    // With a chat open everything is tried at once; a page on which nobody would notice gives way to those where somebody does.
    const wait = (event.code == 1013 || !host.eager()) && spread(line.spread);
    // Not through a timer of 0: in a hidden page that takes a second.
    if (wait) retry(wait, seek);
    else seek();
  }

  /**
   * Takes a deployment's `move`: connects to the named one beside the active link. Strangers and old words are ignored.
   * @param {Move} move
   */
  function move(move) {
    if (!moderator.hear(move.to, move.epoch) || !line.inUse || move.to == moving?.to) return;
    line.next?.close(1000);
    line.next = undefined;
    // Back to where one is: nobody goes.
    moving = move.to == line.inUse.id ? undefined : move;
    if (doubted) prefer(move.to);
    else if (moving) attach();
    else halt();
  }

  function attach() {
    halt();
    const { to } = /** @type {Move} */ (moving);
    run(list().filter((c) => c.id == to), (link, event) => {
      race = undefined;
      line.next = link;
      hold(link);
      host.begins(link, event);
    }, moveLater);
  }

  function moveLater() {
    race = undefined;
    if (moving) retry(500 + backoff(++round + 2, false), attach);
  }

  /** A gap begins. @param {number} at @param {string} why */
  function miss(at, why) {
    since = at;
    reason = why;
    route.reset();
    round = 0;
    notice(at + timing.notice - Date.now());
  }

  /** @param {import("../livens-client").State} state */
  function setState(state) {
    if (state == line.state || (state == "reconnecting" && !route.home)) return;
    line.state = state;
    host.emit("state", state);
  }

  /** Ends it for good. @param {number} [code] @param {string} [reason] */
  function close(code = 1000, reason) {
    line.inUse?.close(code, reason);
    line.next?.close(code, reason);
    line.inUse = line.next = undefined;
    calm();
    watchdog.stop();
    unlisten?.();
    setState("closed");
  }

  return line;
}
