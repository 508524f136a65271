// The package as npm publishes it: packed, installed into an empty folder, imported, and an example of its README type-checked there.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const folder = fileURLToPath(new URL("..", import.meta.url));
const run = (cwd, command, ...args) => execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

test("npm pack yields a usable package", async (t) => {
  const page = mkdtempSync(join(tmpdir(), "livens-pack-"));
  t.after(() => rmSync(page, { recursive: true }));
  const [{ filename, files }] = [JSON.parse(run(folder, "npm", "pack", "--json", "--pack-destination", page))].map((out) => Object.values(out)[0]);
  const names = files.map((f) => f.path);
  for (const name of ["LICENSE", "README.md", "package.json", "livens-client.d.ts", "dist/livens-client.mjs", "dist/livens-client.js", "dist/livens-socket.mjs", "src/index.js"]) assert.ok(names.includes(name), name);
  assert.ok(!names.some((n) => /^(test|model|node_modules)\//.test(n) || n.endsWith(".go")), `${names}`);

  writeFileSync(join(page, "package.json"), '{"private": true, "type": "module"}');
  run(page, "npm", "install", "--offline", "--no-audit", "--no-fund", join(page, filename));
  writeFileSync(join(page, "use.js"), `
    import * as all from "livens-client";
    import * as socket from "livens-client/socket";
    import { createRequire } from "node:module";
    const pkg = createRequire(import.meta.url)("livens-client/package.json");
    console.log(JSON.stringify([Object.keys(all).sort(), Object.keys(socket).sort(), pkg.license, pkg.sideEffects, pkg.dependencies ?? null]));`);
  assert.deepEqual(JSON.parse(run(page, process.execPath, "use.js")), [["ChatSession", "FailoverSocket", "failoverFetch"], ["FailoverSocket", "failoverFetch"], "MIT", false, null]);

  const examples = [...readFileSync(join(folder, "README.md"), "utf8").matchAll(/```(?:js|ts)\n([^]*?)```/g)].map((m) => m[1]).filter((text) => text.includes('from "livens-client'));
  assert.ok(examples.length >= 2, "examples in the README");
  examples.forEach((text, i) => writeFileSync(join(page, `example${i}.ts`), text));
  const tsc = join(folder, "node_modules/typescript/bin/tsc");
  for (const resolution of ["bundler", "nodenext", "node10"]) {
    const kind = resolution == "nodenext" ? "nodenext" : "esnext";
    const check = (...more) => run(page, process.execPath, tsc, "--noEmit", "--strict", "--target", "es2022", "--module", kind, "--moduleResolution", resolution, ...more);
    check(...examples.map((_, i) => `example${i}.ts`));
    if (resolution != "bundler") continue;
    writeFileSync(join(page, "wrong.ts"), 'import { ChatSession } from "livens-client"; new ChatSession({ pool: 7 });');
    assert.throws(() => check("wrong.ts"), (e) => /TS2/.test(String(e.stdout)), "the types say no");
    writeFileSync(join(page, "none.ts"), 'import { ChatSession } from "livens-client/socket"; ChatSession;');
    assert.throws(() => check("none.ts"), (e) => /TS2/.test(String(e.stdout)), "it is not in that one");
  }
});

test("package-lock.json and package.json name no registry", () => {
  for (const name of ["package-lock.json", "package.json", ".npmrc"]) assert.doesNotMatch(readFileSync(join(folder, name), "utf8"), /"resolved"|registry[ =]|https?:\/\/(?!opencollective|github)/, name);
});
