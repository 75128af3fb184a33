import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { lockDataFolder } from "./data-folder-lock.ts";

test("a second process is refused with the first one's id, and `kill -9` of the first leaves nothing behind", async () => {
  const folder = await temporaryFolder();
  const module = new URL("./data-folder-lock.ts", import.meta.url).href;
  const script = `const { lockDataFolder } = await import(${JSON.stringify(module)});
    lockDataFolder(${JSON.stringify(folder)}); process.stdout.write("locked"); setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(other, "exit");
  await once(other.stdout, "data");

  assert.throws(() => lockDataFolder(folder), {
    reason: "HW_DATA_FOLDER_IN_USE",
    message: `The data folder ${folder} is in use by another Headwater (process ${other.pid}).`,
  });

  other.kill("SIGKILL");
  await ended;
  lockDataFolder(folder).release();
});

test("a released folder can be taken again", async () => {
  const folder = await temporaryFolder();
  lockDataFolder(folder).release();
  lockDataFolder(folder).release();
});
