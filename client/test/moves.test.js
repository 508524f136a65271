import assert from "node:assert/strict";
import { test } from "node:test";
import { chatting, person, watchOpen, world } from "../model/people.js";

test("a planned move: never a moment without an open socket, gap 0, nothing lost or doubled", async (t) => {
  const w = world(t);
  const { visitor, operator, c } = await chatting(w);
  w.move("redundant", 2000);
  for (let i = 0; i < 30; i++) {
    visitor.session.send("v" + i).catch(() => {});
    if (i % 3 == 0) operator.session.send("o" + i, c);
    assert.equal(await watchOpen(w, 500, 2), 0, "both have a socket throughout");
  }
  await w.clock.run(5000);
  for (const who of [visitor, operator]) {
    assert.equal(who.session.deployment, "redundant");
    const [s, ...more] = who.of("switch");
    assert.deepEqual([s.planned, s.gap, s.reason, more], [true, 0, "planned: upgrade", []]);
    assert.deepEqual(who.of("state").slice(1), [], "nothing but live");
    assert.equal(new Set(who.texts()).size, 42);
    assert.equal(who.texts().length, 42);
  }
  assert.equal(w.open, 2, "the old sockets are gone");
});

test("the operator goes at once, the visitor within the spread", async (t) => {
  const w = world(t, () => 0.9);
  const { visitor, operator } = await chatting(w);
  w.move("redundant", 5000);
  await w.clock.run(200);
  assert.equal(operator.session.deployment, "redundant");
  await w.clock.run(4200);
  assert.equal(visitor.session.deployment, "primary");
  await w.clock.run(400);
  assert.equal(visitor.session.deployment, "redundant");
});

test("a visitor goes when its outbox is empty, and in the end whatever is in it", async (t) => {
  const w = world(t, () => 0);
  const { visitor } = await chatting(w);
  w.primary.linked = false; // on disk, and never safe
  visitor.session.send("unsafe");
  await w.clock.run(100);
  w.primary.sessions.forEach((s) => (s.who.role == "operator" ? s.end(1012) : 0));
  await w.clock.run(100);
  visitor.session.send("unsafe too");
  await w.clock.run(50);
  assert.ok(visitor.session.pending > 0);
  w.move("redundant", 0);
  await w.clock.run(7000);
  assert.equal(visitor.session.deployment, "primary", "it waits");
  await w.clock.run(2000);
  assert.equal(visitor.session.deployment, "redundant", "it does not wait until it is cut off");
  assert.equal(visitor.of("switch")[0].gap, 0);
});

test("the operator holds both sockets until all its transcripts are synced", async (t) => {
  const w = world(t);
  w.primary.linked = false; // so that the redundant one knows nothing
  const { operator, c } = await chatting(w);
  assert.equal(w.redundant.disk.size, 0);
  const put = [];
  const { store } = w.redundant;
  w.redundant.store = function (m) {
    put.push(m.text);
    assert.equal(operator.session.deployment, "primary", "the old one is in use until then");
    return store.call(this, m);
  };
  w.move("redundant", 0);
  await w.clock.run(9);
  assert.equal(operator.session.deployment, "primary");
  await w.clock.run(200);
  assert.deepEqual(put, ["Is this in stock?", "It is."]);
  assert.equal(operator.session.deployment, "redundant");
  assert.deepEqual(w.redundant.have(c), w.primary.have(c));
});

test("the named deployment fails: everybody stays, and is served again when cut off, saying what was tried", async (t) => {
  const w = world(t, () => 0.5);
  const { visitor, operator } = await chatting(w);
  w.redundant.become("dead");
  w.move("redundant", 1000);
  w.primary.hellos = [];
  await w.clock.run(14000);
  assert.equal(visitor.session.deployment, "primary");
  assert.deepEqual(visitor.of("switch"), []);
  await w.clock.run(3000); // 4001 came
  for (const who of [visitor, operator]) {
    assert.equal(who.session.deployment, "primary");
    assert.equal(who.session.state, "live");
  }
  assert.ok(w.primary.hellos.length >= 2);
  for (const hello of w.primary.hellos) assert.deepEqual(hello.tried, ["redundant"]);
});

test("refused with move and 4001: followed, not failed", async (t) => {
  const w = world(t);
  w.activate("redundant"); // the page's DNS still leads to the primary
  const visitor = person(w, "visitor");
  const ms = await w.clock.until(() => visitor.session.state == "live");
  assert.equal(visitor.session.deployment, "redundant");
  assert.ok(ms < 100, `${ms} ms`);
  assert.deepEqual(w.redundant.hellos[0].tried, []);
});

test("refused with move and 4001 by one that does not know that the active one died: it is told", async (t) => {
  const w = world(t);
  w.activate("redundant");
  w.redundant.become("dead");
  const visitor = person(w, "visitor");
  const ms = await w.clock.until(() => visitor.session.state == "live");
  assert.equal(visitor.session.deployment, "primary");
  assert.ok(ms <= 500, `${ms} ms`);
  assert.deepEqual(w.primary.hellos.map((h) => h.tried), [[], ["redundant"]]);
});

test("a move to a stranger, or with an old epoch, is ignored", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  w.network.log = [];
  for (const s of w.primary.sessions) {
    s.say({ t: "move", to: "evil", reason: "x", epoch: 1000, spread: 0 });
    s.say({ t: "move", to: "wss://evil.test", reason: "x", epoch: 1000, spread: 0 });
    s.say({ t: "move", to: "redundant", reason: "x", epoch: 99, spread: 0 });
    s.say({ t: "move", to: "redundant", reason: "x", epoch: "100", spread: 0 });
    s.say({ t: "move" });
  }
  await w.clock.run(2000);
  assert.deepEqual(w.connects, []);
  assert.equal(visitor.session.deployment, "primary");
});

test("the old deployment dies in the middle of a planned move", async (t) => {
  for (let ms = 0; ms < 30; ms += 2) {
    const w = world(t, () => 0);
    const { visitor, operator } = await chatting(w);
    w.move("redundant", 0);
    await w.clock.run(ms);
    w.primary.become("dead");
    await w.clock.run(400);
    assert.equal(visitor.session.deployment, "redundant", `after ${ms} ms`);
    assert.equal(operator.session.deployment, "redundant", `after ${ms} ms`);
    assert.equal(w.open, 2);
    w.end();
  }
});

test("the new deployment dies in the middle of a planned move, and later returns", async (t) => {
  for (let ms = 0; ms < 30; ms += 2) {
    const w = world(t, () => 0);
    const { visitor, operator } = await chatting(w);
    w.move("redundant", 20_000);
    await w.clock.run(ms);
    w.redundant.become("dead");
    await w.clock.run(1000);
    w.redundant.become("up");
    w.redundant.catchUp();
    w.primary.moveAll("redundant", "still not active", 20_000); // whom it took back meanwhile
    await w.clock.run(4000);
    for (const who of [visitor, operator]) assert.equal(who.session.deployment, "redundant", `after ${ms} ms`);
    w.end();
  }
});

test("a move back to where one is, while a move elsewhere is on, opens nothing and ends the move", async (t) => {
  const w = world(t);
  const { operator } = await chatting(w);
  w.redundant.faults.add("mute");
  w.move("redundant", 20_000);
  await w.clock.run(100);
  w.activate("primary");
  for (const s of w.primary.sessions) s.say({ t: "move", to: "primary", reason: "back", epoch: w.plant.epoch });
  w.network.log = [];
  await w.clock.run(9000);
  assert.deepEqual(w.connects, []);
  assert.equal(operator.session.deployment, "primary");
  assert.deepEqual(operator.of("switch"), []);
});
