import assert from "node:assert/strict";
import { test } from "node:test";
import { world } from "../model/people.js";

const { failoverFetch } = await import("../src/index.js");
let pools = 0;

// Each test has a pool of its own: what a Moderator said is remembered by pool.
function place(t) {
  const w = world(t);
  const pool = "pool" + ++pools;
  w.primary.http = () => ({ status: 200, body: "primary" });
  w.redundant.http = () => ({ status: 200, body: "redundant" });
  for (const ns of [w.ns1, w.ns2]) ns.http = (path) => ({ body: { pool: path.split("/").pop(), active: w.plant.active, order: [], epoch: w.plant.epoch } });
  const get = async (path = "/hours", init) => {
    const result = failoverFetch(w.options({ pool }), path, init).then((r) => r, (e) => e);
    for (let i = 0; i < 300; i++) await w.clock.run(100);
    return result;
  };
  return { w, get };
}

test("it goes to the service's name, at the origin of its WebSocket URL", async (t) => {
  const { w, get } = place(t);
  const reply = await get();
  assert.equal(await reply.text(), "primary");
  assert.equal(String(w.network.log.find((e) => !String(e.fetch).includes("/v1/")).fetch), "https://chat.test/hours");
});

for (const condition of ["dead", "silent"]) {
  test(`${condition}: the others, by their direct URLs`, async (t) => {
    const { w, get } = place(t);
    w.primary.become(condition);
    const reply = await get();
    assert.equal(await reply.text(), "redundant");
  });
}

test("503 gives way to the others; when all say so, that is the answer", async (t) => {
  const { w, get } = place(t);
  w.primary.http = () => ({ status: 503, body: "busy" });
  assert.equal(await (await get()).text(), "redundant");
  w.redundant.http = () => ({ status: 502, body: "bad" });
  assert.equal((await get()).status, 503, "the last of them: what failed before comes last");
});

test("404 is an answer", async (t) => {
  const { w, get } = place(t);
  w.primary.http = () => ({ status: 404, body: "no" });
  assert.equal((await get()).status, 404);
});

test("nobody answers: TypeError; aborted: AbortError, and no further try", async (t) => {
  const { w, get } = place(t);
  const gone = AbortSignal.abort();
  assert.equal((await get("/x", { signal: gone })).name, "AbortError");
  w.primary.become("dead");
  w.redundant.become("dead");
  const error = await get();
  assert.ok(error instanceof TypeError);
  assert.match(error.message, /^livens: /);
});

test("without a path nothing is requested", async (t) => {
  const { w } = place(t);
  await assert.rejects(failoverFetch(w.options()), { name: "TypeError", message: "livens: path" });
  assert.deepEqual(w.network.log, []);
});

test("after a failure a second call goes directly to where the Moderator said; the name is tried again after 120 s", async (t) => {
  const { w, get } = place(t);
  w.activate("redundant");
  w.primary.become("dead");
  await get();
  w.network.log = [];
  await get();
  const tried = w.network.log.map((e) => String(e.fetch)).filter((u) => !u.includes("/v1/"));
  assert.deepEqual(tried, ["https://redundant.test/hours"]);
  await w.clock.run(120_000);
  w.network.log = [];
  await get();
  assert.ok(w.network.log.some((e) => e.fetch == "https://chat.test/hours" || String(e.fetch) == "https://chat.test/hours"));
});

test("what was learned is kept by configuration, not by the pool's name alone", async (t) => {
  const { w, get } = place(t);
  w.primary.become("dead");
  await get();
  w.network.log = [];
  const other = failoverFetch(w.options({ pool: "pool" + pools, moderators: ["https://ns2.test"] }), "/hours");
  await w.clock.run(1000);
  await other;
  const urls = w.network.log.map((e) => String(e.fetch));
  assert.ok(urls.includes("https://chat.test/hours"), "its first request goes by the name");
  assert.ok(urls.some((u) => u.startsWith("https://ns2.test/")), "and its own Moderator is asked");
});
