import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import type { Change } from "./source.ts";
import type { Library } from "./testing/library.ts";
import { startLibrary } from "./testing/library.ts";

let library: Library;

before(async () => {
  library = await startLibrary();
});
after(() => library.close());
afterEach(async () => {
  for (const id of Object.keys(await library.texts())) await library.client.documents.delete(id);
});

function put(id: string, content: string | AsyncIterable<Uint8Array> = id): Change {
  return { kind: "put", id, open: async () => ({ id, content }) };
}

const broken = (error: Error) =>
  async function* () {
    yield Buffer.from("the beginning");
    throw error;
  };
const unreadable = new HeadwaterError({
  ...{ code: status.FAILED_PRECONDITION, reason: "HW_FILE_UNREADABLE", message: "Broken." },
});

test("many changes go in several pushes, and all are told", async () => {
  const { delivery } = library.hire();
  library.take("sent");
  const ids = Array.from({ length: 600 }, (_, at) => `many/${String(at).padStart(3, "0")}`);
  await delivery.deliver(ids.map((id) => put(id)));
  await delivery.settled();
  assert.deepEqual(library.take("indexed"), ids);
  await delivery.deliver(ids.map((id) => ({ kind: "delete", id })));
  assert.deepEqual(await library.texts(), {});
});

test("a document that is refused, that has gone, or whose source breaks, is in nobody's way", async () => {
  const { delivery, account } = library.hire();
  const gone: Change = { kind: "put", id: "gone", open: async () => undefined };
  const unopened: Change = { kind: "put", id: "unopened", open: () => Promise.reject(unreadable) };
  await delivery.deliver([
    put("a"),
    put("refused"),
    gone,
    put("breaks", broken(unreadable)()),
    unopened,
    put("b"),
  ]);
  assert.deepEqual(Object.keys(await library.texts()), ["a", "b"]);
  assert.deepEqual(library.take("refused"), ["breaks", "refused", "unopened"]);
  assert.equal(account.refusals, 3);
});

test("a source that is away for a moment is asked again", async () => {
  const away = new HeadwaterError({
    ...{ code: status.UNAVAILABLE, reason: "HW_S3_UNAVAILABLE", message: "Away." },
  });
  const { delivery } = library.hire();
  let opened = 0;
  const open = async () => {
    opened += 1;
    return { id: "a", content: opened === 1 ? broken(away)() : "whole" };
  };
  await delivery.deliver([{ kind: "put", id: "a", open }]);
  assert.deepEqual(await library.texts(), { a: "whole" });
});

test("a mistake in a source is not taken for a fault that passes", async () => {
  const { delivery } = library.hire();
  await assert.rejects(delivery.deliver([put("a", broken(new TypeError("mistake"))())]), {
    reason: "HW_INTERNAL",
  });
});

test("what has no receipt when the connection breaks is sent again", async () => {
  const { delivery } = library.hire();
  let cut = false;
  const open = async () => {
    if (!cut) library.way.shake();
    cut = true;
    return { id: "b", content: "b" };
  };
  await delivery.deliver([put("a"), { kind: "put", id: "b", open }, put("c")]);
  assert.deepEqual(Object.keys(await library.texts()), ["a", "b", "c"]);
});
