import assert from "node:assert/strict";
import { test } from "node:test";
import { chatting, person, world } from "../model/people.js";

const asked = (w) => w.network.log.filter((e) => e.fetch && String(e.fetch).includes("/v1/pools/")).map((e) => ({ at: e.at, host: new URL(e.fetch).host }));

test("Moderators black-holed: the first load and a failover take not 50 ms longer", async (t) => {
  const times = [];
  for (const condition of ["up", "silent"]) {
    const w = world(t);
    w.ns1.become(condition);
    w.ns2.become(condition);
    const visitor = person(w, "visitor");
    const first = await w.clock.until(() => visitor.session.state == "live");
    visitor.session.send("open");
    await w.clock.run(100);
    w.primary.become("dead");
    await w.clock.run(1);
    const again = await w.clock.until(() => visitor.session.deployment == "redundant");
    times.push({ first, again });
    w.end();
  }
  const [up, silent] = times;
  assert.ok(silent.first - up.first <= 50, `first load: ${up.first} and ${silent.first} ms`);
  assert.ok(silent.again - up.again <= 50, `failover: ${up.again} and ${silent.again} ms`);
});

test("the second Moderator is asked 300 ms after the first, or at once when that one fails", async (t) => {
  const w = world(t);
  w.ns1.become("silent");
  person(w, "visitor");
  await w.clock.run(2000);
  let [first, second, ...more] = asked(w);
  assert.deepEqual([first.host, second.host, more], ["ns1.test", "ns2.test", []]);
  assert.equal(second.at - first.at, 300);

  const w2 = world(t);
  w2.ns1.become("dead");
  person(w2, "visitor");
  await w2.clock.run(2000);
  [first, second] = asked(w2);
  assert.ok(second.at - first.at < 20, `${second.at - first.at} ms`);
  w2.end();
});

test("a Moderator that answers is the only one asked", async (t) => {
  const w = world(t);
  person(w, "visitor");
  await w.clock.run(2000);
  assert.equal(asked(w).length, 1);
});

test("a Moderator's word reorders what is known: the active one is tried first", async (t) => {
  t.mock.method(Math, "random", () => 0.5); // rounds begin when they do in every run
  const w = world(t);
  const { visitor } = await chatting(w);
  // Both fail; meanwhile the redundant one became active, and only it returns.
  w.primary.become("dead");
  w.redundant.become("dead");
  w.activate("redundant");
  await w.clock.run(3000);
  w.network.log = [];
  await w.clock.run(4000);
  const first = w.network.log.find((e) => e.fetch && !String(e.fetch).includes("/v1/"));
  assert.equal(first.fetch, "https://redundant.test/chat", "a round begins there");
  w.redundant.become("up");
  await w.clock.until(() => visitor.session.state == "live");
  assert.equal(visitor.session.deployment, "redundant");
});

test("on the first load, too: after the name comes the one that the Moderator names", async (t) => {
  const w = world(t);
  w.primary.become("silent");
  w.activate("redundant");
  const visitor = person(w, "visitor");
  const took = await w.clock.until(() => visitor.session.state == "live");
  assert.equal(visitor.session.deployment, "redundant");
  assert.ok(took <= 1200, took + " ms");
});

const wrong = {
  "an unknown id": (right) => ({ ...right, active: "evil", order: ["evil", "primary"], epoch: 999 }),
  "an address in place of an id": (right) => ({ ...right, active: "wss://evil.test/chat", url: "wss://evil.test/chat", epoch: 999 }),
  "another pool": (right) => ({ ...right, pool: "mail", active: "redundant", epoch: 999 }),
  "an epoch that is no number": (right) => ({ ...right, active: "redundant", epoch: "999" }),
  "an epoch below zero": (right) => ({ ...right, active: "redundant", epoch: -1 }),
  "nothing": () => null,
  "a list": () => [1, 2],
  "text": () => "<html>",
};
for (const [what, word] of Object.entries(wrong)) {
  test(`a Moderator that says ${what} is not believed, and the next is asked`, async (t) => {
    const w = world(t);
    w.ns1.word = word;
    const { visitor } = await chatting(w);
    w.primary.become("dead");
    w.network.log = [];
    await w.clock.run(400);
    assert.equal(visitor.session.deployment, "redundant");
    assert.ok(asked(w).some((e) => e.host == "ns2.test"));
    assert.ok(w.connects.every((url) => !url.includes("evil")), `${w.connects}`);
  });
}

test("an old epoch is refused for a minute, and then any is taken", async (t) => {
  const w = world(t);
  const { createModerator } = await import("../src/moderator.js");
  const { validate } = await import("../src/options.js");
  const m = createModerator(validate(w.options()));
  assert.equal(m.hear("redundant", 100), true);
  assert.equal(m.hear("primary", 99), false);
  assert.equal(m.known().active, "redundant");
  assert.equal(m.hear("primary", 100), true, "the same epoch may be repeated");
  w.clock.sleep(59_999);
  assert.equal(m.known().active, "primary");
  w.clock.sleep(1);
  assert.equal(m.known(), undefined);
  assert.equal(m.hear("redundant", 5), true);
});

test("order keeps known ids only", async (t) => {
  const w = world(t);
  const { createModerator } = await import("../src/moderator.js");
  const { validate } = await import("../src/options.js");
  const m = createModerator(validate(w.options()));
  m.hear("primary", 1, ["evil", "redundant", 7, null, "primary"]);
  assert.deepEqual(m.known().order, ["redundant", "primary"]);
});
