import assert from "node:assert/strict";
import { test } from "node:test";
import { chatting, person, world } from "../model/people.js";
import { Store } from "../model/world.js";

test("a reload in mid-send: what was not safe is sent by the next page, once", async (t) => {
  const w = world(t);
  const { visitor, operator } = await chatting(w);
  for (const when of [0, 1, 4, 8, 20]) {
    const text = "sent and reloaded after " + when;
    visitor.session.send(text).catch(() => {});
    await w.clock.run(when);
    const copy = new Store(visitor.storage);
    visitor.session.close(); // the old page goes; its storage stays as it was
    for (const [k, v] of copy) visitor.storage.set(k, v);
    const again = person(w, "visitor", { storage: visitor.storage });
    await w.clock.run(3000);
    assert.equal(again.session.pending, 0, text);
    assert.equal(operator.texts().filter((x) => x == text).length, 1, text);
    assert.equal(again.texts().filter((x) => x == text).length, 1, text);
    Object.assign(visitor, again);
  }
  assert.equal(visitor.texts().length, operator.texts().length);
  const senders = new Set(operator.of("message").filter((m) => m.from == "visitor").map((m) => m.s));
  assert.equal(senders.size, 1, "the same tab is the same sender");
});

test("a send resolves when the message is safe, not when it is on one disk", async (t) => {
  const w = world(t);
  const visitor = person(w, "visitor");
  await w.clock.until(() => visitor.session.state == "live");
  w.primary.linked = false;
  let safe = false;
  visitor.session.send("alone").then(() => (safe = true));
  await w.clock.run(1000);
  assert.equal(safe, false);
  assert.deepEqual(visitor.of("mark").map((m) => m.mark), ["disk"]);
  w.primary.linked = true;
  w.primary.catchUp();
  await w.clock.run(100);
  assert.equal(safe, true);
  assert.deepEqual(visitor.of("mark").map((m) => m.mark), ["disk", "safe"]);
});

test("the outbox is bounded, and refuses instead of dropping", async (t) => {
  const w = world(t);
  w.primary.become("dead");
  w.redundant.become("dead");
  w.plant.knownDown.add("redundant");
  const visitor = person(w, "visitor");
  for (let i = 0; i < 100; i++) visitor.session.send("m" + i).catch(() => {});
  await assert.rejects(visitor.session.send("one more"), { name: "QuotaExceededError" });
  assert.equal(visitor.session.pending, 100);
  const other = person(w, "visitor", { key: "another-key-of-another-visitor" });
  for (let i = 0; i < 32; i++) other.session.send("x".repeat(8192)).catch(() => {});
  await assert.rejects(other.session.send("x"), { name: "QuotaExceededError" });
  assert.equal(other.session.pending, 32);
  w.primary.become("up");
  await w.clock.run(60_000);
  assert.equal(visitor.session.pending, 0, "all of them arrive, paced");
  assert.deepEqual(visitor.texts(), Array.from({ length: 100 }, (_, i) => "m" + i));
});

test("what is sent stays below what a deployment calls a flood, over a failover too", async (t) => {
  const w = world(t);
  const visitor = person(w, "visitor");
  await w.clock.until(() => visitor.session.state == "live");
  const got = [];
  for (const d of [w.primary, w.redundant]) {
    const { acknowledge } = d;
    d.acknowledge = function (c, have, by) {
      if (by == "disk") got.push(w.clock.now); // once a message that a client sent
      return acknowledge.call(this, c, have, by);
    };
  }
  w.primary.linked = false;
  for (let i = 0; i < 90; i++) visitor.session.send("m" + i);
  await w.clock.run(5000);
  w.primary.become("dead");
  w.plant.knownDown.add("primary");
  await w.clock.run(60_000);
  let left = 20; // a deployment's bucket
  for (let i = 1; i < got.length; i++) {
    left = Math.min(20, left + ((got[i] - got[i - 1]) / 1000) * 5) - 1;
    assert.ok(left >= 0, "flood at " + i);
  }
  assert.ok(got.length > 90, "some were sent twice");
  assert.equal(visitor.session.pending, 0);
});

test("empty, oversize and non-text are refused with TypeError, and number nothing", async (t) => {
  const w = world(t);
  const { visitor, operator } = await chatting(w);
  for (const text of ["", "   ", "x".repeat(8193), "ä".repeat(4097), null, undefined, 7, {}]) {
    await assert.rejects(visitor.session.send(text), TypeError, String(text).slice(0, 10));
  }
  await assert.rejects(operator.session.send("to whom?"), TypeError);
  visitor.session.send("good");
  await w.clock.run(50);
  assert.equal(operator.of("message").at(-1).n, 2);
});

test("a storage that is full: the message is refused, and the next may fit", async (t) => {
  const w = world(t);
  const { visitor, storage } = await (async () => {
    const visitor = person(w, "visitor");
    await w.clock.until(() => visitor.session.state == "live");
    return { visitor, storage: visitor.storage };
  })();
  storage.limit = 300;
  await assert.rejects(visitor.session.send("x".repeat(400)), { name: "QuotaExceededError" });
  assert.equal(visitor.session.pending, 0);
  const safe = visitor.session.send("short");
  await w.clock.run(100);
  assert.equal((await safe).n, 1);
});

test("close rejects what is not safe, and tells the page", async (t) => {
  const w = world(t);
  w.primary.become("dead");
  w.redundant.become("dead");
  const visitor = person(w, "visitor");
  await w.clock.run(10);
  const sent = visitor.session.send("never");
  await w.clock.run(10);
  visitor.session.close();
  await assert.rejects(sent, { name: "AbortError" });
  await assert.rejects(visitor.session.send("late"), { name: "AbortError" });
  assert.deepEqual(visitor.of("drop").map((d) => [d.why, d.message.text]), [["closed", "never"]]);
  assert.equal(visitor.session.state, "closed");
  await w.clock.run(60_000);
  assert.equal(w.clock.size, 0, "no timer is left");
});

test("written before the first welcome: sent with it, under the id that the deployment gave", async (t) => {
  const w = world(t);
  const visitor = person(w, "visitor");
  assert.equal(visitor.session.conversation, null);
  const safe = visitor.session.send("early");
  await w.clock.run(200);
  const { c } = await safe;
  assert.equal(c, visitor.session.conversation);
  assert.equal(visitor.session.transcript()[0].c, c);
});
