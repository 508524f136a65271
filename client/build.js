// Builds dist/ from src/: `node build.js` writes it, the tests compare a fresh build with what is committed. esbuild bundles; terser, which makes a
// twentieth less of it, minifies.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { minify } from "terser";

const folder = fileURLToPath(new URL("./", import.meta.url));

/**
 * Names of members that never leave the script, and may be shortened. None of them may be a page's, a browser's, or on the wire.
 */
export const INTERNAL = [
  "doubt", "ended", "ends", "failed", "fresh", "gone", "greeted", "hear", "heard", "held", "isOpen", "known", "latest", "opened", "over", "owes",
  "prefer", "restart", "scout", "settle", "settles", "shown", "take", "trust", "wakes", "whole", "won", "emit", "down", "final", "frame", "next", "ask", "due",
  "bind", "all", "first", "inUse", "stop", "turn", "shuns", "shunned", "fail", "reset", "list", "isDirect", "used", "config", "home", "advice",
  "eager", "begins", "check", "follow", "filled", "judge", "greeting", "others", "late",
];

/** @param {string} entry @param {RegExp} [mangleProps] @returns {Promise<string>} */
async function bundle(entry, mangleProps) {
  const options = { entryPoints: [entry], absWorkingDir: folder, bundle: true, write: false, minifySyntax: true, minifyWhitespace: true };
  const [file] = buildSync({ .../** @type {any} */ (options), format: "esm", target: "es2022", mangleProps }).outputFiles ?? [];
  const { code } = await minify(file.text, { module: true, ecma: 2020, compress: { passes: 2, unsafe_arrows: true, pure_getters: true, hoist_funs: true, unsafe_methods: true, unsafe_comps: true }, format: { ascii_only: true } });
  return code + "\n";
}

/** @param {string} module @returns {string} the same as a classic script that defines the global livens */
function classic(module) {
  const [exported, list] = /** @type {RegExpMatchArray} */ (module.match(/export\{([^}]*)\};\s*$/));
  const members = list.split(",").map((pair) => pair.split(" as ").reverse().join(":"));
  return `var livens=(()=>{"use strict";${module.slice(0, -exported.length)}return{${members}}})();\n`;
}

/** @returns {Promise<Record<string, string>>} the files of dist/ by name */
export async function build() {
  const internal = new RegExp(`^(${INTERNAL.join("|")})$`);
  const all = await bundle("src/index.js", internal);
  return {
    "livens-client.mjs": all,
    "livens-client.js": classic(all),
    "livens-socket.mjs": await bundle("src/socket-only.js", internal),
    "loader.js": await bundle("src/loader.js"),
  };
}

if (process.argv[1] == fileURLToPath(import.meta.url)) {
  mkdirSync(folder + "dist", { recursive: true });
  for (const [name, text] of Object.entries(await build())) writeFileSync(folder + "dist/" + name, text);
}
