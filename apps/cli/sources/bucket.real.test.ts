import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { realServer, startFlakyServer, until } from "@headwater/testing";
import type { Library } from "../librarian/testing/library.ts";
import { startLibrary } from "../librarian/testing/library.ts";
import { openBucketPrefix } from "./bucket.ts";
import { ignoreRules } from "./ignore-rules.ts";

const endpoint = realServer("S3_ENDPOINT");
if (endpoint !== undefined) describe("a prefix of a bucket", () => suite(endpoint));

function suite(server: string): void {
  const bucket = `test-${randomUUID()}`;
  const credentials = {
    accessKeyId: process.env["AWS_ACCESS_KEY_ID"] ?? "test",
    secretAccessKey: process.env["AWS_SECRET_ACCESS_KEY"] ?? "test",
  };
  const admin = new S3Client({ endpoint: server, region: "us-east-1", forcePathStyle: true, credentials });
  let library: Library;
  const id = (key: string) => `s3://${bucket}/${key}`;
  const write = (key: string, text: string, ContentType?: string) =>
    admin.send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ...(ContentType ? { ContentType } : {}) }),
    );
  const remove = (key: string) => admin.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  const open = (library: Library, address: string, leaving?: AbortController, ...patterns: string[]) => {
    const hired = library.hire(leaving);
    const { patiently } = hired;
    return { ...hired, source: openBucketPrefix(address, { ignore: ignoreRules(patterns), patiently }) };
  };
  const once = async (address: string, ...patterns: string[]) => {
    const { librarian, source } = open(library, address, undefined, ...patterns);
    try {
      await librarian.once(source);
    } finally {
      await source.close();
    }
  };

  before(async () => {
    process.env["HEADWATER_S3_ENDPOINT"] = server;
    process.env["HEADWATER_S3_ACCESS_KEY_ID"] = credentials.accessKeyId;
    process.env["HEADWATER_S3_SECRET_KEY"] = credentials.secretAccessKey;
    await admin.send(new CreateBucketCommand({ Bucket: bucket }));
    library = await startLibrary();
  });
  after(async () => {
    for (;;) {
      const { Contents = [] } = await admin.send(new ListObjectsV2Command({ Bucket: bucket }));
      if (Contents.length === 0) break;
      await Promise.all(Contents.map(({ Key = "" }) => remove(Key)));
    }
    await admin.send(new DeleteBucketCommand({ Bucket: bucket }));
    admin.destroy();
    await library.close();
  });

  test("objects below it are sent; then only those that changed; what is gone is deleted", async () => {
    await write("docs/plan.md", "the plan", "text/markdown");
    await write("docs/deep/river.txt", "the river");
    await write("docs/", "");
    await write("docs/scan.png", "an image");
    await write("docs/draft.tmp", "a draft");
    await write("docs/.hidden", "hidden");
    await write("other/apart.md", "apart");
    await once(`s3://${bucket}/docs/`, "*.tmp");
    assert.deepEqual(await library.texts(), {
      [id("docs/deep/river.txt")]: "the river",
      [id("docs/plan.md")]: "the plan",
    });
    assert.deepEqual(library.take("needs_ocr"), [id("docs/scan.png")]);
    const { mediaType, uri, attributes } = await library.client.documents.get(id("docs/plan.md"));
    assert.deepEqual(
      [mediaType, uri, attributes["source"], typeof attributes["etag"]],
      ["text/markdown", id("docs/plan.md"), `s3://${bucket}/docs/`, "string"],
    );
    await once(`s3://${bucket}/docs/`, "*.tmp");
    assert.deepEqual(library.take("sent"), []);
    await write("docs/plan.md", "the other plan");
    await remove("docs/deep/river.txt");
    await once(`s3://${bucket}/docs/`, "*.tmp");
    assert.deepEqual(library.take("sent"), [id("docs/plan.md")]);
    assert.deepEqual(await library.texts(), { [id("docs/plan.md")]: "the other plan" });
  });

  test("it is followed by listing, also while S3 is away for a moment", async () => {
    const { hostname, port } = new URL(server);
    const way = await startFlakyServer(`${hostname}:${port || 80}`);
    process.env["HEADWATER_S3_ENDPOINT"] = `http://127.0.0.1:${way.port}`;
    const leaving = new AbortController();
    const { librarian, source } = open(library, `s3://${bucket}/live`, leaving);
    await write("live/a.md", "a");
    const ended = assert.rejects(librarian.follow(source, 1), { name: "AbortError" });
    try {
      const has = (key: string) => async () => id(key) in (await library.texts());
      await until("the first is there", has("live/a.md"));
      await way.cut();
      await write("live/b.md", "b");
      await remove("live/a.md");
      await way.restore();
      await until("the second is there", has("live/b.md"));
      await until("the first is gone", async () => !(await has("live/a.md")()));
    } finally {
      leaving.abort();
      await ended;
      await source.close();
      await way.close();
      process.env["HEADWATER_S3_ENDPOINT"] = server;
    }
  });

  test("more than a page is listed, and a large object arrives whole", async () => {
    const keys = Array.from({ length: 1_050 }, (_, at) => `many/${at}.txt`);
    for (let start = 0; start < keys.length; start += 50)
      await Promise.all(keys.slice(start, start + 50).map((key) => write(key, key)));
    await write("many/large.txt", "0123456789".repeat(500_000));
    library.take("indexed");
    await once(`s3://${bucket}/many/`);
    assert.equal(library.take("indexed").length, 1_051);
    const large = await library.client.documents.get(id("many/large.txt"));
    assert.equal(large.sizeBytes, 5_000_000);
  });

  test("what is no address of a bucket is told", () => {
    for (const address of ["s3://", "s3://A", "s3:///docs"])
      assert.throws(() => open(library, address), { reason: "HW_BUCKET_ADDRESS_INVALID" }, address);
  });
}
