// Builds what browsers load: `node widget/build.mjs OUTDIR` writes OUTDIR/assets (hashed, with .br and .gz beside each file,
// manifest.json) and OUTDIR/console (the console's scripts from npm). Prints the sizes.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../build"));
/** @type {Record<string, string>} what is built, from what */
const ENTRIES = {
  loader: "loader.js", greet: "greet.js", panel: "panel.js", booking: "parts/booking.js",
  "lang-de": "lang/de.js", "lang-fr": "lang/fr.js", "lang-es": "lang/es.js",
};
const CONSOLE = ["htmx.org/dist/htmx.min.js", "idiomorph/dist/idiomorph-ext.min.js"];
const HASH = "0hash0hash"; // stands in the code until the hash is known

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

/** @type {import("esbuild").Plugin} `import("./lang/de.js")` becomes `import("./lang-de-<hash>.js")`, a file of its own. */
const chunks = {
  name: "chunks",
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path, kind }) => {
      if (kind !== "dynamic-import") return undefined;
      const name = Object.keys(ENTRIES).find((it) => path === "./" + ENTRIES[it]);
      if (!name) throw new Error(`no chunk is built from ${path}`);
      return { path: `./${name}-${HASH}.js`, external: true };
    });
  },
};

await main();

async function main() {
  const assets = join(out, "assets");
  rmSync(assets, { recursive: true, force: true });
  mkdirSync(assets, { recursive: true });
  const names = Object.keys(ENTRIES);
  const codes = await Promise.all(names.map(bundle));
  // One hash for all: the loader makes the other names out of the panel's, and files of two builds never meet.
  const hash = createHash("sha256").update(codes.join()).digest("hex").slice(0, HASH.length);
  const manifest = Object.fromEntries(names.map((name, at) => [name, store(assets, `${name}-${hash}.js`, codes[at].replaceAll(HASH, hash))]));
  writeFileSync(join(assets, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
  copyConsoleScripts();
  console.table(manifest, ["raw", "gz", "br"]);
}

/** @param {string} name @returns {Promise<string>} the code */
async function bundle(name) {
  const built = await esbuild.build({
    entryPoints: [join(here, ENTRIES[name])],
    format: name === "loader" ? "iife" : "esm",
    bundle: true, minify: true, write: false, target: "es2022", charset: "utf8", legalComments: "none",
    plugins: [minifiedCss, chunks],
  });
  return built.outputFiles[0].text;
}

/** @param {string} folder @param {string} file @param {string} text */
function store(folder, file, text) {
  const code = Buffer.from(text);
  const br = brotliCompressSync(code);
  const gz = gzipSync(code, { level: 9 });
  writeFileSync(join(folder, file), code);
  writeFileSync(join(folder, file + ".br"), br);
  writeFileSync(join(folder, file + ".gz"), gz);
  const sri = "sha384-" + createHash("sha384").update(code).digest("base64");
  return { file, sri, raw: code.length, gz: gz.length, br: br.length };
}

function copyConsoleScripts() {
  const require = createRequire(import.meta.url);
  mkdirSync(join(out, "console"), { recursive: true });
  for (const path of CONSOLE) copyFileSync(require.resolve(path), join(out, "console", basename(path)));
}
