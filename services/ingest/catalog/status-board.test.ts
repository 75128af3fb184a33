import assert from "node:assert/strict";
import { test } from "node:test";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import type { DocumentStatus } from "./document-record.ts";
import { StatusBoard } from "./status-board.ts";

function queued(documentId: string): DocumentStatus {
  return {
    ...{ tenant: "t", documentId, version: 1, title: "", uri: "", attributes: {}, sizeBytes: 1 },
    ...{ mediaType: "text/plain", observedAt: 1, state: DocumentState.QUEUED, failure: null },
    ...{ contentSha256: "", passages: 0, textLength: 0, updatedAt: 1 },
  };
}

test("what is queued as a write ends is written too, whatever the moment", async () => {
  const writtenAfter = async (steps: number): Promise<string[]> => {
    const ids: string[] = [];
    const ended = Promise.withResolvers<void>();
    const board = new StatusBoard(async (statuses) => {
      ids.push(...statuses.map(({ documentId }) => documentId));
      ended.resolve();
    }, assert.ifError);
    board.queue(queued("first"));
    const first = board.written();
    await ended.promise;
    for (let step = 0; step < steps; step += 1) await Promise.resolve();
    board.queue(queued("second"));
    await board.written();
    const written = [...ids];
    await first;
    await board.close();
    return written;
  };
  for (let steps = 0; steps < 20; steps += 1)
    assert.deepEqual(await writtenAfter(steps), ["first", "second"], `after ${steps} steps`);
});
