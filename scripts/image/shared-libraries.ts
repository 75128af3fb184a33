import { spawnSync } from "node:child_process";

const known = new Map<string, readonly string[] | undefined>();

/**
 * The libraries that a native module or program loads.
 *
 * @returns absolute paths; undefined where this system cannot load it, as one for another platform
 */
export function needsOfNative(file: string): readonly string[] | undefined {
  if (!known.has(file)) known.set(file, askLoader(file));
  return known.get(file);
}

function askLoader(file: string): readonly string[] | undefined {
  const { status, stdout, error } = spawnSync("ldd", [file], { encoding: "utf8", env: { LC_ALL: "C" } });
  if (error) throw new Error(`ldd, which Debian's libc-bin has, could not be started: ${error.message}`);
  if (status !== 0 || stdout.includes("not found")) return undefined;
  // "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)" or, of the loader, "/lib64/ld-linux-x86-64.so.2 (0x…)".
  return [...stdout.matchAll(/(?:=>\s*|^\s*)(\/\S+) \(0x/gm)].map(([, path = ""]) => path);
}
