import { existsSync, globSync, readFileSync } from "node:fs";
import { extname, join, posix } from "node:path";
import { needsOfNative } from "./shared-libraries.ts";

/** An entry of package-lock.json; the key is the folder, from the root of the checkout. */
interface LockedPackage {
  /** Of a workspace: its folder does not say it. */
  readonly name?: string;
  readonly version?: string;
  /** A workspace: the key is a link to it. */
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** What npm installed, by folder. */
export type Lock = Readonly<Record<string, LockedPackage>>;

export function readLock(root: string): Lock {
  return JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
}

/** @returns the folders of `packages` and of all that they need at run time, on this platform; sorted */
export function closure(root: string, lock: Lock, packages: ReadonlyMap<string, string>): readonly string[] {
  const found = new Set<string>();
  const add = (name: string, from: string, optional: boolean) => {
    // For types alone: nothing that runs imports them.
    if (name === "typescript" || name.startsWith("@types/")) return;
    const folder = resolvePackage(lock, name, from);
    const there = folder !== undefined && existsSync(join(root, folder));
    if (!there && !optional) throw new Error(`${from} needs ${name}, which is not installed`);
    if (!there || found.has(folder)) return;
    found.add(folder);
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = lock[folder] ?? {};
    for (const needed of Object.keys(dependencies ?? {})) add(needed, folder, false);
    // npm installs those that are for this platform.
    for (const needed of Object.keys(optionalDependencies ?? {})) add(needed, folder, true);
    for (const needed of Object.keys(peerDependencies ?? {}))
      if (!peerDependenciesMeta?.[needed]?.optional) add(needed, folder, false);
  };
  for (const [name, importer] of packages) add(name, posix.dirname(importer), false);
  return [...found].sort();
}

/** As Node does it: the nearest `node_modules` upwards from `from` that has the package. */
function resolvePackage(lock: Lock, name: string, from: string): string | undefined {
  for (let folder = from; ; folder = posix.dirname(folder)) {
    const candidate = posix.join(folder, "node_modules", name);
    if (candidate in lock) return candidate;
    if (folder === ".") return undefined;
  }
}

/** Not read by what runs: types, maps, sources of TypeScript (which Node does not run from packages) and pages. */
const idle = new Set([".ts", ".mts", ".cts", ".map", ".md", ".markdown", ".flow", ".html", ".tsbuildinfo"]);
const native = /\.(node|dll|dylib|exe|pdb|lib)$|\.so(\.\d+)*$/;
export const isNative = (file: string) => native.test(file);

const legal = /^(licen[cs]e|notice|copying)/i;

/** @returns the files of a package that its code may need on this platform, from the root of the checkout; sorted */
export function filesOfPackage(root: string, folder: string): readonly string[] {
  return globSync("**/*", { cwd: join(root, folder), exclude: ["node_modules"], withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      const name = posix.basename(file);
      if (legal.test(name)) return true;
      if (isNative(name)) return needsOfNative(file) !== undefined;
      return !idle.has(extname(name));
    })
    .map((file) => posix.relative(root, file))
    .sort();
}
