import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import { recordKey } from "@headwater/document-log";
import type { HeadwaterError } from "@headwater/errors";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { temporaryFolder } from "@headwater/testing";
import { eventually, startHarness, statesOf, streamOf } from "./testing/ingest-harness.ts";

const ingest = await startHarness(await temporaryFolder());
after(() => ingest.close());
beforeEach(() => {
  ingest.worker.onRequest = () => {};
});

async function reasonOf(call: Promise<unknown> | AsyncIterable<unknown>): Promise<string> {
  try {
    if (Symbol.asyncIterator in call) for await (const _ of call);
    else await call;
  } catch (thrown) {
    return (thrown as HeadwaterError).reason;
  }
  return "no error";
}

describe("a document's way", () => {
  test("from push to the indexes, with text and original to be had", async () => {
    const [receipt] = await ingest.push({ id: "a/b", title: "T", text: "one\ntwo", attributes: { k: "v" } });
    assert.deepEqual((await statesOf(ingest.client, "a/b")).at(-1), DocumentState.INDEXED);
    const document = await ingest.state("a/b");
    assert.equal(document.passages, 2);
    assert.equal(document.textLength, 7);
    assert.equal(document.sizeBytes, 7);
    assert.equal(document.metadata?.version, receipt?.version);
    assert.equal(document.metadata?.mediaType, "text/plain");
    assert.deepEqual(ingest.indexes.current.textsOf("default", "a/b"), [
      `${receipt?.version}:one`,
      `${receipt?.version}:two`,
    ]);
    const passage = [...ingest.indexes.current.passages.values()].find(({ text }) => text === "two");
    assert.deepEqual(
      [passage?.start, passage?.end, passage?.title, passage?.attributes],
      [4, 7, "T", { k: "v" }],
    );
    assert.equal(passage?.vector.length, 4);

    const text = await ingest.client.call.getText({ id: "a/b", range: { start: 4, end: 100 } });
    assert.deepEqual([text.text, text.range, text.textLength], ["two", { start: 4, end: 7 }, 7]);
    const pieces = [];
    for await (const piece of ingest.client.call.getOriginal({ id: "a/b" })) pieces.push(piece);
    assert.equal(Buffer.concat(pieces.map(({ data }) => data)).toString(), "one\ntwo");
    assert.equal(pieces[0]?.metadata?.title, "T");
  });

  test("the same content again costs no parsing, no embedding and no write to the indexes", async () => {
    await ingest.push({ id: "same", text: "x" });
    await ingest.settled();
    const before = [
      ingest.processor.processed,
      ingest.worker.embedded.length,
      ingest.indexes.current.commits,
    ];
    const [receipt] = await ingest.push({ id: "same", text: "x" });
    await ingest.settled();
    assert.deepEqual(
      [ingest.processor.processed, ingest.worker.embedded.length, ingest.indexes.current.commits],
      before,
    );
    const document = await ingest.state("same");
    assert.deepEqual([document.state, document.metadata?.version], [DocumentState.INDEXED, receipt?.version]);
    // The new version is served by the passages and the text of the old one.
    assert.equal(
      (await ingest.client.call.getText({ id: "same", version: receipt?.version ?? 0 })).text,
      "x",
    );
  });

  test("a changed title makes new passages", async () => {
    await ingest.push({ id: "titled", title: "old", text: "x" });
    await ingest.push({ id: "titled", title: "new", text: "x" });
    await ingest.settled();
    const titles = [...ingest.indexes.current.passages.values()]
      .filter((p) => p.documentId === "titled")
      .map((p) => p.title);
    assert.deepEqual(titles, ["new"]);
  });

  test("a document that shrinks leaves no orphan, in the indexes or among the blobs", async () => {
    await ingest.push(
      { id: "shrinks", version: 1, text: "1\n2\n3" },
      { id: "shrinks", version: 2, text: "4" },
    );
    await ingest.settled();
    assert.deepEqual(ingest.indexes.current.textsOf("default", "shrinks"), ["2:4"]);
    assert.equal(
      await reasonOf(ingest.client.call.getText({ id: "shrinks", version: 1 })),
      "HW_TEXT_NOT_FOUND",
    );
  });

  test("an older version comes too late, in whatever order", async () => {
    await ingest.push({ id: "late", version: 5, text: "five" });
    await ingest.settled();
    await ingest.push({ id: "late", version: 4, text: "four" });
    await ingest.settled();
    assert.deepEqual(ingest.indexes.current.textsOf("default", "late"), ["5:five"]);
    assert.equal((await ingest.state("late")).metadata?.version, 5);
  });

  test("versions of one document in one push end with the last, in order", async () => {
    const versions = Array.from({ length: 20 }, (_, at) => ({
      id: "busy",
      version: at + 1,
      text: `text ${at + 1}`,
    }));
    await ingest.push(...versions);
    await ingest.settled();
    assert.deepEqual(ingest.indexes.current.textsOf("default", "busy"), ["20:text 20"]);
  });

  test("a poisoned version becomes a dead letter, and the one before goes on serving", async () => {
    await ingest.push({ id: "sick", version: 1, text: "well" }, { id: "sick", version: 2, text: "poison" });
    assert.equal((await statesOf(ingest.client, "sick")).at(-1), DocumentState.FAILED);
    const document = await ingest.state("sick");
    assert.deepEqual(
      [document.failure?.stage, document.failure?.reason, document.failure?.attempts],
      ["parse", "HW_DOCUMENT_CORRUPT", 1],
    );
    assert.deepEqual(ingest.indexes.current.textsOf("default", "sick"), ["1:well"]);
    assert.equal((await ingest.client.call.getText({ id: "sick" })).text, "well");
    const { deadLetters } = await ingest.client.call.listDeadLetters({});
    assert.deepEqual(
      deadLetters
        .filter(({ documentId }) => documentId === "sick")
        .map(({ version, failure }) => [version, failure?.stage]),
      [[2, "parse"]],
    );
  });

  test("a deleted document is gone from the indexes and the blobs, and a late copy does not bring it back", async () => {
    await ingest.push({ id: "gone", tenant: "t", version: 7, text: "x" });
    await ingest.settled();
    await ingest.client.call.deleteDocument({ id: "gone", tenant: "t" });
    // Although it is INDEXED when the watch begins: its tombstone is in the log.
    assert.equal((await statesOf(ingest.client, "gone", "t")).at(-1), DocumentState.DELETED);
    assert.deepEqual(ingest.indexes.current.textsOf("t", "gone"), []);
    await ingest.push({ id: "gone", tenant: "t", version: 7, text: "x" });
    await ingest.settled();
    assert.equal((await ingest.state("gone", "t")).state, DocumentState.DELETED);
    assert.equal(
      await reasonOf(ingest.client.call.getOriginal({ id: "gone", tenant: "t" })),
      "HW_ORIGINAL_NOT_FOUND",
    );
    await eventually("no blob is left", async () => {
      const keys = [];
      for (const root of ["originals", "texts"])
        for await (const key of ingest.stores.blobs.list(`${root}/t/`)) keys.push(key);
      return keys.length === 0;
    });
    const [receipt] = await ingest.push({ id: "gone", tenant: "t", text: "back" });
    await ingest.settled();
    assert.deepEqual(ingest.indexes.current.textsOf("t", "gone"), [`${receipt?.version}:back`]);
  });

  test("deleting what never was is harmless", async () => {
    await ingest.client.call.deleteDocument({ id: "never" });
    await ingest.settled();
    assert.equal(await reasonOf(ingest.client.call.getDocument({ id: "never" })), "HW_DOCUMENT_NOT_FOUND");
  });

  test("a replayed dead letter is tried again", async () => {
    await ingest.push({ id: "again", tenant: "r", version: 1, text: "poison" });
    await ingest.settled();
    const { replayed } = await ingest.client.call.replayDeadLetters({ tenant: "r" });
    await ingest.settled();
    assert.equal(replayed, 1);
    const { deadLetters } = await ingest.client.call.listDeadLetters({ tenant: "r" });
    assert.equal(deadLetters.length, 1, "it failed again");
  });
});

describe("records that others wrote to the log", () => {
  const append = (id: string, value: Buffer, headers = {}) =>
    ingest.stores.log.append([{ key: recordKey("default", id), value, headers }]);

  test("JSON events are read", async () => {
    const event = {
      tenant: "default",
      id: "json",
      version: "3",
      title: "J",
      inline: Buffer.from("hello").toString("base64"),
    };
    await append("json", Buffer.from(JSON.stringify(event)));
    await ingest.settled();
    assert.deepEqual(ingest.indexes.current.textsOf("default", "json"), ["3:hello"]);
  });

  test("garbage becomes a dead letter of the stage read, and its partition moves on", async () => {
    const cases: [string, Buffer, string][] = [
      ["g1", Buffer.from("{nonsense"), "HW_EVENT_MALFORMED"],
      ["g2", Buffer.from([0xff, 0xff, 0xff, 0xff]), "HW_EVENT_MALFORMED"],
      ["g3", Buffer.from(JSON.stringify({ tenant: "other", id: "g3", inline: "" })), "HW_EVENT_KEY_MISMATCH"],
      ["g4", Buffer.from(JSON.stringify({ id: "g4" })), "HW_EVENT_WITHOUT_CONTENT"],
      [
        "g5",
        Buffer.from(JSON.stringify({ id: "g5", blob: "originals/other/secret/1" })),
        "HW_BLOB_FORBIDDEN",
      ],
      [
        "g6",
        Buffer.from(JSON.stringify({ id: "g6", version: "-1", inline: "" })),
        "HW_DOCUMENT_VERSION_INVALID",
      ],
    ];
    for (const [id, value] of cases) await append(id, value);
    await ingest.settled();
    const { deadLetters } = await ingest.client.call.listDeadLetters({ pageSize: 1000 });
    const byId = new Map(deadLetters.map((letter) => [letter.documentId, letter.failure]));
    for (const [id, , reason] of cases)
      assert.deepEqual([byId.get(id)?.stage, byId.get(id)?.reason], ["read", reason], id);
  });
});

describe("what is asked", () => {
  test("documents are listed in pages, in order of id, by prefix and state", async () => {
    const tenant = "list";
    const ids = ["a1", "a2", "a3", "b1", "ä", "Z"];
    await ingest.push(...ids.map((id) => ({ id, tenant, text: id === "a2" ? "poison" : "x" })));
    await ingest.settled();
    const found: string[] = [];
    let pageToken = "";
    do {
      const page = await ingest.client.call.listDocuments({ tenant, pageSize: 2, pageToken });
      assert(page.documents.length <= 2);
      found.push(...page.documents.map(({ metadata }) => metadata?.id ?? ""));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.deepEqual(found, ["Z", "a1", "a2", "a3", "b1", "ä"]);
    const byPrefix = await ingest.client.call.listDocuments({ tenant, idPrefix: "a" });
    assert.deepEqual(
      byPrefix.documents.map(({ metadata }) => metadata?.id),
      ["a1", "a2", "a3"],
    );
    const failed = await ingest.client.call.listDocuments({ tenant, states: [DocumentState.FAILED] });
    assert.deepEqual(
      failed.documents.map(({ metadata }) => metadata?.id),
      ["a2"],
    );
    const { nextPageToken } = await ingest.client.call.listDocuments({ tenant, pageSize: 1 });
    const elsewhere = ingest.client.call.listDocuments({ tenant: "other", pageToken: nextPageToken });
    assert.equal(await reasonOf(elsewhere), "HW_PAGE_TOKEN_INVALID");
    const { documents } = await ingest.client.call.getPipeline({ tenant });
    assert.deepEqual(
      documents.map(({ state, documents: count }) => [state, count]).sort(),
      [
        [DocumentState.INDEXED, 5],
        [DocumentState.FAILED, 1],
      ].sort(),
    );
  });

  test("wrong questions are answered with a reason", async () => {
    const { call } = ingest.client;
    assert.equal(await reasonOf(call.getDocument({ id: "nope" })), "HW_DOCUMENT_NOT_FOUND");
    assert.equal(await reasonOf(call.getDocument({ id: "" })), "HW_DOCUMENT_ID_INVALID");
    assert.equal(await reasonOf(call.getDocument({ id: "x", tenant: "a/b" })), "HW_TENANT_INVALID");
    assert.equal(await reasonOf(call.getText({ id: "x", range: { start: 2, end: 1 } })), "HW_RANGE_INVALID");
    assert.equal(await reasonOf(call.listDocuments({ pageSize: 1001 })), "HW_PAGE_SIZE_INVALID");
    assert.equal(await reasonOf(call.watch({ untilSettled: true })), "HW_WATCH_IDS_INVALID");
    assert.equal(
      await reasonOf(call.watch({ ids: Array.from({ length: 1025 }, (_, at) => `${at}`) })),
      "HW_WATCH_IDS_INVALID",
    );
  });

  test("a watcher of a tenant sees the snapshot, then each change", async () => {
    await ingest.push({ id: "w1", tenant: "watch", text: "x" });
    await ingest.settled();
    const leave = new AbortController();
    const seen: string[] = [];
    await assert.rejects(async () => {
      for await (const { document } of ingest.client.call.watch(
        { tenant: "watch" },
        { signal: leave.signal },
      )) {
        seen.push(`${document?.metadata?.id} ${document?.state}`);
        if (seen.length === 1) await ingest.push({ id: "w2", tenant: "watch", text: "y" });
        if (seen.at(-1) === `w2 ${DocumentState.INDEXED}`) leave.abort();
      }
    });
    assert.equal(seen[0], `w1 ${DocumentState.INDEXED}`);
    assert.equal(seen[1], `w2 ${DocumentState.QUEUED}`);
  });

  test("a text is cut at graphemes", async () => {
    await ingest.push({ id: "emoji", text: "a👩‍👩‍👧‍👦b" });
    await ingest.settled();
    const { text, range } = await ingest.client.call.getText({ id: "emoji", range: { start: 0, end: 5 } });
    assert.deepEqual([text, range], ["a", { start: 0, end: 1 }]);
  });
});

describe("pushes", () => {
  test("what is refused gets a receipt with the reason, and the stream goes on", async () => {
    const long = "x".repeat(3000);
    const receipts = await ingest.push(
      { id: "", text: "x" },
      { id: "p\u0000", text: "x" },
      { id: "\ufeffp", text: "x" },
      { id: "p", tenant: "no/slash", text: "x" },
      { id: "p", version: -1, text: "x" },
      { id: "p", title: long, text: "x" },
      { id: "p", uri: "a\u0001b", text: "x" },
      { id: "p", mediaType: "nonsense", text: "x" },
      { id: "p", attributes: { "": "x" }, text: "x" },
      { id: "p", content: Buffer.alloc(1024 * 1024 + 1) },
      { id: "good", text: "x" },
    );
    assert.deepEqual(
      receipts.map(({ reason }) => reason),
      [
        "HW_DOCUMENT_ID_INVALID",
        "HW_DOCUMENT_ID_INVALID",
        "HW_DOCUMENT_ID_INVALID",
        "HW_TENANT_INVALID",
        "HW_DOCUMENT_VERSION_INVALID",
        "HW_DOCUMENT_TITLE_INVALID",
        "HW_DOCUMENT_URI_INVALID",
        "HW_MEDIA_TYPE_INVALID",
        "HW_DOCUMENT_ATTRIBUTES_INVALID",
        "HW_PUSH_PIECE_TOO_LARGE",
        "",
      ],
    );
  });

  test("documents in pieces: whole, incomplete, without a start", async () => {
    const document = (id: string, text: string, more: boolean) => ({
      part: { $case: "document" as const, value: { id, content: Buffer.from(text), more } },
    });
    const chunk = (text: string, more: boolean) => ({
      part: { $case: "chunk" as const, value: { data: Buffer.from(text), more } },
    });
    const receipts = [];
    const requests = [
      chunk("lost", true),
      chunk("lost too", false),
      document("pieces", "one ", true),
      chunk("two ", true),
      chunk("three", false),
      document("broken", "x", true),
      document("next", "y", false),
      {},
      document("cut", "z", true),
    ];
    for await (const receipt of ingest.client.call.push(streamOf(requests)))
      receipts.push([receipt.id, receipt.error?.reason ?? "ok"]);
    assert.deepEqual(receipts, [
      ["", "HW_PUSH_CHUNK_WITHOUT_DOCUMENT"],
      ["pieces", "ok"],
      ["broken", "HW_PUSH_INCOMPLETE"],
      ["next", "ok"],
      ["", "HW_PUSH_EMPTY"],
      ["cut", "HW_PUSH_INCOMPLETE"],
    ]);
    await ingest.settled();
    assert.equal((await ingest.client.call.getText({ id: "pieces" })).text, "one two three");
  });

  test("a large document goes to the blob store as it comes, and only a whole one stays", async () => {
    const tenant = "large";
    const piece = Buffer.alloc(200 * 1024, "a");
    const parts = (id: string, pieces: number, last: boolean) =>
      Array.from({ length: pieces }, (_, at) => {
        const more = at < pieces - 1 || !last;
        return at === 0
          ? { part: { $case: "document" as const, value: { id, tenant, content: piece, more } } }
          : { part: { $case: "chunk" as const, value: { data: piece, more } } };
      });
    const receipts = [];
    for await (const receipt of ingest.client.call.push(
      streamOf([...parts("big", 5, true), ...parts("half", 5, false)]),
    ))
      receipts.push(receipt.error?.reason ?? "ok");
    assert.deepEqual(receipts, ["ok", "HW_PUSH_INCOMPLETE"]);
    await ingest.settled();
    const uploads = [];
    for await (const key of ingest.stores.blobs.list(`uploads/${tenant}/`)) uploads.push(key);
    assert.equal(uploads.length, 1);
    assert.equal((await ingest.state("big", tenant)).sizeBytes, 5 * piece.length);
    let bytes = 0;
    for await (const { data } of ingest.client.call.getOriginal({ id: "big", tenant })) bytes += data.length;
    assert.equal(bytes, 5 * piece.length);
  });
});
