import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { nodePath, user } from "./base.ts";
import type { Contents } from "./contents.ts";
import { appFolder, commonEnvironment, compileCacheFolder } from "./image-config.ts";
import type { Layers } from "./layers.ts";
import { mergeLayers } from "./layers.ts";

/**
 * Compiles every module of a component once, inside the root that a container will have, and adds what V8 made of it
 * to the layer of our code: at a start Node then neither strips types nor compiles.
 */
export function addCompileCache(layers: Layers, { component, sources }: Contents): void {
  const scratch = mkdtempSync(join(dirname(layers.code), "root-"));
  try {
    mergeLayers(layers, scratch);
    // Threads, and what starts a service, must not run: they are compiled, but `stop` is evaluated before them.
    const started = [component.entry, ...sources.workers];
    const others = sources.files.filter((file) => file.endsWith(".ts") && !started.includes(file));
    const modules = {
      "stop.mjs": "process.exit(0);",
      "started.mjs": ["stop.mjs", ...started].map((file) => `import "./${file}";`).join("\n"),
      "warm.mjs": [...others, "started.mjs"].map((file) => `await import("./${file}");`).join("\n"),
    };
    for (const [name, text] of Object.entries(modules)) writeFileSync(join(scratch, appFolder, name), text);
    const enter =
      process.getuid?.() === 0 ? ["/usr/sbin/chroot"] : ["/usr/bin/unshare", "--map-root-user", "--root"];
    // With chance and other threads out of it, the same modules give the same bytes. V8 takes what was compiled so.
    const node = [nodePath, "--predictable", "--random-seed=1", "--disable-warning=ExperimentalWarning"];
    run([...sameAddresses(), ...enter, scratch, ...node, `${appFolder}/warm.mjs`], commonEnvironment);
    takeCache(join(scratch, compileCacheFolder), join(layers.code, compileCacheFolder));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * V8 leaves a byte of an address in what it made of some classes. Where addresses cannot be fixed, as under Docker's
 * default rules, an image works as well, but is not the same when it is made again.
 */
function sameAddresses(): readonly string[] {
  const setarch = "/usr/bin/setarch";
  return spawnSync(setarch, ["-R", "true"]).status === 0 ? [setarch, "-R"] : [];
}

/** Node keeps a folder for each user, whose number ends its name. */
function takeCache(made: string, target: string): void {
  const [name = "", ...others] = readdirSync(made);
  if (!/-\d+$/.test(name) || others.length > 0)
    throw new Error(`unknown layout of Node's compile cache: ${[name, ...others].join(", ")}`);
  const folder = join(target, name.replace(/-\d+$/, `-${user.id}`));
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(join(made, name))) {
    copyFileSync(join(made, name, file), join(folder, file));
    chmodSync(join(folder, file), 0o644);
  }
}

function run([command = "", ...options]: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, error, signal } = spawnSync(command, options, { stdio: ["ignore", 2, 2], env });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status ?? signal}`);
}
