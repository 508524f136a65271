// Builds dist/ from src/: `node build.js` writes it, the tests compare a fresh build with what is committed.
import { writeFileSync, mkdirSync } from "node:fs";
import { buildSync } from "esbuild";

const folder = new URL("./", import.meta.url).pathname;
const common = { bundle: true, minify: true, target: "es2022", legalComments: /** @type {const} */ ("none"), write: false, absWorkingDir: folder, charset: /** @type {const} */ ("ascii") };

/** @returns {Record<string, Uint8Array>} the files of dist/ by name */
export function build() {
  const one = (/** @type {import("esbuild").BuildOptions} */ options) => buildSync({ ...common, ...options }).outputFiles?.[0].contents ?? new Uint8Array();
  return {
    "livens-client.mjs": one({ entryPoints: ["src/index.js"], format: "esm" }),
    "livens-client.js": one({ entryPoints: ["src/index.js"], format: "iife", globalName: "livens" }),
    "livens-socket.mjs": one({ entryPoints: ["src/socket-only.js"], format: "esm" }),
    "loader.js": one({ entryPoints: ["src/loader.js"], bundle: false, target: "es2017" }),
  };
}

if (process.argv[1] == new URL(import.meta.url).pathname) {
  mkdirSync(folder + "dist", { recursive: true });
  for (const [name, bytes] of Object.entries(build())) writeFileSync(folder + "dist/" + name, bytes);
}
