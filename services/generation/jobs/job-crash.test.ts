import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@headwater/testing";

const main = fileURLToPath(new URL("../testing/mortal-jobs.ts", import.meta.url));

interface Line {
  running?: string;
  completed?: string;
  attempts?: number;
  output?: { attempts: number };
}

test("a job whose process is killed is started again, once, and that attempt counts", async () => {
  const folder = await temporaryFolder();
  const start = () => {
    const child = spawn(process.execPath, [main, folder], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    return { child, ended, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  };
  const first = start();
  const { value: began } = await first.lines.next();
  const { running, attempts } = JSON.parse(began ?? "{}") as Line;
  assert.equal(attempts, 1);
  first.child.kill("SIGKILL");
  await first.ended;

  const second = start();
  const seen: Line[] = [];
  for await (const line of second.lines) seen.push(JSON.parse(line) as Line);
  await second.ended;
  assert.deepEqual(seen, [
    { running, attempts: 2 },
    { completed: running, output: { attempts: 2 } },
  ]);
});
