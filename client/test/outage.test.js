import assert from "node:assert/strict";
import { test } from "node:test";
import { chatting, person, world } from "../model/people.js";

for (const condition of ["dead", "silent", "503"]) {
  for (const outage of [100, 3000, 20_000, 200_000]) {
    test(`both ${condition} for ${outage / 1000} s with an open chat: live within 2.5 s after the first returns`, async (t) => {
      for (const back of ["primary", "redundant"]) {
        const w = world(t);
        const { visitor, operator, c } = await chatting(w);
        for (const d of [w.primary, w.redundant]) {
          d.become(condition);
          if (condition == "503") for (const s of d.sessions) s.end(1012);
        }
        visitor.session.send("lost?");
        operator.session.send("lost too?", c);
        await w.clock.run(10_000 + outage);
        w.activate(back);
        w[back].become("up");
        const ms = await w.clock.until(() => visitor.session.deployment == back && operator.session.deployment == back);
        assert.ok(ms <= 2500, `${back} after ${ms} ms`);
        await w.clock.run(1000);
        assert.deepEqual(operator.texts().sort(), ["Is this in stock?", "It is.", "lost too?", "lost?"]);
        assert.deepEqual(visitor.texts().sort(), operator.texts().sort());
        w.end();
      }
    });
  }
}

test("a long outage is not hammered: 15 s at most without an open chat, and a crowd is spread", async (t) => {
  const w = world(t);
  const visitor = person(w, "visitor");
  await w.clock.until(() => visitor.session.state == "live");
  w.primary.become("dead");
  w.redundant.become("dead");
  await w.clock.run(120_000);
  w.network.log = [];
  await w.clock.run(60_000);
  const rounds = w.network.log.filter((e) => String(e.fetch).includes("primary.test")).length;
  assert.ok(rounds >= 4 && rounds <= 20, `${rounds} rounds a minute`);
});

test("in a long outage plain requests go ahead, for browsers slow down pages whose WebSockets fail", async (t) => {
  const w = world(t);
  await chatting(w);
  w.primary.become("dead");
  w.redundant.become("dead");
  await w.clock.run(5000);
  w.network.log = [];
  await w.clock.run(30_000);
  assert.deepEqual(w.connects, []);
  assert.ok(w.network.log.some((e) => String(e.fetch).startsWith("https://redundant.test/chat")));
});

test("the page is told that one is reconnecting after 3 s, once, and not before", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  const lost = w.clock.now;
  w.primary.become("dead");
  w.redundant.become("dead");
  await w.clock.run(2990);
  assert.deepEqual(visitor.of("reconnecting"), []);
  assert.deepEqual(visitor.of("state"), ["live", "reconnecting"]);
  await w.clock.run(20_000);
  assert.equal(visitor.of("reconnecting").length, 1);
  assert.ok(Math.abs(visitor.of("reconnecting")[0].since - lost) < 10);
  w.redundant.become("up");
  await w.clock.run(3000);
  assert.deepEqual(visitor.of("state"), ["live", "reconnecting", "live"]);
});

test("a crowd without open chats returns over the time that the deployment asked for", async (t) => {
  const w = world(t);
  w.primary.spread = 4000;
  const crowd = [];
  for (let i = 0; i < 200; i++) crowd.push(person(w, "visitor", { key: "key-" + i + "-".repeat(20) }));
  await w.clock.run(200);
  w.primary.become("dead");
  const live = [];
  for (let i = 0; i < 60; i++) {
    await w.clock.run(100);
    live.push(crowd.filter((p) => p.session.deployment == "redundant").length);
  }
  assert.equal(live.at(-1), 200);
  const peak = Math.max(...live.map((n, i) => n - (live[i - 5] || 0))) * 2; // a second's rate over half a second
  assert.ok(peak <= 1.8 * (200 / 4), `${peak} a second`);
});

/** A visitor who is sent away with 1013 comes again after half of a spread of 3 s: what comes by chance is 0.5. @param {any} w @param {any} visitor */
async function waitsHalfOf3s(w, visitor) {
  for (const s of [...w.primary.sessions]) if (s.who.role == "visitor") s.end(1013);
  w.network.log = [];
  await w.clock.run(1400);
  assert.deepEqual(w.connects, []);
  await w.clock.run(500);
  assert.equal(visitor.session.state, "live");
}

test("1013 is obeyed: one waits a part of the spread, chat or no chat", async (t) => {
  const w = world(t, () => 0.5);
  w.primary.spread = 3000;
  const { visitor } = await chatting(w);
  await waitsHalfOf3s(w, visitor);
});

test("1012: the other at once", async (t) => {
  const w = world(t);
  const { visitor } = await chatting(w);
  for (const s of [...w.primary.sessions]) if (s.who.role == "visitor") s.end(1012);
  await w.clock.run(100);
  assert.equal(visitor.session.deployment, "redundant");
});

test("asked whether it is there, a page answers", async (t) => {
  const w = world(t);
  await chatting(w);
  const sessions = [...w.primary.sessions];
  for (const s of sessions) s.say({ t: "ack", ping: 7 });
  await w.clock.run(50); // less than a heartbeat
  assert.deepEqual(sessions.map((s) => s.pong), [7, 7]);
});

test("a pong replaces the spread of the welcome", async (t) => {
  const w = world(t, () => 0.5);
  const { visitor } = await chatting(w);
  w.primary.spread = 3000; // the herd has grown since
  await w.clock.run(6000);
  await waitsHalfOf3s(w, visitor);
});
