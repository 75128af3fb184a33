import assert from "node:assert/strict";
import { after, test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { startHarness } from "../testing/ingest-harness.ts";

const ingest = await startHarness(await temporaryFolder());
after(() => ingest.close());
const { call } = ingest.client;

/** The only letter of a document. */
async function letterOf(documentId: string, tenant = "default") {
  const { deadLetters } = await call.listDeadLetters({ tenant });
  const found = deadLetters.find((letter) => letter.documentId === documentId);
  assert(found, documentId);
  return found;
}

test("a dead letter tells why, where from, and what its event says; the content only when asked", async () => {
  const attributes = { team: "blue" };
  await ingest.push({ id: "a", version: 3, title: "Title", uri: "file:///a", attributes, text: "poison" });
  await ingest.settled();
  const listed = await letterOf("a");
  const letter = await call.getDeadLetter({ id: listed.id });
  assert.deepEqual(letter.deadLetter, listed);
  assert.equal(letter.deadLetter?.failure?.stage, "parse");
  const { metadata } = letter;
  assert.deepEqual(
    [metadata?.version, metadata?.title, metadata?.uri, metadata?.attributes],
    [3, "Title", "file:///a", attributes],
  );
  assert((letter.appendedTime?.getTime() ?? 0) <= (letter.deadLetter?.failedTime?.getTime() ?? 0));
  assert.deepEqual([letter.sizeBytes, letter.content.length], [6, 0]);
  const { content } = await call.getDeadLetter({ id: listed.id, withContent: true });
  assert.equal(Buffer.from(content).toString(), "poison");
});

test("an event that cannot be read is shown as the bytes that it is", async () => {
  const value = Buffer.from("{not an event");
  await ingest.stores.log.append([{ key: "default/odd", value, headers: { source: "elsewhere" } }]);
  await ingest.settled();
  const { id } = await letterOf("odd");
  const letter = await call.getDeadLetter({ id, withContent: true });
  assert.equal(letter.metadata, undefined);
  assert.deepEqual([letter.headers, letter.sizeBytes], [{ source: "elsewhere" }, value.length]);
  assert.deepEqual(Buffer.from(letter.content), value);
});

test("one among many is found, one of another tenant or none is not", async () => {
  const many = Array.from({ length: 45 }, (_, at) => ({ id: `many ${at}`, tenant: "many", text: "poison" }));
  await ingest.push(...many);
  await ingest.settled();
  const { id } = await letterOf("many 0", "many");
  assert.equal((await call.getDeadLetter({ id, tenant: "many" })).deadLetter?.documentId, "many 0");
  for (const request of [{ id }, { id: "none", tenant: "many" }, { tenant: "many" }])
    await assert.rejects(call.getDeadLetter(request), { reason: "HW_DEAD_LETTER_NOT_FOUND" });
});
