import { record, Store, World } from "./world.js";

// The tests of behaviour run against src/, and some once more against what is built of it.
const { ChatSession } = await import(process.env.LIVENS_BUILT ? "../dist/livens-client.mjs" : "../src/index.js");

const EVENTS = ["state", "switch", "message", "mark", "drop", "presence", "reconnecting", "blocked", "typing", "end"];

/** A world that a test takes down when it is done. */
export function world(t, random) {
  const w = new World(random);
  t.after(() => w.end());
  return w;
}

/** A visitor or an operator with a record of what the page was told. */
export function person(w, role, more = {}) {
  const storage = more.storage || new Store();
  const session = new ChatSession(w.options({ role, name: role == "visitor" ? "Ada" : "Ann", token: "secret", storage, ...more }));
  const events = record(session, ...EVENTS);
  const of = (type) => events.filter((e) => e.type == type).map((e) => e.detail);
  return { session, events, of, storage, texts: () => of("message").map((m) => m.text) };
}

/** A visitor and an operator, live, who have greeted each other. */
export async function chatting(w, more = {}) {
  const visitor = person(w, "visitor", more);
  const operator = person(w, "operator", more);
  await w.clock.until(() => visitor.session.state == "live" && operator.session.state == "live");
  const asked = visitor.session.send("Is this in stock?");
  await w.clock.until(() => operator.texts().length == 1);
  const c = operator.session.conversations()[0];
  const answered = operator.session.send("It is.", c);
  await w.clock.until(() => visitor.texts().length == 2);
  await w.clock.run(50);
  await Promise.all([asked, answered]);
  w.network.log = w.network.log.filter((entry) => entry.socket?.readyState == 1);
  return { visitor, operator, c };
}

/** Runs, and counts for how long the session had no open socket at all: the gap that nobody may see in a planned move. */
export async function watchOpen(w, ms, wanted) {
  let closed = 0;
  for (let at = 0; at < ms; at++) {
    await w.clock.run(1);
    if (w.open < wanted) closed++;
  }
  return closed;
}
