import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodePath, user } from "./base.ts";
import type { Component } from "./component.ts";
import { appFolder, compileCacheFolder, environment } from "./image-config.ts";
import type { LayerName } from "./layers.ts";
import { layerNames } from "./layers.ts";
import type { Sources } from "./sources.ts";

/**
 * Compiles every module of a component once, and adds what V8 made of it to the layer of our code: Node then neither
 * strips types nor compiles at a start, and loads the root of the container read-only.
 *
 * @param folder of the layers
 */
export function addCompileCache(folder: string, component: Component, sources: Sources): void {
  const scratch = mkdtempSync(join(folder, "root-"));
  try {
    // The layers as a container sees them, by hard links.
    for (const layer of layerNames) run(["cp", "-al", `${join(folder, layer)}/.`, scratch], process.env);
    const app = join(scratch, appFolder);
    const modules = sources.files.filter((file) => file.endsWith(".ts"));
    // A worker, or what starts a service, must not run: `stop` ends the process when these are compiled and before
    // the first of them is evaluated.
    const started = new Set([component.entry, ...sources.workers]);
    const statement = (file: string) => `import ${JSON.stringify(`./${file}`)};`;
    writeFileSync(join(app, "stop.mjs"), "process.exit(0);");
    writeFileSync(
      join(app, "compile.mjs"),
      ["import './stop.mjs';", ...[...started].map(statement)].join("\n"),
    );
    const imported = modules
      .filter((file) => !started.has(file))
      .map((file) => `await import(${JSON.stringify(`./${file}`)});`);
    writeFileSync(join(app, "warm.mjs"), [...imported, "await import('./compile.mjs');"].join("\n"));
    const enter =
      process.getuid?.() === 0 ? ["/usr/sbin/chroot"] : ["/usr/bin/unshare", "--map-root-user", "--root"];
    const warm = [
      nodePath,
      "--random-seed=1",
      "--disable-warning=ExperimentalWarning",
      `${appFolder}/warm.mjs`,
    ];
    run([...enter, scratch, ...warm], environment);
    const cache = join(scratch, compileCacheFolder);
    const [made = "", ...others] = readdirSync(cache);
    if (!/-\d+$/.test(made) || others.length > 0)
      throw new Error(`unknown layout of the compile cache: ${made} ${others}`);
    // Node keeps a folder for each user, by number.
    const target = join(
      folder,
      "code" satisfies LayerName,
      compileCacheFolder,
      made.replace(/-\d+$/, `-${user.id}`),
    );
    mkdirSync(target, { recursive: true });
    for (const file of readdirSync(join(cache, made))) {
      copyFileSync(join(cache, made, file), join(target, file));
      chmodSync(join(target, file), 0o644);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function run([command = "", ...options]: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, error, signal } = spawnSync(command, options, { stdio: ["ignore", 2, 2], env });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status ?? signal}`);
}
