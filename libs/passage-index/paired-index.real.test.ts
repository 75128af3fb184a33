import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { realServer } from "@headwater/testing";
import { passageIndexConformance } from "./conformance.ts";
import { dimensions, vectorOf } from "./conformance-documents.ts";
import { PairedServers } from "./testing/paired-servers.ts";

const elastic = realServer("ELASTICSEARCH_URL");
if (elastic !== undefined) {
  const servers = await PairedServers.start(elastic);
  after(() => servers.stop());
  // The suite asks at once what another process has made to serve.
  passageIndexConformance(`paired: ${servers.name}`, async (place) =>
    servers.open(place, { activeForMs: 0 }),
  );

  test("kill -9 of a writer at any moment leaves each document whole and once", async () => {
    const prefix = `killed-${process.pid}`;
    const store = servers.open(prefix);
    const index = await store.create({ model: "m", chunking: "c" }, dimensions);
    await store.activate(index);
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < 6; round += 1) {
      const child = fork(join(import.meta.dirname, "testing/endless-writer.ts"), ["", String(round)], {
        env: { ...process.env, ...servers.environment(prefix) },
      });
      const ready = once(child, "message");
      child.on("message", (message) => {
        const { id, version } = message as { id: string; version: number };
        acknowledged.set(id, version);
      });
      await ready;
      await delay(20 + 37 * round);
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;

      const listed = await Array.fromAsync(index.listDocuments());
      for (const { documentId, version, lexicalPassages, vectorPassages } of listed) {
        const whole = 1 + (version % 4);
        assert.deepEqual(
          [lexicalPassages, vectorPassages],
          [whole, whole],
          `${documentId} version ${version}`,
        );
      }
      for (const [id, version] of acknowledged) {
        const found = listed.find(({ documentId }) => documentId === id);
        assert(found && found.version >= version, `${id}: ${found?.version}, though ${version} was done`);
      }
      const count = await index.count();
      const filter = { tenant: "default" };
      const words = await index.searchLexical("wing", filter, 1000);
      const vectors = await index.searchVector(vectorOf("wing"), filter, 1000);
      assert.deepEqual([words.length, vectors.length], [count, count]);
    }
    assert(acknowledged.size > 0);
    await store.close();
  });
}
