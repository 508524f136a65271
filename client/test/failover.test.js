import assert from "node:assert/strict";
import { test } from "node:test";
import { chatting, person, world } from "../model/people.js";

test("a killed deployment: both are live at the other within 300 ms, and nothing is lost", async (t) => {
  const w = world(t);
  const { visitor, operator, c } = await chatting(w);
  w.primary.become("dead");
  await w.clock.run(300);
  for (const who of [visitor, operator]) {
    assert.equal(who.session.state, "live");
    assert.equal(who.session.deployment, "redundant");
    const [s] = who.of("switch");
    assert.equal(s.from, "primary");
    assert.equal(s.to, "redundant");
    assert.equal(s.planned, false);
    assert.ok(s.gap <= 300, `gap ${s.gap}`);
  }
  visitor.session.send("Still there?");
  operator.session.send("Yes.", c);
  await w.clock.run(100);
  assert.deepEqual(operator.texts().sort(), ["Is this in stock?", "It is.", "Still there?", "Yes."]);
  assert.deepEqual(visitor.texts().sort(), operator.texts().sort());
  assert.equal(visitor.of("reconnecting").length, 0, "nobody is told of what nobody noticed");
});

test("after a failure only direct URLs are used for 120 s, for the browser's DNS cache is stale", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  w.network.log = [];
  w.primary.become("dead");
  await w.clock.run(300);
  assert.ok(w.connects.length > 0);
  assert.ok(!w.connects.includes("wss://chat.test/chat"), `${w.connects}`);
  w.redundant.become("dead");
  await w.clock.run(119_000);
  assert.ok(!w.connects.includes("wss://chat.test/chat"));
  assert.equal(visitor.session.state, "reconnecting");
});

test("SIGSTOP or black hole while sending: live at the other within 3 s", async (t) => {
  const w = world(t);
  const { visitor, operator } = await chatting(w);
  w.primary.become("silent");
  visitor.session.send("Hello?");
  await w.clock.run(3000);
  const [s] = visitor.of("switch");
  assert.equal(s.to, "redundant");
  assert.equal(s.reason, "no acknowledgement");
  assert.equal(s.resent, 1);
  assert.ok(s.gap <= 3000, `gap ${s.gap}`);
  await w.clock.run(5000);
  assert.equal(operator.session.deployment, "redundant", "the operator, who said nothing, follows by heartbeat");
  assert.deepEqual(operator.texts(), ["Is this in stock?", "It is.", "Hello?"]);
});

test("SIGSTOP or black hole with an open chat and nobody writing: live at the other within 8 s", async (t) => {
  const w = world(t);
  const { visitor, operator } = await chatting(w);
  w.primary.become("silent");
  await w.clock.run(8000);
  for (const who of [visitor, operator]) {
    assert.equal(who.session.deployment, "redundant");
    assert.equal(who.of("switch")[0].reason, "silent");
  }
});

test("without an open chat the heartbeat is slow: 20 s", async (t) => {
  const w = world(t);
  const visitor = person(w, "visitor");
  await w.clock.until(() => visitor.session.state == "live");
  const before = w.primary.received;
  await w.clock.run(19_000);
  assert.equal(w.primary.received, before);
  await w.clock.run(2000);
  assert.equal(w.primary.received, before + 1);
});

for (const sending of [true, false]) {
  test(`a stall of 1.5 s between browser and deployment switches nobody, ${sending ? "sending" : "reading"}`, async (t) => {
    const w = world(t);
    const { visitor, operator } = await chatting(w);
    for (let i = 0; i < 20; i++) {
      w.primary.become("silent");
      const safe = sending && visitor.session.send("stall " + i);
      await w.clock.run(1500);
      w.primary.become("up");
      await w.clock.run(700);
      await safe;
    }
    assert.deepEqual(visitor.of("switch"), []);
    assert.deepEqual(operator.of("switch"), []);
    assert.equal(operator.texts().length, sending ? 22 : 2);
  });
}

test("a suspect that speaks again stays, and the other is let go", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  w.redundant.latency = 400;
  w.primary.become("silent");
  const safe = visitor.session.send("slow");
  await w.clock.run(2200);
  assert.ok(w.connects.some((url) => url.includes("redundant")), "the other is tried beside");
  w.primary.become("up");
  await w.clock.run(3000);
  await safe;
  assert.equal(visitor.session.deployment, "primary");
  assert.deepEqual(visitor.of("switch"), []);
  assert.equal(w.open, 2, "one socket each");
});

for (const [fault, what] of [
  ["noacks", "nothing done with messages"],
  ["ackless", "messages echoed, acknowledgements withheld"],
]) {
  test(`heartbeats answered, ${what}: the other takes over`, async (t) => {
    const w = world(t);
    const { visitor } = await chatting(w);
    w.primary.faults.add(fault);
    const safe = visitor.session.send("Hello?");
    await w.clock.run(3000);
    assert.equal(visitor.session.deployment, "redundant");
    await safe;
  });
}

for (const condition of ["403", "503"]) {
  test(`an upgrade answered ${condition} is a failure, and the next is tried at once`, async (t) => {
    const w = world(t);
    w.primary.become(condition);
    const { visitor } = await chatting(w);
    assert.equal(visitor.session.deployment, "redundant");
    assert.ok(w.clock.now - 1_795_653_000_000 < 1000);
  });
}

test("a deployment that opens and never welcomes loses the race after a stagger", async (t) => {
  const w = world(t);
  w.primary.faults.add("mute");
  const visitor = person(w, "visitor");
  const ms = await w.clock.until(() => visitor.session.state == "live");
  assert.equal(visitor.session.deployment, "redundant");
  assert.ok(ms <= 2500, `${ms} ms`);
  await w.clock.run(10_000);
  assert.equal(w.open, 1, "the losers are closed");
});

test("no Moderator and the primary silent from the first load: the redundant one, by its direct URL", async (t) => {
  const w = world(t);
  w.ns1.become("dead");
  w.ns2.become("dead");
  w.primary.become("silent");
  const visitor = person(w, "visitor");
  const ms = await w.clock.until(() => visitor.session.state == "live");
  assert.equal(visitor.session.deployment, "redundant");
  assert.ok(ms <= 2500, `${ms} ms`);
  assert.deepEqual(w.redundant.hellos[0].tried, ["primary"]);
});

test("A→B→A→B: each time at the one that lives", async (t) => {
  const w = world(t);
  const { visitor, operator, c } = await chatting(w);
  for (const [dead, live] of [["primary", "redundant"], ["redundant", "primary"], ["primary", "redundant"]]) {
    w[live].become("up");
    w[live].catchUp();
    await w.clock.run(100);
    w[dead].become("dead");
    visitor.session.send("v " + live);
    operator.session.send("o " + live, c);
    await w.clock.run(400);
    assert.equal(visitor.session.deployment, live);
    assert.equal(operator.session.deployment, live);
  }
  await w.clock.run(1000);
  assert.deepEqual(visitor.texts().sort(), operator.texts().sort());
  assert.equal(operator.texts().length, 8);
});

test("only hello makes a session: connections that merely opened are greeted one at a time", async (t) => {
  const w = world(t);
  w.primary.latency = 600;
  const visitor = person(w, "visitor");
  await w.clock.until(() => visitor.session.state == "live");
  await w.clock.run(5000);
  assert.equal((w.primary.hellos || []).length + (w.redundant.hellos || []).length, 1);
  assert.equal(w.open, 1);
});

test("a silent suspect whose heartbeat is answered late stays", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  w.redundant.latency = 400;
  w.primary.become("silent");
  await w.clock.until(() => w.connects.some((url) => url.includes("redundant")), 8000);
  w.primary.become("up");
  await w.clock.run(3000);
  assert.deepEqual(visitor.of("switch"), []);
  assert.equal(visitor.session.deployment, "primary");
  assert.equal(w.open, 2);
});

test("direct URLs only for 120 s, also when they stay dead: then the name, whose DNS was repaired, is tried", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  const { Deployment } = await import("../model/deployment.js");
  w.primary.become("dead");
  w.redundant.become("dead");
  await w.clock.run(60_000);
  const third = new Deployment("primary", w.plant);
  third.other = w.redundant;
  w.plant.knownDown.add("redundant");
  w.network.add("chat.test", third);
  await w.clock.run(55_000);
  assert.equal(visitor.session.state, "reconnecting");
  await w.clock.run(15_000);
  assert.equal(visitor.session.state, "live");
});

test("a CSP that allows the name only: it is used after a failure, too", async (t) => {
  const w = world(t);
  for (const host of ["primary.test", "203.0.113.10", "redundant.test", "198.51.100.20"]) w.network.forbidden.add(host);
  const { visitor } = await chatting(w);
  w.primary.become("dead");
  await w.clock.run(5000);
  w.network.add("chat.test", w.redundant);
  w.activate("redundant");
  await w.clock.run(5000);
  assert.equal(visitor.session.deployment, "redundant");
});

test("4003 of another deployment, tried beside a link that is in use, does not end the session", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  w.redundant.accept = function (socket, network) {
    return { closed() {}, received: () => network.carry(this, () => socket.closed(4003)) };
  };
  w.primary.become("silent");
  visitor.session.send("slow");
  await w.clock.run(2300);
  assert.equal(visitor.session.state, "live");
  w.primary.become("up");
  await w.clock.run(3000);
  assert.equal(visitor.session.state, "live");
  assert.equal(visitor.session.pending, 0);
});
