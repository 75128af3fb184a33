#!/usr/bin/env node
// Starts the command on the Node 24 that comes with the packages, whatever Node the shell finds first. Plain
// JavaScript, because it may run on the host's Node 20.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import(main);
} else {
  const node = bundledNode();
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  // The terminal sends Ctrl-C to both; a signal sent to this process alone has to be passed on.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`headwater: ${node} could not be started: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = signal ? 1 : (code ?? 1);
  });
}

function bundledNode() {
  const require = createRequire(import.meta.url);
  try {
    const node = join(dirname(require.resolve("node/package.json")), "bin", "node");
    if (existsSync(node)) return node;
  } catch {
    // Not installed: told below, as a missing file is.
  }
  process.stderr.write(
    "headwater: Node 24 is not installed yet. Run `npm run setup` in the checkout first.\n",
  );
  process.exit(1);
}
