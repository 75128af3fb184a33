import type { SeededRandom } from "@headwater/testing/seeded-random";
import { describeHttp } from "./http-answer.ts";
import { jsonRoutes } from "./json-routes.ts";
import type { MalformedInput } from "./malformed-input.ts";
import { oddNumber, oddText, randomBytes } from "./odd-values.ts";
import { exchange } from "./raw-exchange.ts";

/** A request as it goes over the wire. */
interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** How the bytes of a request are sent. */
const deliveries = [
  "whole",
  "whole",
  "whole",
  "whole",
  "in pieces",
  "cut short",
  "left early",
  "stalled",
] as const;

/** A request to the gateway over HTTP/1.1 that is wrong in its line, its headers, its body or the way it comes. */
export function httpInput(random: SeededRandom): MalformedInput {
  const [kind, make] = random.pick(kinds);
  const request = make(random);
  const delivery = request.body.length > 1 ? random.pick(deliveries) : "whole";
  const short = JSON.stringify({
    ...request,
    body: Buffer.from(request.body).toString("latin1").slice(0, 300),
  });
  return {
    door: "HTTP",
    name: `${kind}, ${delivery}: ${short.slice(0, 900)}`,
    async send(system) {
      const address = system.address("gateway");
      const { pieces, end, pauseMs } = deliver(written(request, address), delivery);
      const endless = /^\/v1\/watch/.test(request.path);
      const answer = await exchange(address, pieces, {
        end,
        pauseMs,
        ...(endless ? { complete: (received) => received.includes("\r\n\r\n") } : {}),
      });
      // A tunnel is what Node's server refuses by hanging up.
      const hangsUp = delivery === "cut short" || delivery === "stalled" || request.method === "CONNECT";
      // Refused before all of it was sent: TCP's reset may overtake the answer (RFC 9112, 9.6).
      const mayCut = hangsUp || request.body.length > 1_000_000;
      // Node itself answers an expectation that it does not know, with 417.
      const plain = request.headers["expect"] !== undefined;
      return [describeHttp(answer, { mayCut, plain, headOnly: request.method === "HEAD" })];
    },
  };
}

/** Bytes of a request. A header that the request names itself stands as it is, right or wrong; an empty one is left out. */
function written({ method, path, headers, body }: HttpRequest, host: string): Buffer {
  const all: Record<string, string> = {
    host,
    connection: "close",
    "content-length": String(body.length),
    ...headers,
  };
  const lines = Object.entries(all)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"), body]);
}

function deliver(bytes: Buffer, delivery: (typeof deliveries)[number]) {
  const middle = Math.max(1, bytes.length - Math.ceil((bytes.length - bytes.indexOf("\r\n\r\n") - 4) / 2));
  const [head, tail] = [bytes.subarray(0, middle), bytes.subarray(middle)];
  switch (delivery) {
    case "whole":
      return { pieces: [bytes], end: "stay", pauseMs: 0 } as const;
    case "in pieces":
      return { pieces: [head, tail.subarray(0, 1), tail.subarray(1)], end: "stay", pauseMs: 100 } as const;
    case "cut short":
      return { pieces: [head], end: "half-close", pauseMs: 0 } as const;
    case "left early":
      return { pieces: [head, tail.subarray(0, 1)], end: "leave", pauseMs: 20 } as const;
    case "stalled":
      return { pieces: [head], end: "stay", pauseMs: 0 } as const;
  }
}

const jsonType = { "content-type": "application/json" };

const kinds: readonly (readonly [string, (random: SeededRandom) => HttpRequest])[] = [
  ["broken JSON", (random) => post(random.pick(jsonPaths), jsonType, brokenJson(random))],
  ["wrong types", wrongTypes],
  ["wrong types", wrongTypes],
  [
    "a wrong content type",
    (random) => post(random.pick(jsonPaths), { "content-type": random.pick(mediaTypes) }, '{"query":"a"}'),
  ],
  ["broken multipart", brokenMultipart],
  [
    "broken JSON Lines",
    (random) =>
      post(
        random.pick(["/v1/documents", "/index"]),
        { "content-type": "application/x-ndjson" },
        brokenLines(random),
      ),
  ],
  [
    "bytes for no upload",
    (random) => ({
      ...post(random.pick(uploadPaths), {}, randomBytes(random, 2000)),
      method: "PUT",
    }),
  ],
  [
    "a wrong path",
    (random) => ({
      method: random.pick(["GET", "POST", "DELETE"]),
      path: random.pick(wrongPaths),
      headers: {},
      body: Buffer.alloc(0),
    }),
  ],
  [
    "a wrong query",
    (random) => ({ method: "GET", path: wrongQuery(random), headers: {}, body: Buffer.alloc(0) }),
  ],
  [
    "a wrong method",
    (random) => ({
      method: random.pick(methods),
      path: random.pick(jsonPaths),
      headers: {},
      body: Buffer.alloc(0),
    }),
  ],
  [
    "wrong headers",
    (random) =>
      post(
        random.pick(["/v1/search", "/v1/answer"]),
        { ...jsonType, ...random.pick(wrongHeaders) },
        '{"query":"a","question":1}',
      ),
  ],
  [
    "a range",
    (random) => ({
      method: "GET",
      path: random.pick(["/", "/openapi.json", "/v1/documents/x/original"]),
      headers: { range: random.pick(ranges) },
      body: Buffer.alloc(0),
    }),
  ],
  [
    "junk",
    (random) => ({
      method: Buffer.from(randomBytes(random, 30)).toString("latin1"),
      path: "/",
      headers: { "\u0001": "\u0000" },
      body: randomBytes(random, 100),
    }),
  ],
];

function post(path: string, headers: Record<string, string>, body: string | Uint8Array): HttpRequest {
  return { method: "POST", path, headers, body: Buffer.from(body) };
}

/** Where a body is read as JSON; the last two are other names of routes that the table has. */
const jsonPaths = [...jsonRoutes.map(({ path }) => path), "/index", "/query"];
const uploadPaths = [
  "/v1/uploads/x",
  "/v1/uploads/e30.e30",
  "/v1/uploads/%00",
  "/v1/uploads/..%2F..%2Fx",
  `/v1/uploads/${"x".repeat(2000)}`,
];
const methods = [
  "PUT",
  "PATCH",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "BREW",
  "get",
  "G\u0007T",
  "CONNECT",
];

const brokenJsons = [
  "",
  "{",
  "[]",
  "null",
  "7",
  '"text"',
  "{}",
  '{"query":"a",}',
  '{"query":"a"}{"query":"b"}',
  "{'query':'a'}",
  '{"query":NaN}',
  '{"query":"\\ud800"}',
  '{"query":"\\x"}',
  '{"query":"a","query":7}',
  '{"__proto__":{"query":"a"}}',
  '{"query":"a","constructor":{"prototype":{"x":1}}}',
  "\ufeff{}",
  "[".repeat(100_000),
  '{"a":'.repeat(50_000),
  `{"query":"${"x".repeat(9000)}"}`,
  `{"query":"${"x".repeat(1_100_000)}"}`,
  `{"question":"${"why ".repeat(3000)}"}`,
];

function brokenJson(random: SeededRandom): Uint8Array {
  const bytes = Buffer.from(random.pick(brokenJsons));
  if (bytes.length === 0 || random.integer(0, 2) > 0) return bytes;
  bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
  return bytes;
}

/** A value of any type but, most often, the right one. */
function oddValue(random: SeededRandom): unknown {
  const text = oddText(random);
  return random.pick([
    null,
    true,
    [],
    {},
    [text],
    { [text]: text },
    oddNumber(random),
    text,
    [[[[]]]],
    [null],
  ]);
}

function wrongTypes(random: SeededRandom): HttpRequest {
  const { method, path, sound, fields } = random.pick(jsonRoutes);
  const body: Record<string, unknown> = { ...sound };
  for (let left = random.integer(1, 4); left > 0; left--) body[random.pick(fields)] = oddValue(random);
  const accept = random.pick(["application/json", "text/event-stream", "nonsense", "*/*;q=x", "text/html"]);
  return { ...post(path, { ...jsonType, accept }, JSON.stringify(body)), method };
}

const mediaTypes = [
  "text/plain",
  "text/html",
  "application/xml",
  "application/x-www-form-urlencoded",
  "not a media type",
  "application/json; charset=utf-7",
  "multipart/form-data",
  "multipart/form-data; boundary=",
  `multipart/form-data; boundary=${"x".repeat(300)}`,
  "multipart/mixed; boundary=b",
  "application/",
  "/",
  ";;;",
];

function brokenMultipart(random: SeededRandom): HttpRequest {
  const file = (headers: string, content: string) => `--b\r\n${headers}\r\n\r\n${content}\r\n`;
  const named = (id: string) => `content-disposition: form-data; name="file"; filename="${id}"`;
  const text = oddText(random);
  const bodies = [
    "",
    "no boundary at all",
    "--b--\r\n",
    "--b\r\n\r\n--b--\r\n",
    "--c\r\n\r\nx\r\n--c--\r\n",
    file(named("cut-short"), "unfinished"),
    `${file(named(""), "without a name")}--b--\r\n`,
    `${file(named("a\u0000b"), "x")}--b--\r\n`,
    `${file(named(text.replaceAll(/["\r\n]/g, "")), text)}--b--\r\n`,
    `${file("content-disposition: nonsense", "x")}--b--\r\n`,
    `${file("content-disposition: form-data", "x")}--b--\r\n`,
    `${file('content-disposition: form-data; name="document"', "{{")}${file(named("described-badly"), "x")}--b--\r\n`,
    `${file('content-disposition: form-data; name="document"', '[1,2,"x"]')}${file(named("described-oddly"), "x")}--b--\r\n`,
    `${file('content-disposition: form-data; name="attributes"', text)}${file(named("attributes"), "x")}--b--\r\n`,
    `${file('content-disposition: form-data; name="version"', "-1")}${file(named("version"), "x")}--b--\r\n`,
    `${file(`content-disposition: form-data; name="${"n".repeat(5000)}"`, "x")}--b--\r\n`,
    `${file(`${"x-header: y\r\n".repeat(500)}${named("many-headers")}`, "x")}--b--\r\n`,
    `${file(`${named("a-type")}\r\ncontent-type: ${text.replaceAll(/[\r\n]/g, "")}`, "x")}--b--\r\n`,
    file(named("no-end"), "x").repeat(20),
  ];
  const bytes = Buffer.from(random.pick(bodies));
  if (bytes.length > 0 && random.integer(0, 3) === 0)
    bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
  return post("/v1/documents", { "content-type": "multipart/form-data; boundary=b" }, bytes);
}

function brokenLines(random: SeededRandom): Uint8Array {
  const lines = [
    "{",
    "",
    "null",
    "[]",
    '{"id":"only"}',
    '{"id":"","text":"x"}',
    '{"id":"both","text":"x","content_base64":"eA=="}',
    '{"id":"base","content_base64":"%%%"}',
    '{"id":"old","text":"x","version":-1}',
    '{"id":"time","text":"x","observed_time":"yesterday"}',
    '{"_id":7,"text":"x"}',
    '{"_id":"beir","metadata":[1],"text":null}',
    JSON.stringify({ id: oddText(random), text: oddText(random), title: oddText(random) }),
    JSON.stringify({ id: "odd", text: "x", attributes: { [oddText(random)]: oddText(random) } }),
    JSON.stringify({ id: "odd", text: "x", media_type: oddText(random), uri: oddText(random) }),
    "x".repeat(300_000),
    Buffer.from(randomBytes(random, 100)).toString("latin1"),
  ];
  return Buffer.from(Array.from({ length: random.integer(1, 6) }, () => random.pick(lines)).join("\n"));
}

const wrongPaths = [
  "/v1/documents/%E0%A4%A",
  "/v1/documents/a%00b",
  "/v1/documents/%",
  `/v1/documents/${"x".repeat(2000)}`,
  `/v1/documents/${"%41".repeat(600)}`,
  "/../../etc/passwd",
  "/..%2f..%2fetc%2fpasswd",
  "/%2e%2e/%2e%2e/etc/passwd",
  "/....//....//etc/passwd",
  "/assets/../../package.json",
  "/assets/%2e%2e%2f%2e%2e%2fpackage.json",
  "/assets\\..\\..\\package.json",
  "//evil.example/",
  "/v1//search",
  "/V1/SEARCH",
  "/v1/search%20",
  "/v1/search/../../x?%%%",
  "http://evil.example/",
  "*",
  "nopath",
  "/\u00ff\u00fe",
  `/${"a/".repeat(4000)}`,
  "/?".concat("a=b&".repeat(3000)),
  "/health/dead",
  "/metrics/../v1/documents/../../x",
];

function wrongQuery(random: SeededRandom): string {
  const value = encodeURIComponent(oddText(random).toWellFormed().slice(0, 1500));
  return random.pick([
    "/v1/documents/x/text?start=-1",
    "/v1/documents/x/text?start=1e99&end=NaN",
    "/v1/documents/x/text?start=99999999999999999999",
    "/v1/documents/x/text?start=4294967296",
    "/v1/documents/x/text?version=1.5",
    `/v1/documents?page_size=${encodeURIComponent(oddNumber(random))}`,
    `/v1/documents?page_token=${value}`,
    `/v1/documents?id_prefix=${value}`,
    `/v1/documents?state=${value}`,
    "/v1/documents?state=indexed&state=indexed&state=nothing",
    `/v1/documents/${value || "x"}`,
    `/v1/documents/${value || "x"}/original`,
    `/v1/documents?no_such=${value}`,
    `/v1/watch?until_settled=${value || "x"}`,
    `/v1/watch?id=${value}`,
    `/v1/dead-letters?page_token=${value}`,
    "/v1/dead-letters?page_size=9999999999999999999",
    `/query?q=${value}&max_passages=x`,
    `/query?q=${value}`,
    "/v1/documents?%%%=%&&&==",
  ]);
}

const wrongHeaders: readonly Record<string, string>[] = [
  { "content-length": "-1" },
  { "content-length": "5, 6" },
  { "content-length": "99999999999999999999" },
  { "transfer-encoding": "chunked" },
  { "content-length": "", "transfer-encoding": "chunked" },
  { "content-length": "", "transfer-encoding": "gzip" },
  { "content-encoding": "gzip" },
  { host: "evil.example" },
  { host: "a, b" },
  { host: "\u0000" },
  { origin: "https://evil.example" },
  { accept: "nonsense" },
  { accept: "*/*;q=x" },
  { accept: "," },
  { "x-large": "x".repeat(20_000) },
  Object.fromEntries(Array.from({ length: 3000 }, (_, number) => [`x-${number}`, "y"])),
  { "x-headwater-tenant": "../.." },
  { "x-headwater-tenant": "a".repeat(200) },
  { "x-headwater-tenant": "\u00fc" },
  { "x-request-id": "\u00ff<script>" },
  { traceparent: "00-nonsense-01" },
  { authorization: "Bearer" },
  { authorization: "Basic ====" },
  { cookie: "=;=;".repeat(1000) },
  { expect: "100-continue" },
  { expect: "a miracle" },
  { upgrade: "h2c", connection: "upgrade, http2-settings", "http2-settings": "%%%" },
  { upgrade: "websocket", connection: "upgrade" },
  { connection: "nonsense, close" },
  { "if-none-match": "*" },
  { te: "trailers, deflate;q=x" },
  { "bad header": "x" },
  { "x-control": "a\u0001b" },
];

const ranges = [
  "bytes=",
  "bytes=9-1",
  "bytes=-0",
  "bytes=0-0,1-1,2-2",
  "lines=1-2",
  "bytes=99999999999999-",
  "bytes=a-b",
];
