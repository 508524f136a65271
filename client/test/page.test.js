import assert from "node:assert/strict";
import { test } from "node:test";
import { chatting, person, world } from "../model/people.js";

for (const type of ["online", "pageshow", "resume", "visibilitychange"]) {
  test(`${type}: asks now whether the deployment is alive`, async (t) => {
    const w = world(t);
    const { visitor } = await chatting(w);
    w.primary.become("silent");
    w.page.dispatchEvent(new Event(type));
    await w.clock.run(2500);
    assert.equal(visitor.session.deployment, "redundant");
  });
}

test("online in the middle of an outage tries now", async (t) => {
  const w = world(t, () => 0.99);
  const visitor = person(w, "visitor");
  await w.clock.until(() => visitor.session.state == "live");
  w.primary.become("dead");
  w.redundant.become("dead");
  await w.clock.run(100_000);
  w.redundant.become("up");
  await w.clock.run(3000);
  assert.equal(visitor.session.state, "reconnecting", "without an open chat it would wait for up to 15 s");
  w.page.dispatchEvent(new Event("online"));
  await w.clock.run(100);
  assert.equal(visitor.session.state, "live");
});

test("online after an outage in which the socket stayed open, and silent, tries now", async (t) => {
  const w = world(t, () => 0.99);
  const { visitor } = await chatting(w);
  const { hosts } = w.network;
  w.primary.become("silent");
  w.network.hosts = new Map();
  await w.clock.run(20_000);
  w.network.log = [];
  await w.clock.until(() => w.network.log.length);
  await w.clock.run(50);
  w.network.hosts = hosts;
  w.page.dispatchEvent(new Event("online"));
  await w.clock.run(1500);
  assert.equal(visitor.session.deployment, "redundant", "the next turn would come after 2 s");
});

test("a page that slept accuses nobody because its timers are late", async (t) => {
  const w = world(t);
  const { visitor, operator } = await chatting(w);
  for (let i = 0; i < 10; i++) {
    await w.clock.run(4990 + i * 3);
    w.clock.sleep(60_000); // frozen: the heartbeat's timers are all overdue at once
    await w.clock.run(3000);
  }
  assert.deepEqual(visitor.of("switch"), []);
  assert.deepEqual(operator.of("switch"), []);
  assert.equal(visitor.session.state, "live");
});

test("a page that slept while its deployment died notices", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  w.primary.become("silent");
  w.clock.sleep(600_000);
  w.page.dispatchEvent(new Event("resume"));
  await w.clock.run(5000);
  assert.equal(visitor.session.deployment, "redundant");
});

test("back from the back/forward cache: close 1006 comes after pageshow, and the chat goes on", async (t) => {
  const w = world(t);
  const { visitor, operator, c } = await chatting(w);
  const sockets = [...w.primary.sockets];
  w.page.dispatchEvent(new Event("pagehide"));
  for (const s of sockets) s.peer.closed();
  w.clock.sleep(300_000);
  w.page.dispatchEvent(new Event("pageshow"));
  for (const s of sockets) s.closed(1006);
  await w.clock.run(300);
  assert.equal(visitor.session.state, "live");
  operator.session.send("welcome back", c);
  await w.clock.run(100);
  assert.equal(visitor.texts().at(-1), "welcome back");
});

test("a URL that the CSP forbids is told from a dead one: the page is told, the deployment is not blamed", async (t) => {
  const w = world(t);
  w.network.forbidden.add("redundant.test");
  const { visitor } = await chatting(w);
  w.primary.become("dead");
  await w.clock.run(300);
  assert.equal(visitor.session.deployment, "redundant");
  assert.deepEqual(visitor.of("blocked"), [{ url: "wss://redundant.test/chat", why: "csp" }]);
  for (const hello of w.redundant.hellos) assert.deepEqual(hello.tried, ["primary"]);
  w.network.log = [];
  w.primary.become("up");
  w.redundant.become("dead");
  await w.clock.run(300);
  w.redundant.become("up");
  w.primary.become("dead");
  await w.clock.run(300);
  assert.equal(visitor.session.deployment, "redundant");
  assert.ok(!w.connects.includes("wss://redundant.test/chat"), "it is not tried again");
});

test("forbidden URLs cost no time: where the policy allows the service's name only, one is there as soon as DNS leads to who lives", async (t) => {
  const w = world(t);
  for (const host of ["primary.test", "203.0.113.10", "redundant.test", "198.51.100.20"]) w.network.forbidden.add(host);
  const { visitor } = await chatting(w);
  w.network.add("chat.test", w.redundant);
  w.primary.become("dead");
  await w.clock.run(300);
  assert.equal(visitor.session.deployment, "redundant");
  assert.equal(visitor.of("blocked").length, 4);
});

test("a violation of somebody else's is none of ours", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  for (const blockedURI of ["https://ads.test/x.js", "inline", "", undefined]) {
    w.page.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI, effectiveDirective: "script-src" }));
  }
  assert.deepEqual(visitor.of("blocked"), []);
});

test("everything is blocked: it is tried all the same, for nothing else is left", async (t) => {
  const w = world(t);
  for (const host of ["chat.test", "primary.test", "203.0.113.10", "redundant.test", "198.51.100.20"]) w.network.forbidden.add(host);
  const visitor = person(w, "visitor");
  await w.clock.run(5000);
  assert.equal(visitor.of("blocked").length, 5);
  w.network.forbidden.clear();
  await w.clock.run(20_000);
  assert.equal(visitor.session.state, "live");
});

test("a CSP that allows wss: and not https: costs no more than the first round that asks first", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  for (const host of ["chat.test", "primary.test", "203.0.113.10", "redundant.test", "198.51.100.20"]) w.network.noPlain.add(host);
  w.primary.become("dead");
  w.redundant.become("dead");
  await w.clock.run(20_000);
  w.redundant.become("up");
  const took = await w.clock.until(() => visitor.session.state == "live");
  assert.ok(took <= 2500, took + " ms");
  assert.deepEqual(visitor.of("blocked"), [], "no URL of ours is forbidden");
  assert.ok(w.network.log.filter((entry) => entry.fetch && !String(entry.fetch).includes("/v1/")).length <= 5, "each host is asked once");
});

test("what a policy only reports is not forbidden", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  for (const blockedURI of ["wss://redundant.test/chat", "wss://198.51.100.20/chat"]) {
    w.page.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI, effectiveDirective: "connect-src", disposition: "report" }));
  }
  assert.deepEqual(visitor.of("blocked"), []);
  w.primary.become("dead");
  await w.clock.run(300);
  assert.equal(visitor.session.deployment, "redundant");
});

test("an event of the page before it is known who this tab is begins nothing", async (t) => {
  const w = world(t);
  const storage = person(w, "visitor").storage;
  await w.clock.run(200);
  /** @type {any} */ (globalThis).BroadcastChannel = class { postMessage() {} close() {} };
  t.after(() => (globalThis.BroadcastChannel = undefined));
  w.network.log = [];
  person(w, "visitor", { storage });
  w.page.dispatchEvent(new Event("pageshow"));
  await w.clock.run(50);
  assert.deepEqual(w.connects, []);
  await w.clock.run(200);
  assert.equal(w.connects.length, 1);
});
