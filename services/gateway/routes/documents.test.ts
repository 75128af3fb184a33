import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { connect } from "node:net";
import { test } from "node:test";
import { createHeadwaterClient } from "@headwater/client";
import { until } from "@headwater/testing";
import { failureOf, startFixture } from "../testing/fixture.ts";

const fixture = await startFixture({ HEADWATER_GATEWAY_MAX_JSON_BYTES: "65536" });
const { seen } = fixture.doubles;

interface Receipt {
  index: number;
  id: string;
  version: number;
  error?: { reason: string; message: string };
}

async function push(
  body: RequestInit["body"],
  contentType: string | undefined,
  path = "/v1/documents",
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(fixture.url(path), {
    method: "POST",
    body: body ?? null,
    headers: { ...headers, ...(contentType === undefined ? {} : { "content-type": contentType }) },
    ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
  } as RequestInit);
}

async function receiptsOf(response: Response): Promise<Receipt[]> {
  assert.equal(response.status, 200);
  return (await response.text())
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Receipt);
}

const outcome = ({ index, id, error }: Receipt) => [index, id, error?.reason];

test("one JSON document gets one receipt, and can be read back", async () => {
  const response = await fixture.post("/v1/documents", {
    id: "notes/a b/ü.txt",
    text: "Grüße",
    title: "Greeting",
    attributes: { lang: "de" },
    version: 7,
    observed_time: "2026-11-01T12:00:00+01:00",
  });
  assert.equal(response.status, 202);
  assert.deepEqual(await response.json(), {
    index: 0,
    id: "notes/a b/ü.txt",
    version: 7,
    partition: 3,
    offset: 1,
  });
  const path = `/v1/documents/${encodeURIComponent("notes/a b/ü.txt")}`;
  const found = (await (await fetch(fixture.url(path))).json()) as Record<string, unknown>;
  assert.deepEqual(
    [found["title"], found["media_type"], found["attributes"], found["state"], found["observed_time"]],
    ["Greeting", "text/plain", { lang: "de" }, "indexed", "2026-11-01T11:00:00.000Z"],
  );
  const text = (await (await fetch(fixture.url(`${path}/text?start=1&end=3`))).json()) as { text: string };
  assert.equal(text.text, "rü");
  const original = await fetch(fixture.url(`${path}/original`));
  assert.equal(await original.text(), "Grüße");
  assert.match(original.headers.get("content-security-policy") ?? "", /sandbox/);
  assert.match(original.headers.get("content-disposition") ?? "", /^attachment;/);
});

test("JSON Lines: each line its receipt, and a bad one does not end the others", async () => {
  const lines = [
    '{"id":"line-1","text":"one"}',
    '{"_id":"beir-1","title":"T","text":"two","metadata":{"year":1968,"deep":{"no":1}}}',
    "{not json}",
    "",
    '{"id":"line-2","content_base64":"aGVsbG8="}',
    '{"id":"line-3","text":"x","contnet":"typo"}',
    '{"id":"line-4"}',
    `{"id":"long","text":"${"x".repeat(70_000)}"}`,
    '{"id":"refused-1","text":"x"}',
    '{"id":"last","text":"no line break at the end"}',
  ].join("\r\n");
  const receipts = await receiptsOf(await push(lines, "application/x-ndjson"));
  assert.deepEqual(
    receipts.map(outcome).sort((a, b) => Number(a[0]) - Number(b[0])),
    [
      [0, "line-1", undefined],
      [1, "beir-1", undefined],
      [2, "", "HW_JSON_INVALID"],
      [3, "line-2", undefined],
      [4, "line-3", "HW_REQUEST_INVALID"],
      [5, "line-4", "HW_REQUEST_INVALID"],
      [6, "", "HW_BODY_TOO_LARGE"],
      [7, "refused-1", "HW_DOCUMENT_ID_INVALID"],
      [8, "last", undefined],
    ],
  );
  const beir = (await (await fetch(fixture.url("/v1/documents/beir-1"))).json()) as Record<string, unknown>;
  assert.deepEqual([beir["title"], beir["attributes"]], ["T", { year: "1968" }]);
});

test("multipart: many files, fields before each, and a bad one does not end the others", async () => {
  const bytes = randomBytes(700_000);
  const form = new FormData();
  form.append("document", JSON.stringify({ id: "form/1", title: "One", attributes: { k: "v" } }));
  form.append("file", new File(["first"], "ignored.md", { type: "text/markdown" }));
  form.append("id", "form/2");
  form.append("version", "12");
  form.append("attributes", '{"a":"b"}');
  form.append("file", new File([bytes], "two.bin"));
  form.append("version", "minus one");
  form.append("file", new File(["bad version"], "three.txt"));
  form.append("file", new File(["named by its file"], "four.txt", { type: "text/plain" }));
  const receipts = await receiptsOf(await push(form, undefined));
  assert.deepEqual(
    receipts.map(outcome).sort((a, b) => Number(a[0]) - Number(b[0])),
    [
      [0, "form/1", undefined],
      [1, "form/2", undefined],
      [2, "three.txt", "HW_REQUEST_INVALID"],
      [3, "four.txt", undefined],
    ],
  );
  const client = createHeadwaterClient({ baseUrl: fixture.baseUrl });
  const one = await client.documents.get("form/1");
  assert.deepEqual([one.title, one.mediaType, one.attributes], ["One", "text/markdown", { k: "v" }]);
  const two = await client.documents.get("form/2");
  assert.equal(two.version, 12);
  assert.equal(two.contentSha256, createHash("sha256").update(bytes).digest("hex"));
});

test("the client's upload speaks this route", async () => {
  const client = createHeadwaterClient({ baseUrl: fixture.baseUrl, tenant: "acme" });
  const seenReceipts: string[] = [];
  let sent = 0;
  const files = [new File(["hello"], "up.txt"), { content: new Blob(["x"]), id: "refused-up" }];
  const receipts = await client.documents.upload(files, {
    onReceipt: ({ id }) => seenReceipts.push(id),
    onProgress: ({ sentBytes }) => {
      sent = sentBytes;
    },
  });
  assert.deepEqual(
    receipts.map(({ id, error }) => [id, error?.reason]),
    [
      ["up.txt", undefined],
      ["refused-up", "HW_DOCUMENT_ID_INVALID"],
    ],
  );
  assert.deepEqual([seenReceipts, sent], [["up.txt", "refused-up"], 6]);
  assert.equal((await client.documents.get("up.txt")).title, "");
});

test("the body can be the document, its id in the query", async () => {
  const response = await push("<p>Hi</p>", "text/html; charset=utf-8", "/v1/documents?id=raw.html&title=Raw");
  assert.equal(response.status, 202);
  const found = (await (await fetch(fixture.url("/v1/documents/raw.html"))).json()) as Record<
    string,
    unknown
  >;
  assert.deepEqual([found["media_type"], found["title"], found["size_bytes"]], ["text/html", "Raw", 9]);
  const refused = await failureOf(await push("x", "text/plain", "/v1/documents?id=refused-raw"));
  assert.deepEqual([refused.status, refused.reason], [400, "HW_DOCUMENT_ID_INVALID"]);
});

test("an array is answered as an array where JSON is asked for; /index is the plain route", async () => {
  const response = await push(
    JSON.stringify([{ id: "array-1", text: "a" }, { id: "array-2" }, 7]),
    "application/json",
    "/index",
    { accept: "application/json" },
  );
  const receipts = (await response.json()) as Receipt[];
  assert.deepEqual(receipts.map(outcome).sort(), [
    [0, "array-1", undefined],
    [1, "array-2", "HW_REQUEST_INVALID"],
    [2, "", "HW_REQUEST_INVALID"],
  ]);
  const none = await push("[]", "application/json", "/index", { accept: "application/json" });
  assert.deepEqual(await none.json(), []);
});

test("documents are listed by page, prefix and state, and deleted", async () => {
  await fixture.post("/v1/documents", { id: "list/1", text: "a" });
  await fixture.post("/v1/documents", { id: "list/2", text: "a" });
  const list = async (query: string) =>
    (await (await fetch(fixture.url(`/v1/documents?id_prefix=list/&${query}`))).json()) as {
      documents: { id: string }[];
      next_page_token: string;
    };
  const first = await list("page_size=1&state=indexed&state=queued");
  assert.deepEqual([first.documents.map(({ id }) => id), first.next_page_token], [["list/1"], "1"]);
  const second = await list(`page_size=1&page_token=${first.next_page_token}`);
  assert.deepEqual([second.documents.map(({ id }) => id), second.next_page_token], [["list/2"], ""]);
  const deleted = await fetch(fixture.url("/v1/documents/list%2F1"), { method: "DELETE" });
  assert.equal(((await deleted.json()) as { id: string }).id, "list/1");
  const gone = await failureOf(await fetch(fixture.url("/v1/documents/list%2F1")));
  assert.deepEqual([gone.status, gone.reason], [404, "HW_DOCUMENT_NOT_FOUND"]);
});

test("receipts come while the body is still being sent", async () => {
  let more: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      more = controller;
      controller.enqueue(Buffer.from('{"id":"early","text":"x"}\n'));
    },
  });
  const response = await push(body, "application/x-ndjson");
  assert(response.body);
  const reader = response.body.getReader();
  const { value } = await reader.read();
  assert.match(Buffer.from(value ?? []).toString(), /"early"/);
  more?.close();
  assert.equal((await reader.read()).done, true);
});

test("a slow service slows the sender, and memory stays flat", async () => {
  seen.pushPaceMs = 2;
  seen.pushedBytes = 0;
  const before = process.memoryUsage().rss;
  let made = 0;
  const piece = Buffer.alloc(256 * 1024, 97);
  const total = 100;
  let peak = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (made === total) return controller.close();
        made += 1;
        controller.enqueue(piece);
        peak = Math.max(peak, made * piece.length - seen.pushedBytes);
      },
    },
    { highWaterMark: 0 },
  );
  const response = await push(body, "application/octet-stream", "/v1/documents?id=large");
  seen.pushPaceMs = 0;
  assert.equal(response.status, 202);
  assert.equal(seen.pushedBytes, total * piece.length);
  const ahead = Math.round(peak / 1024 / 1024);
  assert(ahead < 20, `the sender was ${ahead} MiB ahead of the service`);
  assert(process.memoryUsage().rss - before < 200 * 1024 * 1024);
});

test("a sender who leaves midway cancels the push", async (context) => {
  const { pushEndMs } = seen;
  seen.pushEndMs = 60_000;
  context.after(() => {
    seen.pushEndMs = pushEndMs;
  });
  const before = seen.cancelled;
  const pushed = seen.pushedBytes;
  const { hostname, port } = new URL(fixture.baseUrl);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /v1/documents HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/x-ndjson\r\n` +
      'Transfer-Encoding: chunked\r\n\r\n19\r\n{"id":"half","text":"x"}\n\r\n',
  );
  await until("the push's beginning", () => seen.pushedBytes === pushed + 1);
  socket.on("error", () => {});
  socket.destroy();
  await until("the service's hearing of it", () => seen.cancelled > before);
});

test("bodies that are no push are refused in clear words", async () => {
  const cases: [RequestInit["body"], string | undefined, number, string][] = [
    ["x", "text/plain", 415, "HW_MEDIA_TYPE_UNSUPPORTED"],
    ["{", "application/json", 400, "HW_JSON_INVALID"],
    ["7", "application/json", 400, "HW_REQUEST_INVALID"],
    [`"${"x".repeat(70_000)}"`, "application/json", 413, "HW_BODY_TOO_LARGE"],
    ["x", "multipart/form-data", 400, "HW_MULTIPART_INVALID"],
    ["x", "multipart/form-data; boundary=b", 400, "HW_MULTIPART_INVALID"],
    ["--b\r\ncontent-disposition: form-data", "multipart/form-data; boundary=b", 400, "HW_MULTIPART_INVALID"],
    [JSON.stringify({ id: "a\u0000b", text: "x" }), "application/json", 400, "HW_REQUEST_INVALID"],
    [JSON.stringify({ id: "é".repeat(257), text: "x" }), "application/json", 400, "HW_REQUEST_INVALID"],
    [
      JSON.stringify({ id: "both", text: "x", content_base64: "eA==" }),
      "application/json",
      400,
      "HW_REQUEST_INVALID",
    ],
    [JSON.stringify({ id: "b64", content_base64: "%%%" }), "application/json", 400, "HW_REQUEST_INVALID"],
  ];
  for (const [body, contentType, status, reason] of cases) {
    const failure = await failureOf(await push(body, contentType));
    assert.deepEqual(
      [failure.status, failure.reason],
      [status, reason],
      `${contentType}: ${String(body).slice(0, 40)}`,
    );
  }
  const query = await failureOf(await push("x", "text/plain", "/v1/documents?id=a&vresion=1"));
  assert.match(query.message, /vresion/);
});
