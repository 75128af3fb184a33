import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { BlobStore } from "./blob-store.ts";

/**
 * Kills a process that puts blobs, a few times at random moments, and looks at what is left: each blob whole, and the
 * latest that was done or a later one.
 *
 * @param kind as fixtures/putting-process.ts takes it
 * @returns the store, opened anew
 */
export async function checkKilled(
  kind: "embedded" | "folder",
  data: string,
  open: (options: { readonly folder: string }) => Promise<BlobStore>,
): Promise<BlobStore> {
  const latest = new Map<string, number>();
  for (let round = 0; round < 4; round += 1) {
    const path = join(import.meta.dirname, "fixtures", "putting-process.ts");
    const child = spawn(process.execPath, [path, kind, data, String(round * 1_000_000)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const killAfter = 5 + Math.floor(Math.random() * 40);
    let count = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const [key, number] = line.split(" ");
      latest.set(key ?? "", Number(number));
      count += 1;
      if (count === killAfter) setTimeout(() => child.kill("SIGKILL"), Math.random() * 5);
    }
    assert.ok(count >= killAfter, `round ${round} ended by itself`);
  }
  const store = await open({ folder: data });
  for (const [key, number] of latest) {
    const content = Buffer.concat(await Array.fromAsync((await store.get(key)) ?? assert.fail(key)));
    const found = content.readUInt32LE(0);
    assert.ok(found >= number, `${key} went back`);
    assert.equal(content.length, found % 2 === 0 ? 1_000_000 : 1_000);
    for (let at = 0; at < content.length; at += 4) {
      if (content.readUInt32LE(at) !== found) assert.fail(`${key} is mixed`);
    }
  }
  return store;
}
