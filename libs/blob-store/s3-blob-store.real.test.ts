import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, afterEach, describe, test } from "node:test";
import {
  AbortMultipartUploadCommand,
  DeleteBucketCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { status } from "@headwater/errors";
import { readSettings } from "@headwater/settings";
import { realServer, startFlakyServer, until } from "@headwater/testing";
import { tlsSuite } from "@headwater/testing/tls-suite";
import type { BlobStore } from "./blob-store.ts";
import { blobStoreConformance } from "./conformance.ts";
import { blobStoreSettings, openBlobStore } from "./index.ts";

const endpoint = realServer("S3_ENDPOINT");
if (endpoint !== undefined) await suite(endpoint);

async function suite(server: string): Promise<void> {
  const bucket = `test-${randomUUID()}`;
  const credentials = {
    accessKeyId: process.env["AWS_ACCESS_KEY_ID"] ?? "test",
    secretAccessKey: process.env["AWS_SECRET_ACCESS_KEY"] ?? "test",
  };
  const settings = {
    HEADWATER_S3_ENDPOINT: server,
    HEADWATER_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    HEADWATER_S3_SECRET_KEY: credentials.secretAccessKey,
    HEADWATER_S3_BUCKET: bucket,
    HEADWATER_S3_CREATE_BUCKET: "true",
  };
  const admin = new S3Client({ endpoint: server, region: "us-east-1", forcePathStyle: true, credentials });
  const opened: { close(): Promise<void> }[] = [];
  const open = async (name: string, more: Record<string, string> = {}) => {
    const values = readSettings(blobStoreSettings, { ...settings, HEADWATER_S3_PREFIX: `${name}/`, ...more });
    const store = await openBlobStore(values, { folder: "/nowhere" });
    opened.push(store);
    return store;
  };
  const openFlaky = async (more: Record<string, string> = {}) => {
    const { hostname, port } = new URL(server);
    const way = await startFlakyServer(`${hostname}:${port || 80}`);
    opened.push(way);
    const store = await open("flaky", { HEADWATER_S3_ENDPOINT: `http://127.0.0.1:${way.port}`, ...more });
    return { way, store };
  };
  const read = async (store: BlobStore, key: string) => {
    const pieces = await store.get(key);
    return pieces && Buffer.concat(await Array.fromAsync(pieces));
  };
  const isHealthy = (store: BlobStore) =>
    store.checkHealth().then(
      () => true,
      () => false,
    );

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });
  after(async () => {
    const store = await open("all", { HEADWATER_S3_PREFIX: "" });
    for await (const key of store.list("")) await store.delete(key);
    const left = await admin.send(new ListObjectsV2Command({ Bucket: bucket }));
    assert.equal(left.KeyCount ?? 0, 0);
    // Of the upload that lost its server.
    const { Uploads = [] } = await admin.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    for (const { Key, UploadId } of Uploads)
      await admin.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
    await admin.send(new DeleteBucketCommand({ Bucket: bucket }));
    await store.close();
    admin.destroy();
  });

  // S3Mock replaces a file while it sends it, and then sends less than it announced: the answer stops, and is asked for
  // again after this silence.
  // S3 itself replaces an object at once ("Amazon S3 data consistency model"); Adobe's S3Mock, known by the owner that
  // it names, writes into the file that others read.
  const { Owner: owner } = await admin.send(new ListBucketsCommand());
  blobStoreConformance(
    "S3",
    (name) => open(name, { HEADWATER_S3_TIMEOUT_MS: "2000" }),
    owner?.DisplayName === "s3-mock-file-store" ? "S3Mock" : undefined,
  );

  describe("S3: blob store", () => {
    test("lists more than a page", async () => {
      const store = await open(`pages-${randomUUID()}`);
      const keys = Array.from({ length: 1_050 }, (_, i) => `t/${i}`);
      for (let at = 0; at < keys.length; at += 50)
        await Promise.all(keys.slice(at, at + 50).map((key) => store.put(key, Buffer.from("x"))));
      assert.deepEqual((await Array.fromAsync(store.list("t/"))).toSorted(), keys.toSorted());
    });

    test("no part of an upload is left where the source failed", async () => {
      const store = await open("parts");
      const mistake = new Error("the source broke");
      const broken = async function* () {
        for (let i = 0; i < 20; i += 1) yield Buffer.alloc(1_000_000);
        throw mistake;
      };
      await assert.rejects(store.put("t/a", broken()), (thrown) => thrown === mistake);
      const { Uploads = [] } = await admin.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      assert.deepEqual(Uploads, []);
    });

    test("a large upload takes memory of two parts, not of the whole", async () => {
      const store = await open("memory");
      const piece = randomBytes(1_000_000);
      const before = process.memoryUsage().arrayBuffers;
      let most = 0;
      const source = async function* () {
        for (let i = 0; i < 150; i += 1) {
          most = Math.max(most, process.memoryUsage().arrayBuffers - before);
          yield piece;
        }
      };
      await store.put("t/large", source());
      assert.equal(await store.size("t/large"), 150_000_000);
      assert.ok(most < 100_000_000, `${most} bytes`);
      await store.delete("t/large");
    });

    test("a bucket that is not there is told, and made only on request", async () => {
      const none = { HEADWATER_S3_BUCKET: `none-${randomUUID()}`, HEADWATER_S3_CREATE_BUCKET: "false" };
      await assert.rejects(open("x", none), { reason: "HW_S3_BUCKET_MISSING" });
    });
  });

  describe("S3: presigned", () => {
    const options = { sizeBytes: 5, expiresInSeconds: 60 };

    test("without an address that people reach there is none", async () => {
      const store = await open("presigned");
      assert.equal(await store.presignPut("t/a", options), undefined);
      const get = { expiresInSeconds: 60, mediaType: "text/plain", fileName: "a" };
      assert.equal(await store.presignGet("t/a", get), undefined);
    });

    test("takes bytes by PUT and gives them by GET, without credentials", async () => {
      const store = await open("presigned", { HEADWATER_S3_PUBLIC_ENDPOINT: server });
      const key = `t/${randomUUID()}`;
      const put = await store.presignPut(key, options);
      assert.ok(put);
      const signed = new URL(put.url).searchParams.get("X-Amz-SignedHeaders")?.split(";") ?? [];
      for (const header of ["content-length", "host", "if-none-match"])
        assert.ok(signed.includes(header), header);
      const answer = await fetch(put.url, { method: "PUT", headers: put.headers, body: "bytes" });
      assert.equal(answer.status, 200, await answer.text());
      assert.equal((await read(store, key))?.toString(), "bytes");

      const again = await fetch(put.url, { method: "PUT", headers: put.headers, body: "other" });
      assert.equal(again.status, 412, "the address changes a blob that is there");
      await again.body?.cancel();

      const get = await store.presignGet(key, {
        ...{ expiresInSeconds: 60, mediaType: "text/plain", fileName: "Ünïcode.txt" },
      });
      assert.ok(get);
      const given = await fetch(get.url);
      assert.equal(await given.text(), "bytes");
      assert.match(given.headers.get("content-disposition") ?? "", /^attachment; filename\*=UTF-8''%C3%9Cn/);
      assert.match(given.headers.get("content-type") ?? "", /^text\/plain/);
    });
  });

  tlsSuite("S3", {
    address: new URL(server).host,
    reason: "HW_S3_TLS_FAILED",
    async use({ host, port, caFile }) {
      const endpoint = `https://${host}:${port}`;
      const store = await open("tls", { HEADWATER_S3_ENDPOINT: endpoint, HEADWATER_S3_CA_FILE: caFile });
      await store.put("t/a", Buffer.alloc(20_000_000, "a"));
      assert.equal((await read(store, "t/a"))?.length, 20_000_000);
      await store.delete("t/a");
    },
  });

  describe("S3: faults", () => {
    const unavailable = { code: status.UNAVAILABLE };

    test("while it is away calls fail soon, and it is used again when it is back", async () => {
      const { way, store } = await openFlaky();
      await store.put("t/a", Buffer.from("kept"));
      await way.cut();
      await assert.rejects(store.get("t/a"), { ...unavailable, reason: "HW_S3_UNAVAILABLE" });
      await assert.rejects(store.put("t/b", Buffer.from("x")), unavailable);
      await assert.rejects(store.delete("t/a"), unavailable);
      await assert.rejects(Array.fromAsync(store.list("t/")), unavailable);
      await assert.rejects(store.checkHealth(), unavailable);
      const began = performance.now();
      for (let i = 0; i < 100; i += 1) await assert.rejects(store.size("t/a"), unavailable);
      assert.ok(performance.now() - began < 10_000, "each call waits for a server that is known to be gone");
      await way.restore();
      await until("it is used again", () => isHealthy(store));
      assert.equal((await read(store, "t/a"))?.toString(), "kept");
    });

    test("a loss on the way of an upload or of an answer is told", async () => {
      const { way, store } = await openFlaky();
      await store.put("t/a", Buffer.alloc(20_000_000));
      const pieces = await store.get("t/a");
      const reading = async () => {
        for await (const _ of pieces ?? []) await way.cut();
      };
      await assert.rejects(reading(), unavailable);
      await way.restore();
      await until("it is used again", () => isHealthy(store));
      const source = async function* () {
        for (let i = 0; i < 40; i += 1) {
          if (i === 30) await way.cut();
          yield Buffer.alloc(1_000_000);
        }
      };
      await assert.rejects(store.put("t/b", source()), unavailable);
      await way.restore();
      await until("it is used again", () => isHealthy(store));
      assert.equal(await store.size("t/b"), undefined);
    });

    test("a server that says nothing is given up", async () => {
      const { way, store } = await openFlaky({ HEADWATER_S3_TIMEOUT_MS: "200" });
      way.freeze();
      await assert.rejects(store.size("t/a"), unavailable);
      await way.restore();
      await until("it is used again", () => isHealthy(store));
    });
  });
}
