/**
 * Malformed inputs for every door of the gateway, made from a seed so that a failure can be made again. Exported for
 * the project's own test of ten thousand of them.
 */

import { SeededRandom } from "@headwater/testing/seeded-random";

/** A request that no well-behaved client sends. */
export type MalformedInput =
  | {
      readonly door: "http";
      readonly method: string;
      readonly path: string;
      readonly headers: Record<string, string>;
      readonly body: Uint8Array | undefined;
    }
  | { readonly door: "websocket"; readonly frame: string | Uint8Array }
  /** Bytes for a fresh TCP connection: broken HTTP/1.1 and HTTP/2. */
  | { readonly door: "socket"; readonly bytes: Uint8Array };

/** @param seed a whole number; the same seed gives the same inputs */
export function* malformedInputs(count: number, seed: number): Generator<MalformedInput> {
  const random = new SeededRandom(seed);
  for (let index = 0; index < count; index += 1) {
    const kind = index % 6;
    if (kind === 4) yield { door: "websocket", frame: websocketFrame(random) };
    else if (kind === 5) yield { door: "socket", bytes: socketBytes(random) };
    else yield httpInput(random);
  }
}

const paths = [
  "/v1/search",
  "/v1/answer",
  "/v1/documents",
  "/index",
  "/query",
  "/v1/documents/%E0%A4%A",
  "/v1/documents/a%00b",
  "/v1/documents/x/text?start=-1",
  "/v1/documents/x/text?start=1e99&end=NaN",
  "/v1/documents?page_size=0",
  "/v1/documents?state=unknown&state=",
  "/v1/watch?until_settled=perhaps",
  "/v1/dead-letters?page_size=9999999999999999999",
  "/v1/dead-letters/replay",
  "/v1/ws",
  "/v1/chat/completions",
  "/v1/embeddings",
  "/v1/models",
  "/api/v1/chat",
  "/api/v1/chat/async",
  "/api/v1/chat/turns/%00?after=-1",
  "/api/v1/chat/turns/x/cancel",
  "/api/v1/chat/turns/x/tool-calls/%E0%A4%A",
  "/api/v1/chat/jobs/x",
  "/api/v1/conversations",
  "/api/v1/conversations/x/fork",
  "/api/v1/conversations?page_size=1e3",
  "/api/v1/agents",
  "/api/v1/agents/x",
  "/api/v1/prompts/..%2F/versions",
  "/api/v1/prompts/x/labels/y",
  "/api/v1/prompts/x/diff?from=-1&to=a",
  "/api/v1/prompts/render",
  "/api/v1/feedback",
  "/api/v1/feedback?answer_id=%ff",
  "/api/v1/memories",
  "/api/v1/memories/search",
  "/api/v1/jobs",
  "/api/v1/jobs?state=unknown",
  "/api/v1/jobs/schedules/%20",
  "/headwater.v1.SearchService/Search",
  "/headwater.v1.ConversationService/Chat",
  "/headwater.v1.ConversationService/ResumeTurn",
  "/headwater.v1.AgentService/CreateAgent",
  "/headwater.v1.JobService/SubmitJob",
  "/headwater.v1.IngestService/Push",
  "/headwater.v1.IngestService/GetDocument",
  "/headwater.v1.Nothing/Nothing",
  "/../../etc/passwd",
  "/%2e%2e/%2e%2e/etc/passwd",
  "/v1/search/../../x?%%%",
] as const;

const mediaTypes = [
  "application/json",
  "application/x-ndjson",
  "multipart/form-data",
  "multipart/form-data; boundary=b",
  "application/grpc",
  "application/grpc-web+proto",
  "application/connect+json",
  "application/proto",
  "text/plain",
  "not a media type",
  "",
] as const;

const documents = [
  "",
  "{",
  "[]",
  "null",
  "7",
  '"text"',
  "{}",
  '{"query":null}',
  '{"query":["a"]}',
  '{"query":"a","page_size":1e400}',
  '{"query":"a","__proto__":{"x":1}}',
  '{"query":"a","constructor":{"prototype":{}}}',
  '{"query":"\\ud800"}',
  '{"question":{}}',
  '{"question":"a","temperature":"hot"}',
  '{"message":""}',
  '{"message":"a","history":[{"role":"system","text":"x"}]}',
  '{"message":"a","stateless":true,"history":[{"role":"user","text":{}}]}',
  '{"message":"\\u0000","conversation_id":"\\u0000"}',
  '{"model":"a","messages":[{"role":"user","content":[{"type":"image_url"}]}]}',
  '{"model":"a","messages":[{"role":"user","content":"x"}],"stream":"yes","n":0}',
  '{"model":"tiny","input":[[1,2],["a"]]}',
  '{"model":"tiny","input":"a","dimensions":-1,"encoding_format":"hex"}',
  '{"name":"a","tools":[{"name":{}}],"limits":{"max_steps":1e9}}',
  '{"kind":"index","input":[],"priority":"high"}',
  '{"statement":7}',
  '{"shares":[{"version":-1,"weight":"NaN"}]}',
  '{"id":"","text":"x"}',
  '{"id":"a\\u0000","text":"x"}',
  '{"id":"a","text":7}',
  '{"id":"a","content_base64":"%"}',
  '{"id":"a"}\n{"id":\n\n{{{',
  `${"[".repeat(5000)}`,
  `{"query":"${"x".repeat(9000)}"}`,
  "\uFEFF{}",
  "--b\r\n\r\n--b--\r\n",
  '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nunfinished',
  '--b\r\ncontent-disposition: form-data; name="document"\r\n\r\n{{\r\n--b\r\ncontent-disposition: form-data; name="file"; filename=""\r\n\r\nx\r\n--b--\r\n',
] as const;

function httpInput(random: SeededRandom): MalformedInput {
  const method = random.pick([
    "GET",
    "POST",
    "POST",
    "POST",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "HEAD",
    "OPTIONS",
  ]);
  const mediaType = random.pick(mediaTypes);
  const body =
    method === "GET" || method === "HEAD"
      ? undefined
      : random.below(3) === 0
        ? random.bytes(random.below(2000))
        : broken(random, random.pick(documents));
  return {
    door: "http",
    method,
    path: random.pick(paths),
    headers: {
      ...(mediaType === "" ? {} : { "content-type": mediaType }),
      ...(random.below(4) === 0 ? { accept: random.pick(["text/event-stream", "nonsense", "*/*;q=x"]) } : {}),
      ...(random.below(6) === 0 ? { "x-headwater-tenant": random.pick(["", "../..", "a".repeat(200)]) } : {}),
      ...(random.below(6) === 0 ? { "content-encoding": "gzip" } : {}),
      ...(random.below(6) === 0 ? { "grpc-timeout": random.pick(["soon", "-1S", "99999999999n"]) } : {}),
      ...(random.below(6) === 0
        ? { "connect-timeout-ms": random.pick(["soon", "0", "99999999999999"]) }
        : {}),
      ...(random.below(6) === 0 ? { traceparent: "00-nonsense-01" } : {}),
      ...(random.below(6) === 0
        ? { "x-headwater-owner": random.pick(["", "a b", "*", "a".repeat(200)]) }
        : {}),
      ...(random.below(6) === 0
        ? { "last-event-id": random.pick(["", "x", "x:-1", "x:99999999999999999999"]) }
        : {}),
    },
    body,
  };
}

/** The text, sometimes cut short or with a byte changed. */
function broken(random: SeededRandom, text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === 0 || random.below(2) === 0) return bytes;
  if (random.below(2) === 0) return bytes.subarray(0, random.below(bytes.length));
  bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

const messages = [
  ...documents,
  '{"id":"1"}',
  '{"id":"1","type":"search"}',
  '{"id":"1","type":"search","request":{"query":""}}',
  '{"id":"","type":"cancel"}',
  '{"id":"nobody","type":"cancel"}',
  '{"id":{},"type":"answer","request":{"question":"a"}}',
  '{"id":"1","type":"push","request":{"id":"a"}}',
  '{"id":"1","type":"watch","request":{"ids":[""]}}',
  '{"id":"1","type":"chat","request":{"message":7}}',
  '{"id":"1","type":"resume","request":{"turn_id":"x","after":1e99}}',
  '{"id":"1","type":"decide","request":{"turn_id":"x","call_id":"","approved":"yes"}}',
] as const;

function websocketFrame(random: SeededRandom): string | Uint8Array {
  if (random.below(4) === 0) return random.bytes(random.below(500));
  return new TextDecoder().decode(broken(random, random.pick(messages)));
}

const openings = [
  "GET / HTTP/9.9\r\n\r\n",
  "POST /v1/search HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
  "POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
  "POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
  "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
  "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 1\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
  "PR",
  "\u0016\u0003\u0001",
  "\r\n\r\n\r\n",
  "GET /\u0000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
] as const;

function socketBytes(random: SeededRandom): Uint8Array {
  const opening = new TextEncoder().encode(random.pick(openings));
  return Uint8Array.from([...opening, ...random.bytes(random.below(200))]);
}
