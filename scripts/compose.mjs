// `npm run compose`: makes the secrets that are not there, then starts docker-compose.yml and waits until all is healthy.
// Plain JavaScript, because it may run on the host's Node 20. Arguments go to `docker compose up`.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "deploy", "secrets");
const secret = () => randomBytes(24).toString("base64url");
const secrets = { postgres: secret, s3: secret, "api-keys": () => `${secret()} default\n` };

// Others on the machine keep out at the folder; within it, containers run as users of their own and must read.
mkdirSync(folder, { recursive: true, mode: 0o700 });
for (const [name, make] of Object.entries(secrets)) {
  const file = join(folder, name);
  if (!existsSync(file)) writeFileSync(file, make(), { mode: 0o444 });
}

const { status, error } = spawnSync(
  "docker",
  ["compose", "up", "--build", "--detach", "--wait", ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit" },
);
if (error) process.stderr.write(`docker could not be started: ${error.message}\n`);
if (status === 0) {
  const [key] = readFileSync(join(folder, "api-keys"), "utf8").split(" ");
  process.stdout.write(
    `\nHeadwater is up: http://127.0.0.1:8080, API key ${key}\nEnd it with: docker compose down\n`,
  );
}
process.exitCode = status ?? 1;
