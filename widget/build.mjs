// Builds what browsers load: `node widget/build.mjs OUTDIR` writes OUTDIR/assets (hashed, with .br and .gz beside each file,
// manifest.json) and OUTDIR/console (the console's scripts from npm). Keeps the files of earlier builds. Prints the sizes.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../build"));
/** @type {Record<string, string>} what is built, from what; `loader` and `pinned` are the same but for what pinned is sure of */
const ENTRIES = {
  booking: "parts/booking.js", "lang-de": "lang/de.js", "lang-fr": "lang/fr.js", "lang-es": "lang/es.js",
  inline: "inline.js", panel: "panel.js", greet: "greet.js",
  loader: "loader.js", pinned: "loader.js",
};
const LOADERS = ["loader", "pinned"];
/** @type {Record<string, string[]>} who knows what the parts it loads must be, byte by byte */
const LOADS = { pinned: ["greet"], greet: ["inline", "panel"], panel: ["booking", "lang-de", "lang-fr", "lang-es"] };
const CONSOLE = ["htmx.org/dist/htmx.min.js", "idiomorph/dist/idiomorph-ext.min.js"];
const HASH = "0hash0hash"; // stands in the code until the hash is known
const BUILDS = 10; // so many stay: pages may be pinned to an older one, or open since before
const HASHED = /^[a-z-]+-([0-9a-f]{10})\.js(\.br|\.gz)?$/;

/** @type {import("esbuild").Plugin} A stylesheet becomes a text, minified. */
const minifiedCss = {
  name: "minified-css",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const css = await esbuild.transform(readFileSync(path, "utf8"), { loader: "css", minify: true, target: "es2022" });
      return { contents: css.code.trim(), loader: "text" };
    });
  },
};

await main();

async function main() {
  const assets = join(out, "assets");
  mkdirSync(assets, { recursive: true });
  const names = Object.keys(ENTRIES);
  const codes = await Promise.all(names.map(bundle));
  // One hash for all: the loader makes the other names out of the panel's, and files of two builds never meet.
  const hash = createHash("sha256").update(codes.join()).digest("hex").slice(0, HASH.length);
  /** @type {Record<string, ReturnType<typeof store>>} */
  const manifest = {};
  for (const [at, name] of names.entries()) {
    const code = codes[at].replaceAll(HASH, hash).replace(/pin:([a-z-]+)/g, (_, of) => manifest[of].pin);
    manifest[name] = store(assets, `${name}-${hash}.js`, code);
  }
  writeFileSync(join(assets, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
  sweep(assets, hash);
  copyConsoleScripts();
  console.table(manifest, ["raw", "gz", "br"]);
}

/** @param {string} name @returns {Promise<string>} the code */
async function bundle(name) {
  const built = await esbuild.build({
    entryPoints: [join(here, ENTRIES[name])],
    format: LOADERS.includes(name) ? "iife" : "esm",
    bundle: true, minify: true, write: false, target: "es2022", charset: "utf8", legalComments: "none",
    plugins: [minifiedCss],
    tsconfigRaw: {}, // else "use strict" in front of the loader
    define: {
      PINNED: String(name === "pinned"),
      HASH: JSON.stringify(HASH),
      "PINS.greet": '"pin:greet"', // the pinned loader has no room for an object
      PINS: JSON.stringify(Object.fromEntries((LOADS[name] ?? []).map((it) => [it, "pin:" + it]))),
    },
  });
  return built.outputFiles[0].text;
}

/** Deletes the oldest builds. @param {string} folder @param {string} present hash of the build that was just made */
function sweep(folder, present) {
  const files = readdirSync(folder).map((file) => ({ file, hash: HASHED.exec(file)?.[1] ?? "" })).filter(({ hash }) => hash);
  /** @type {Map<string, number>} */
  const made = new Map();
  for (const { file, hash } of files) made.set(hash, Math.max(made.get(hash) ?? 0, statSync(join(folder, file)).mtimeMs));
  made.set(present, Infinity);
  const kept = new Set([...made.keys()].sort((a, b) => Number(made.get(b)) - Number(made.get(a))).slice(0, BUILDS));
  for (const { file, hash } of files) if (!kept.has(hash)) rmSync(join(folder, file));
}

/** @param {string} folder @param {string} file @param {string} text */
function store(folder, file, text) {
  const code = Buffer.from(text);
  const br = brotliCompressSync(code);
  const gz = gzipSync(code, { level: 9 });
  writeFileSync(join(folder, file), code);
  writeFileSync(join(folder, file + ".br"), br);
  writeFileSync(join(folder, file + ".gz"), gz);
  const [sri, pin] = ["sha384", "sha256"].map((kind) => `${kind}-${createHash(kind).update(code).digest("base64")}`);
  return { file, sri, pin, raw: code.length, gz: gz.length, br: br.length };
}

function copyConsoleScripts() {
  const require = createRequire(import.meta.url);
  mkdirSync(join(out, "console"), { recursive: true });
  for (const path of CONSOLE) copyFileSync(require.resolve(path), join(out, "console", basename(path)));
}
