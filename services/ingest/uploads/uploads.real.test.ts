import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { blobStoreSettings, openBlobStore } from "@headwater/blob-store";
import { readSettings } from "@headwater/settings";
import { realServer } from "@headwater/testing";
import type { ServedDocument } from "../catalog/document-record.ts";
import { getOriginal } from "../documents/original.ts";
import { UploadTokens } from "./upload-token.ts";
import { Uploads } from "./uploads.ts";

const endpoint = realServer("S3_ENDPOINT");
if (endpoint !== undefined)
  test("an original goes to S3 by the address that is given out, is referred to, and comes back from there", async () => {
    const values = readSettings(blobStoreSettings, {
      HEADWATER_S3_ENDPOINT: endpoint,
      HEADWATER_S3_PUBLIC_ENDPOINT: endpoint,
      HEADWATER_S3_BUCKET: "test-uploads",
      HEADWATER_S3_PREFIX: `${randomUUID()}/`,
      HEADWATER_S3_CREATE_BUCKET: "true",
      HEADWATER_S3_ACCESS_KEY_ID: process.env["AWS_ACCESS_KEY_ID"] ?? "test",
      HEADWATER_S3_SECRET_KEY: process.env["AWS_SECRET_ACCESS_KEY"] ?? "test",
    });
    const blobs = await openBlobStore(values, { folder: "/nowhere" });
    const uploads = new Uploads(blobs, new UploadTokens("secret"), 1000);
    const document = { tenant: "acme", documentId: "a/ü.txt" };
    const { upload, url, headers, token } = await uploads.create({
      ...document,
      sizeBytes: 5,
      withoutUrl: false,
    });
    assert.equal(token, "");
    await assert.rejects(uploads.claim(document, upload), { reason: "HW_UPLOAD_MISSING" });
    const put = await fetch(url, { method: "PUT", headers, body: "bytes" });
    assert.equal(put.status, 200, await put.text());
    const claimed = await uploads.claim(document, upload);
    assert.deepEqual([claimed.content, claimed.sizeBytes], [{ $case: "blob", value: upload }, 5]);
    const rival = { ...document, tenant: "rival" };
    await assert.rejects(uploads.claim(rival, upload), { reason: "HW_UPLOAD_FORBIDDEN" });

    const served = { originalKey: upload, mediaType: "text/plain", version: 1 } as ServedDocument;
    const [given] = await Array.fromAsync(getOriginal(blobs, document.documentId, served, true));
    assert.equal(await (await fetch(given?.url ?? "")).text(), "bytes");
    const pieces = await Array.fromAsync(getOriginal(blobs, document.documentId, served, false));
    assert.equal(Buffer.concat(pieces.map(({ data }) => data ?? new Uint8Array())).toString(), "bytes");
    await blobs.delete(upload);
    await blobs.close();
  });
