// Brings the checkout to where `npm start` and `npm test` can run: packages as the lock file has them, Node 24, and
// the page. Plain JavaScript without packages, because it runs on the host's Node 20 before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".headwater-setup");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .update(`${process.platform} ${process.arch}`)
  .digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  install();
  writeFileSync(stamp, wanted);
}
run(join(root, "node_modules", ".bin", "node"), [join(root, "apps", "page", "build.ts")]);

function install() {
  const [major = 0] = process.versions.node.split(".").map(Number);
  if (major < 20) fail(`Headwater needs Node 20 or newer to set itself up; this is ${process.version}.`);
  process.stderr.write("Headwater: installing packages (about 1.3 GB on disk, once) …\n");
  const started = Date.now();
  const progress = process.stderr.isTTY
    ? undefined
    : setInterval(() => process.stderr.write(`  … ${Math.round((Date.now() - started) / 1000)} s\n`), 10_000);
  // Packages ask for Node 22 and newer, which they will get: the `node` package below is what runs them. That is the
  // only thing npm would warn of here, so warnings are left out.
  run("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error", "--progress=true"], {
    // Its install script downloads CUDA libraries, which a CPU does not need and a closed network does not give.
    ONNXRUNTIME_NODE_INSTALL: "skip",
  });
  clearInterval(progress);
  if (!existsSync(join(root, "node_modules", ".bin", "node"))) {
    // Where install scripts are switched off, the `node` package has not fetched its binary yet.
    run("npm", ["rebuild", "node", "--ignore-scripts=false", "--foreground-scripts"]);
  }
  process.stderr.write(`Headwater: installed in ${Math.round((Date.now() - started) / 1000)} s\n`);
}

function run(command, args, environment = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, ...environment },
    shell: process.platform === "win32",
  });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) fail(`${command} ${args.join(" ")} ended with ${result.status ?? result.signal}`);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
