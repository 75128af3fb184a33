/**
 * Bundles the page into `dist/`: `index.html` (ask again each time), `assets/` (names carry a hash of their content,
 * so they may be cached for ever), `samples/` (the sample corpus that an empty store offers). Nothing is fetched from
 * elsewhere when the page runs. `npm start` calls this each time: it does nothing when no input has changed.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";
import { readSamples } from "./samples.ts";

const here = import.meta.dirname;
const root = join(here, "../..");

/** Folder that the gateway serves. */
export const distFolder = join(here, "dist");

/** @returns false where `folder` was already up to date */
export async function buildPage(folder = distFolder): Promise<boolean> {
  const stamp = join(folder, ".inputs");
  const inputs = hashOfInputs();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === inputs) return false;

  const result = await build({
    absWorkingDir: here,
    entryPoints: { page: "main.tsx", theme: "theme-boot.ts", style: "styles/index.css", icon: "icon.svg" },
    outdir: join(folder, "assets"),
    entryNames: "[name]-[hash]",
    bundle: true,
    minify: true,
    sourcemap: true,
    // Modules by top-level await and import.meta; two versions back of each evergreen browser.
    target: ["es2022", "chrome120", "firefox121", "safari17"],
    format: "esm",
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".svg": "copy" },
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "warning",
  });

  const written = new Set<string>([".inputs"]);
  const write = (path: string, content: string | Uint8Array) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    written.add(path);
  };
  const nameOf = (entry: string) => {
    const found = Object.entries(result.metafile.outputs).find(([, output]) => output.entryPoint === entry);
    if (!found) throw new Error(`the bundle has no output for ${entry}`);
    return `assets/${basename(found[0])}`;
  };

  for (const output of result.outputFiles) write(relative(folder, output.path), output.contents);
  const samples = readSamples(join(root, "samples"));
  for (const document of samples.documents)
    write(`samples/${document.path}`, readFileSync(join(root, "samples", document.path)));
  write("samples/manifest.json", JSON.stringify(samples));
  // Last, so that a page which is being served meanwhile never names what is not there yet.
  write(
    "index.html",
    readFileSync(join(here, "index.html"), "utf8")
      .replace("%THEME%", nameOf("theme-boot.ts"))
      .replace("%STYLE%", nameOf("styles/index.css"))
      .replace("%PAGE%", nameOf("main.tsx"))
      .replace("%ICON%", nameOf("icon.svg")),
  );
  for (const path of globSync("**/*", { cwd: folder })) {
    if (!written.has(path) && statSync(join(folder, path)).isFile()) rmSync(join(folder, path));
  }
  writeFileSync(stamp, inputs);
  report(result.outputFiles);
  return true;
}

function hashOfInputs(): string {
  const hash = createHash("sha256");
  const inputs = [
    ...globSync(["apps/page/**/*", "samples/**/*", "libs/client/**/*", "proto/gen/connect/**/*"], {
      cwd: root,
      exclude: ["apps/page/dist", "**/node_modules", "**/*.test.ts", "apps/page/testing"],
    }).sort(),
    "package-lock.json",
  ];
  for (const path of inputs) {
    const file = join(root, path);
    if (statSync(file).isFile()) hash.update(path).update("\0").update(readFileSync(file));
  }
  return hash.digest("hex");
}

function report(outputs: readonly { path: string; contents: Uint8Array }[]) {
  const sizes = outputs
    .filter(({ path }) => /\.(js|css)$/.test(path))
    .map(({ path, contents }) => {
      const small = brotliCompressSync(contents, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
      return `${basename(path)} ${kibibytes(contents.length)} (${kibibytes(small.length)} compressed)`;
    });
  process.stderr.write(`Headwater: page built: ${sizes.join(", ")}\n`);
}

const kibibytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;

if (process.argv[1] === import.meta.filename) await buildPage();
