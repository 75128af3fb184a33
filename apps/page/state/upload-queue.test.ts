import assert from "node:assert/strict";
import { test } from "node:test";
import type { UploadOptions } from "@headwater/client";
import { Code, HeadwaterClientError } from "@headwater/client";
import type { NewFile, UploadNews } from "./upload-queue.ts";
import { UploadQueue } from "./upload-queue.ts";

function file(id: string, bytes = 10): NewFile {
  return { id, content: new Blob(["x".repeat(bytes)]) };
}

function receive(files: NewFile[], options: UploadOptions, refused: (id: string) => boolean = () => false) {
  const receipts = files.map(({ id }) => ({
    id,
    version: 7,
    partition: 0,
    offset: 0,
    error: refused(id) ? { reason: "HW_BAD", message: "Bad." } : undefined,
  }));
  for (const receipt of receipts) options.onReceipt?.(receipt);
  return receipts;
}

/** Runs a queue until each file has come to an end. */
async function run(
  files: NewFile[],
  upload: (batch: NewFile[], options: UploadOptions) => Promise<ReturnType<typeof receive>>,
) {
  const news = new Map<string, UploadNews[]>();
  const waits: number[] = [];
  const ended = Promise.withResolvers<void>();
  const queue = new UploadQueue({
    upload,
    tell(id, what) {
      news.set(id, [...(news.get(id) ?? []), what]);
      const all = [...news.values()].map((list) => list.at(-1)?.kind);
      if (all.length === files.length && all.every((kind) => kind === "received" || kind === "refused"))
        ended.resolve();
    },
    async wait(ms) {
      waits.push(ms);
    },
  });
  queue.add(files);
  await ended.promise;
  return {
    waits,
    last: (id: string) => news.get(id)?.at(-1),
    kinds: (id: string) => news.get(id)?.map((it) => it.kind),
  };
}

test("small files share requests, a large one has its own, and two requests run at once", async () => {
  const batches: string[][] = [];
  let [running, most] = [0, 0];
  const files = [
    ...Array.from({ length: 40 }, (_, index) => file(`s${index}`)),
    file("large", 3_000_000),
    file("t"),
  ];
  const { last } = await run(files, async (batch, options) => {
    batches.push(batch.map(({ id }) => id));
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
    return receive(batch, options);
  });
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [16, 16, 8, 1, 1],
  );
  assert.equal(most, 2);
  assert.deepEqual(last("large"), { kind: "received", version: 7 });
});

test("a passing fault is waited out, as long as the server says, and nothing is lost or sent twice", async () => {
  const received: string[] = [];
  let calls = 0;
  const { waits, kinds } = await run([file("a"), file("b")], async (batch, options) => {
    calls += 1;
    const [first] = batch;
    if (calls === 1 && first) {
      received.push(...receive([first], options).map(({ id }) => id));
      throw new HeadwaterClientError({
        code: Code.ResourceExhausted,
        reason: "HW_OVERLOADED",
        message: "Too much to do.",
        retryAfterMs: 1250,
      });
    }
    received.push(...receive(batch, options).map(({ id }) => id));
    return [];
  });
  assert.deepEqual(received, ["a", "b"]);
  assert.deepEqual(waits, [1250]);
  assert.deepEqual(kinds("b"), ["sending", "waiting", "sending", "received"]);
});

test("the server's refusal of one file does not stop the others", async () => {
  const { last } = await run([file("a"), file("bad"), file("c")], async (batch, options) =>
    receive(batch, options, (id) => id === "bad"),
  );
  assert.equal(last("a")?.kind, "received");
  const refused = last("bad");
  assert(refused?.kind === "refused");
  assert.equal(refused.fault.message, "Bad.");
});

test("a request that is refused as a whole is taken apart, so that only the file at fault is refused", async () => {
  const { last } = await run([file("a"), file("huge"), file("c")], async (batch, options) => {
    if (batch.some(({ id }) => id === "huge"))
      throw new HeadwaterClientError({
        code: Code.InvalidArgument,
        reason: "HW_TOO_LARGE",
        message: "Too large.",
      });
    return receive(batch, options);
  });
  assert.deepEqual(
    ["a", "huge", "c"].map((id) => last(id)?.kind),
    ["received", "refused", "received"],
  );
});

test("a file without a receipt is told so", async () => {
  const { last } = await run([file("a")], async () => []);
  const refused = last("a");
  assert(refused?.kind === "refused");
  assert.equal(refused.fault.reason, "HW_RECEIPT_MISSING");
});

test("a file that is taken back is not sent", async () => {
  const sent: string[] = [];
  const gate = Promise.withResolvers<void>();
  const queue = new UploadQueue({
    async upload(batch, options) {
      await gate.promise;
      sent.push(...batch.map(({ id }) => id));
      return receive(batch, options);
    },
    tell() {},
    async wait() {},
  });
  queue.add(Array.from({ length: 40 }, (_, index) => file(`f${index}`)));
  queue.remove("f39");
  gate.resolve();
  while (sent.length < 39) await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.equal(sent.length, 39);
  assert(!sent.includes("f39"));
});
