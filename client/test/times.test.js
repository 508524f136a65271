import assert from "node:assert/strict";
import { test } from "node:test";
import { chatting, world } from "../model/people.js";

const order = (who, c) => who.session.transcript(c).map((m) => [m.text, m.at]);

test("two pages place two senders' messages alike without a reload", async (t) => {
  const w = world(t);
  const { visitor, operator, c } = await chatting(w);
  for (let i = 0; i < 20; i++) {
    visitor.session.send("v" + i);
    await w.clock.run(i % 5);
    operator.session.send("o" + i, c);
    await w.clock.run(300);
  }
  await w.clock.run(500);
  assert.deepEqual(order(visitor, c), order(operator, c));
});

test("the time of a message whose echo was lost comes with the next welcome", async (t) => {
  const w = world(t);
  const { visitor, operator, c } = await chatting(w);
  w.primary.latency = 200; // it is stored, and the page never hears of it from there
  visitor.session.send("stored");
  await w.clock.run(250);
  w.primary.become("dead");
  await w.clock.run(3000);
  assert.equal(visitor.session.deployment, "redundant");
  assert.deepEqual(order(visitor, c), order(operator, c));
});
