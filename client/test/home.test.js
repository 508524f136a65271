// A client that could not reach the active deployment is served by the other, and goes back when it can.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chatting, world } from "../model/people.js";

/** Both are at the redundant deployment, because the path to the active one is cut. */
async function astray(t) {
  const w = world(t);
  const { visitor, operator } = await chatting(w);
  w.primary.become("dead");
  await w.clock.run(1000);
  for (const who of [visitor, operator]) assert.equal(who.session.deployment, "redundant");
  const invite = () => w.redundant.sessions.forEach((s) => s.say({ t: "move", to: w.plant.active, reason: "may be reached again", epoch: w.plant.epoch }));
  return { w, visitor, operator, invite };
}

test("who is asked to try again goes when it can, and loses nothing while it can not", async (t) => {
  const { w, visitor, operator, invite } = await astray(t);
  invite();
  await w.clock.run(120000);
  for (const who of [visitor, operator]) assert.equal(who.session.deployment, "redundant");
  assert.ok(w.connects.length < 200, `ever more rarely: ${w.connects.length} connections`);
  w.primary.become("up");
  await w.clock.run(16000);
  for (const who of [visitor, operator]) {
    assert.equal(who.session.deployment, "primary");
    assert.deepEqual(who.of("switch").at(-1).planned && who.of("switch").at(-1).gap, 0);
    assert.equal(who.texts().length, 2);
  }
});

test("a move that is overtaken by a decision for where one is ends", async (t) => {
  const { w, visitor, operator, invite } = await astray(t);
  invite();
  await w.clock.run(5000);
  w.activate("redundant");
  w.primary.become("up");
  await w.clock.run(20000);
  const before = w.connects.length;
  await w.clock.run(60000);
  assert.equal(w.connects.length, before, "nothing more is tried");
  for (const who of [visitor, operator]) assert.equal(who.session.deployment, "redundant");
});

test("a loss while a move is tried in vain is noticed as ever", async (t) => {
  const { w, operator, invite } = await astray(t);
  invite();
  await w.clock.run(30000);
  w.redundant.become("silent");
  w.primary.become("up");
  const took = await w.clock.until(() => operator.session.deployment == "primary");
  assert.ok(took <= 8000, took + " ms");
});
