import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { build, INTERNAL } from "../build.js";

const file = (name) => readFileSync(new URL("../" + name, import.meta.url), "utf8");
const size = (name) => gzipSync(file("dist/" + name), { level: 9 }).length;

test("dist/ is what src/ builds: run `make client` and commit it", async () => {
  for (const [name, text] of Object.entries(await build())) assert.ok(file("dist/" + name) == text, name + " differs");
});

test("7.5 KB gzipped in all, 5 KB without ChatSession", () => {
  for (const name of ["livens-client.mjs", "livens-client.js"]) assert.ok(size(name) <= 7.5 * 1024, `${name}: ${size(name)} bytes`);
  assert.ok(size("livens-socket.mjs") <= 5 * 1024, `${size("livens-socket.mjs")} bytes`);
});

test("the classic script defines livens, and nothing else", () => {
  const page = { EventTarget, Map };
  runInNewContext(file("dist/livens-client.js"), page);
  assert.deepEqual(Object.keys(page).sort(), ["EventTarget", "Map", "livens"]);
  assert.deepEqual(Object.keys(page.livens).sort(), ["ChatSession", "FailoverSocket", "failoverFetch"]);
});

test("the modules export what the types say", async () => {
  const all = await import("../dist/livens-client.mjs");
  const types = file("livens-client.d.ts");
  for (const name of Object.keys(all)) assert.match(types, new RegExp(`export (class|function) ${name}\\b`));
  assert.deepEqual(Object.keys(all).sort(), ["ChatSession", "FailoverSocket", "failoverFetch"]);
  assert.deepEqual(Object.keys(await import("../dist/livens-socket.mjs")).sort(), ["FailoverSocket", "failoverFetch"]);
});

test("no name that is shortened is a page's or on the wire", () => {
  const contract = file("livens-client.d.ts").replace(/\/\*[^]*?\*\/|\/\/.*/g, "") + [...file("../docs/client-protocol.md").matchAll(/```json\n([^]*?)```/g)].map((m) => m[1]);
  for (const name of INTERNAL) assert.doesNotMatch(contract, new RegExp(`\\b${name}\\b\\s*["(:?]`), name);
});

test("the members that the types promise are there in the built script", async () => {
  const { world } = await import("../model/people.js");
  const { ChatSession, FailoverSocket } = await import("../dist/livens-client.mjs");
  const w = world({ after: () => {} });
  const chat = new ChatSession(w.options({ role: "visitor" }));
  const socket = new FailoverSocket(w.options());
  for (const name of ["state", "deployment", "operators", "conversation", "conversations", "transcript", "send", "typing", "end", "pending", "close"]) assert.ok(name in chat, name);
  for (const name of ["readyState", "state", "deployment", "url", "protocol", "bufferedAmount", "binaryType", "send", "close", "probe", "onopen", "onmessage", "onclose", "onerror"]) assert.ok(name in socket, name);
  await w.clock.run(100);
  const safe = chat.send("through the built script");
  await w.clock.run(100);
  assert.equal((await safe).mark, "safe");
  chat.close();
  socket.close();
  w.end();
});

test("the built script behaves as its sources do", async () => {
  const files = ["failover", "moves", "outbox", "operator", "outage", "page"].map((name) => `test/${name}.test.js`);
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  await promisify(execFile)(process.execPath, ["--test", ...files], { cwd: new URL("..", import.meta.url), env: { ...env, LIVENS_BUILT: "1" }, maxBuffer: 1 << 26 });
});
