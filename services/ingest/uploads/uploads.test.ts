import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import type { BlobStore } from "@headwater/blob-store";
import { openEmbeddedBlobStore } from "@headwater/blob-store";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { temporaryFolder } from "@headwater/testing";
import type { ServedDocument } from "../catalog/document-record.ts";
import { uploadKey } from "../documents/blob-keys.ts";
import { getOriginal } from "../documents/original.ts";
import { startHarness, statesOf, streamOf } from "../testing/ingest-harness.ts";
import { UploadTokens } from "./upload-token.ts";
import { Uploads } from "./uploads.ts";

const folder = await temporaryFolder();
const ingest = await startHarness(folder);
after(() => ingest.close());
const { call } = ingest.client;

const put = (token: string, ...pieces: string[]) =>
  call.putUpload(
    streamOf(pieces.map((data, at) => ({ token: at === 0 ? token : "", data: Buffer.from(data) }))),
  );

async function uploaded(id: string, text: string, tenant = ""): Promise<string> {
  const { upload, token } = await call.createUpload({ tenant, documentId: id, sizeBytes: text.length });
  assert.deepEqual(await put(token, text.slice(0, 2), text.slice(2)), { upload });
  return upload;
}

test("a document that refers to an upload is indexed, and its original is the upload", async () => {
  const upload = await uploaded("up/a", "one\ntwo");
  const [receipt] = await ingest.push({ id: "up/a", title: "A", upload });
  assert.equal(receipt?.reason, "");
  assert.equal((await statesOf(ingest.client, "up/a")).at(-1), DocumentState.INDEXED);
  const document = await ingest.state("up/a");
  assert.deepEqual([document.passages, document.sizeBytes, document.contentSha256.length], [2, 7, 64]);
  const pieces = await Array.fromAsync(call.getOriginal({ id: "up/a", preferUrl: true }));
  assert.equal(Buffer.concat(pieces.map(({ data }) => data)).toString(), "one\ntwo");
  assert.equal(pieces[0]?.url, "", "a folder has no address");

  // The same upload as a newer version stays where it is.
  await ingest.push({ id: "up/a", title: "A again", upload });
  await ingest.settled();
  assert.equal((await ingest.state("up/a")).metadata?.title, "A again");
  assert.equal(await ingest.stores.blobs.size(upload), 7);
});

test("an upload of another tenant, of another document, or of nobody is not referred to", async () => {
  const upload = await uploaded("mine", "secret", "acme");
  const reasons = async (...documents: Parameters<typeof ingest.push>) =>
    (await ingest.push(...documents)).map(({ reason }) => reason);
  assert.deepEqual(
    await reasons(
      { id: "mine", tenant: "rival", upload },
      { id: "other", tenant: "acme", upload },
      { id: "mine", tenant: "acme", upload: `${upload}/../x` },
      { id: "mine", tenant: "acme", upload: upload.replace("uploads", "originals") },
      { id: "mine", tenant: "acme", upload, text: "and content" },
      { id: "mine", tenant: "acme", upload },
    ),
    [
      ...["HW_UPLOAD_FORBIDDEN", "HW_UPLOAD_FORBIDDEN", "HW_UPLOAD_FORBIDDEN", "HW_UPLOAD_FORBIDDEN"],
      ...["HW_PUSH_CONTENT_TWICE", ""],
    ],
  );
});

test("an upload that is not there or too old is told with the receipt", async () => {
  const { upload } = await call.createUpload({ documentId: "none", sizeBytes: 3 });
  const old = uploadKey({ tenant: "default", documentId: "none" }, Date.now() - 3_600_001, "x");
  await ingest.stores.blobs.put(old, Buffer.from("old"));
  const receipts = await ingest.push({ id: "none", upload }, { id: "none", upload: old });
  assert.deepEqual(
    receipts.map(({ reason }) => reason),
    ["HW_UPLOAD_MISSING", "HW_UPLOAD_EXPIRED"],
  );
});

test("bytes are taken once, as many as were announced, and with the token only", async () => {
  const { upload, token } = await call.createUpload({ documentId: "once", sizeBytes: 4 });
  await assert.rejects(put(token, "12345"), { reason: "HW_UPLOAD_SIZE_WRONG" });
  await assert.rejects(put(token, "123"), { reason: "HW_UPLOAD_SIZE_WRONG" });
  await assert.rejects(put("", "1234"), { reason: "HW_UPLOAD_TOKEN_INVALID" });
  const [said = ""] = token.split(".");
  await assert.rejects(put(`${said}.${"A".repeat(43)}`, "1234"), { reason: "HW_UPLOAD_TOKEN_INVALID" });
  assert.equal(await ingest.stores.blobs.size(upload), undefined);
  await put(token, "1234");
  await assert.rejects(put(token, "4321"), { reason: "HW_UPLOAD_TAKEN" });
});

test("what cannot be uploaded is refused before any byte comes", async () => {
  const create = (request: { documentId: string; sizeBytes: number; tenant?: string }) =>
    call.createUpload(request);
  await assert.rejects(create({ documentId: "", sizeBytes: 1 }), { reason: "HW_DOCUMENT_ID_INVALID" });
  await assert.rejects(create({ documentId: "a", sizeBytes: 0 }), { reason: "HW_UPLOAD_EMPTY" });
  await assert.rejects(create({ documentId: "a", sizeBytes: 2 ** 40 }), { reason: "HW_DOCUMENT_TOO_LARGE" });
  await assert.rejects(create({ documentId: "a", sizeBytes: 1, tenant: "a/b" }), {
    reason: "HW_TENANT_INVALID",
  });
});

test("the token of one process is good at every other on the same records", async () => {
  const [one, other] = await Promise.all([1, 2].map(() => UploadTokens.open(ingest.stores.records)));
  const grant = { upload: "uploads/t/x", sizeBytes: 1, expiresAt: Date.now() + 60_000 };
  assert.deepEqual(other?.read(one?.sign(grant) ?? ""), grant);
});

test("a token is good for its time", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  const tokens = new UploadTokens("secret");
  const grant = { upload: "uploads/t/x", sizeBytes: 1, expiresAt: 1_060_000 };
  const token = tokens.sign(grant);
  assert.deepEqual(tokens.read(token), grant);
  assert.throws(() => new UploadTokens("another").read(token), { reason: "HW_UPLOAD_TOKEN_INVALID" });
  context.mock.timers.tick(60_001);
  assert.throws(() => tokens.read(token), { reason: "HW_UPLOAD_EXPIRED" });
});

test("where the blob store has an address, bytes go there and come from there", async () => {
  const expires = new Date("2026-11-01T12:00:00Z");
  const asked: unknown[] = [];
  const opened = await openEmbeddedBlobStore({ folder: join(folder, "direct") });
  const blobs: BlobStore = Object.assign(Object.create(opened), {
    presignPut: async (key: string, options: object) => {
      asked.push(options);
      return { url: `https://s3/${key}`, headers: { "if-none-match": "*" }, expires };
    },
    presignGet: async (key: string, options: object) => {
      asked.push(options);
      return { url: `https://s3/${key}`, expires };
    },
  });
  const uploads = new Uploads(blobs, new UploadTokens("secret"), 100);
  const request = { tenant: "t", documentId: "d", sizeBytes: 9, withoutUrl: false };
  const { upload, ...created } = await uploads.create(request);
  assert.deepEqual(created, {
    ...{ url: `https://s3/${upload}`, headers: { "if-none-match": "*" }, expiresTime: expires, token: "" },
  });
  const byHand = await uploads.create({ ...request, withoutUrl: true });
  assert.deepEqual([byHand.url, byHand.token === ""], ["", false]);

  const served = { originalKey: "uploads/t/k", mediaType: "text/plain", version: 1 } as ServedDocument;
  const [given] = await Array.fromAsync(getOriginal(blobs, "folder/ü.txt", served, true));
  assert.deepEqual([given?.url, given?.expiresTime], ["https://s3/uploads/t/k", expires]);
  assert.deepEqual(asked, [
    { sizeBytes: 9, expiresInSeconds: 900 },
    { expiresInSeconds: 300, mediaType: "text/plain", fileName: "ü.txt" },
  ]);
  await opened.close();
});
