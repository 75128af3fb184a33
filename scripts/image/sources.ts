import { globSync, readFileSync, statSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import type { Plugin } from "esbuild";
import { build } from "esbuild";
import { leftOut } from "./component.ts";

/** What a module needs to run, found by following what it imports. */
export interface Sources {
  /** Our own modules and the files beside them that they read, from the root of the checkout; sorted. */
  readonly files: readonly string[];
  /** Those of them that start a thread. */
  readonly workers: readonly string[];
  /** Packages of others that they import, with a module that does. */
  readonly packages: ReadonlyMap<string, string>;
}

/** Files and folders that a module finds by where it stands itself: workers, the model, the page. */
const neighbours = /new URL\(\s*["'`]([^"'`$]+)["'`],\s*import\.meta\.url\s*,?\s*\)/g;

/** Another way to find them, which is not followed: what is found by it would be missing in an image. */
const hidden = /import\.meta\.(dirname|filename)/;

/** Packages that a module finds without an import. */
const lookedUp = /(?:\brequire|import\.meta\.resolve)\(\s*["']([^"'.][^"']*)["']/g;

export async function traceSources(root: string, entry: string): Promise<Sources> {
  const modules = new Set<string>();
  const data = new Set<string>();
  const packages = new Map<string, string>();
  const workers = new Set<string>();
  const waiting = [entry];
  while (waiting.length > 0) {
    for (const module of await reachable(root, waiting.splice(0), packages)) {
      if (modules.has(module)) continue;
      modules.add(module);
      const text = readFileSync(join(root, module), "utf8");
      if (hidden.test(text))
        throw new Error(
          `${module} has to name files as new URL("…", import.meta.url): images follow nothing else`,
        );
      for (const [, specifier = ""] of text.matchAll(lookedUp)) addPackage(packages, specifier, module);
      for (const [, specifier = ""] of text.matchAll(neighbours)) {
        const path = relative(root, resolve(root, dirname(module), specifier));
        if (path.startsWith("node_modules")) continue;
        if (path.endsWith(".ts")) {
          workers.add(path);
          waiting.push(path);
        } else for (const file of filesAt(root, path, module)) data.add(file);
      }
    }
  }
  return { files: [...modules, ...data].sort(), workers: [...workers].sort(), packages };
}

/** Our modules that the entries import, statically or by `import()`; packages of others are noted. */
async function reachable(root: string, entries: string[], packages: Map<string, string>): Promise<string[]> {
  const others: Plugin = {
    name: "packages of others",
    setup({ onResolve }) {
      onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
        if (kind === "entry-point" || path.startsWith("@headwater/")) return undefined;
        addPackage(packages, path, relative(root, importer));
        return { path, external: true };
      });
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) =>
        leftOut.includes(relative(root, resolve(resolveDir, path))) ? { path, external: true } : undefined,
      );
    },
  };
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries.map((entry) => `./${entry}`),
    outdir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
    plugins: [others],
  });
  return Object.keys(metafile.inputs);
}

function addPackage(packages: Map<string, string>, specifier: string, importer: string): void {
  if (isBuiltin(specifier) || specifier.startsWith("@headwater/")) return;
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  if (!packages.has(name)) packages.set(name, importer);
}

function filesAt(root: string, path: string, module: string): string[] {
  const found = statSync(join(root, path), { throwIfNoEntry: false });
  if (!found) throw new Error(`${module} reads ${path}, which is not there: run \`npm run setup\` first`);
  if (found.isFile()) return [path];
  return globSync("**/*", { cwd: join(root, path), exclude: ["**/*.map"] })
    .map((file) => join(path, file))
    .filter((file) => statSync(join(root, file)).isFile());
}
