import assert from "node:assert/strict";
import { test } from "node:test";
import { portions } from "../src/dialect/push.js";
import { chatting, person, world } from "../model/people.js";

test("F11: the active deployment is lost with its disk; the operator's copy, the visitor's part too, goes to the other", async (t) => {
  const w = world(t);
  w.primary.linked = false; // nothing was ever copied between the data centers
  const { visitor, operator, c } = await chatting(w);
  w.primary.become("dead");
  await w.clock.run(500);
  assert.deepEqual(w.redundant.have(c), w.primary.have(c));
  const again = person(w, "visitor");
  await w.clock.run(500);
  assert.deepEqual(again.texts().sort(), ["Is this in stock?", "It is."].sort());
  assert.deepEqual(visitor.texts(), ["Is this in stock?", "It is."]);
  assert.equal(operator.texts().length, 2);
});

test("only what the deployment lacks is put, and nothing that is about to be sent", async (t) => {
  const w = world(t);
  const { operator, c } = await chatting(w);
  const put = [];
  for (const d of [w.primary, w.redundant]) {
    const { accept } = d;
    d.accept = function (...args) {
      const session = accept.apply(this, args);
      const { put: was } = session;
      session.put = (frame) => {
        put.push(...frame.msgs.map((m) => m.text));
        return was.call(session, frame);
      };
      return session;
    };
  }
  w.primary.become("dead");
  operator.session.send("fresh", c);
  await w.clock.run(500);
  assert.deepEqual(put, []);
  assert.deepEqual(w.redundant.have(c)[operator.of("message").find((m) => m.text == "fresh").s], 2);
});

test("a visitor never puts", async (t) => {
  const w = world(t);
  w.primary.linked = false;
  const visitor = person(w, "visitor");
  await w.clock.until(() => visitor.session.state == "live");
  visitor.session.send("one").catch(() => {});
  await w.clock.run(100);
  w.primary.become("dead");
  await w.clock.run(500);
  assert.equal(visitor.session.state, "live");
  assert.equal(visitor.session.deployment, "redundant");
});

test("an operator serves several visitors, and each sees its own conversation only", async (t) => {
  const w = world(t);
  const operator = person(w, "operator");
  const visitors = ["a", "b", "c"].map((x) => person(w, "visitor", { key: (x + "-key-of-a-visitor-0000000").slice(0, 24) }));
  await w.clock.run(100);
  for (const [i, v] of visitors.entries()) v.session.send("from " + i);
  await w.clock.run(100);
  assert.equal(operator.session.conversations().length, 3);
  for (const c of operator.session.conversations()) operator.session.send("to " + operator.session.transcript(c)[0].text, c);
  await w.clock.run(100);
  for (const [i, v] of visitors.entries()) assert.deepEqual(v.texts(), ["from " + i, "to from " + i]);
  assert.deepEqual(operator.of("message").filter((m) => m.from == "operator").map((m) => m.n), [1, 1, 1]);
  visitors[1].session.send("last");
  await w.clock.run(100);
  assert.equal(operator.session.conversations()[0], visitors[1].session.conversation);
});

test("marks: sending, disk, safe, delivered, never back", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  visitor.session.send("x");
  assert.equal(visitor.session.pending, 0, "not before the microtask");
  await w.clock.run(100);
  const marks = visitor.of("mark").filter((m) => m.text == "x").map((m) => m.mark);
  const order = ["sending", "disk", "safe", "delivered"];
  assert.deepEqual(marks, [...marks].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
  assert.equal(marks.at(-1), "delivered");
  assert.equal(visitor.of("message").at(-1).mark, "sending");
});

test("typing, presence and end are told and stored nowhere", async (t) => {
  const w = world(t);
  const { visitor, operator, c } = await chatting(w);
  visitor.session.typing();
  visitor.session.typing();
  operator.session.typing(c);
  await w.clock.run(100);
  assert.deepEqual(operator.of("typing"), [{ c, from: "visitor" }]);
  assert.deepEqual(visitor.of("typing"), [{ c, from: "operator" }]);
  assert.equal(visitor.session.operators, 1);
  operator.session.end(c);
  await w.clock.run(100);
  assert.deepEqual(visitor.of("end"), [{ c }]);
  assert.equal(visitor.session.transcript().length, 2);
  w.primary.become("dead");
  w.redundant.become("dead");
  await w.clock.run(100);
  operator.session.end(c);
  assert.equal(operator.of("drop").length, 0, "it waits");
  operator.session.close();
  assert.equal(operator.of("drop").length, 1, "what can not be sent any more is said");
});

test("put frames hold at most 200 messages and 64 KiB", () => {
  const m = (text) => ({ s: "o-x", n: 1, text });
  assert.deepEqual(portions([]), []);
  assert.deepEqual(portions(Array(450).fill(m("x"))).map((p) => p.length), [200, 200, 50]);
  for (const text of ["x".repeat(8000), "ä".repeat(4000), "\u0001".repeat(8000)]) {
    const parts = portions(Array(20).fill(m(text)));
    assert.equal(parts.flat().length, 20);
    for (const p of parts) assert.ok(p.length == 1 || Buffer.byteLength(JSON.stringify({ t: "put", c: "c".repeat(32), id: 1e6, msgs: p })) <= 65536);
  }
});

test("a replay is acknowledged once a conversation, when it is over", async (t) => {
  const w = world(t);
  const { visitor, operator, c } = await chatting(w);
  w.plant.knownDown.add("redundant");
  for (let i = 0; i < 300; i++) w.primary.store({ t: "msg", c, s: "v-old0000001", n: i + 1, from: "visitor", name: "Ada", at: w.clock.now + i, text: "old " + i });
  await w.clock.run(100);
  const before = w.primary.received;
  const again = person(w, "operator");
  await w.clock.run(200);
  assert.equal(again.texts().length, 302);
  assert.equal(w.primary.received - before, 2, "a hello, and one acknowledgement");
  assert.equal(visitor.session.state, "live");
  assert.equal(operator.session.state, "live");
});

for (const how of ["on a socket that is dead, and nobody knows", "while not connected"]) {
  test(`an end that is said ${how} is said again until a deployment tells it`, async (t) => {
    const w = world(t);
    const { operator, c } = await chatting(w);
    w.primary.become("silent");
    if (how == "while not connected") {
      w.redundant.become("dead");
      w.primary.become("dead");
      await w.clock.run(100);
    }
    operator.session.end(c);
    await w.clock.run(100);
    w.redundant.become("up");
    await w.clock.run(20_000);
    assert.deepEqual(operator.of("end"), [{ c }]);
    for (const s of [...w.redundant.sessions]) s.end(1012);
    w.primary.become("up");
    await w.clock.run(5000);
    assert.equal(operator.session.state, "live");
    assert.equal(operator.of("end").length, 1, "and not once more");
  });
}

test("who writes after an end that did not arrive takes it back", async (t) => {
  const w = world(t);
  const { visitor, operator, c } = await chatting(w);
  w.primary.become("silent");
  operator.session.end(c);
  operator.session.send("One more thing.", c);
  await w.clock.run(15_000);
  assert.equal(visitor.texts().at(-1), "One more thing.");
  assert.deepEqual(visitor.of("end"), []);
});
