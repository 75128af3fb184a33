import type { SeededRandom } from "@headwater/testing/seeded-random";
import { describeHttp } from "./http-answer.ts";
import type { MalformedInput } from "./malformed-input.ts";
import { checkText, reasonIn } from "./malformed-input.ts";
import { oddNumber, oddText, randomBytes } from "./odd-values.ts";
import { exchange } from "./raw-exchange.ts";

/** Opcodes of RFC 6455, 5.2. */
const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** A WebSocket whose handshake, frames or messages are wrong. */
export function websocketInput(random: SeededRandom): MalformedInput {
  const kind = random.pick([
    "handshake",
    "frames",
    "frames",
    "message",
    "message",
    "message",
    "half-open",
  ] as const);
  if (kind === "handshake") return wrongHandshake(random);
  if (kind === "half-open") return halfOpen(random);
  const [name, ...frames] = kind === "frames" ? random.pick(wrongFrames(random)) : wrongMessages(random);
  return {
    door: "WebSocket",
    name: `${kind}: ${name} ${Buffer.concat(frames).toString("base64").slice(0, 400)}`,
    async send(system) {
      const address = system.address("gateway");
      const { received, closedBy } = await exchange(address, [handshake(address), ...frames], {
        complete: (bytes) => answersOf(bytes).some(isLast),
        // A first frame that says that more will come waits for it.
        end: "half-close",
      });
      return [describe(answersOf(received), closedBy)];
    },
  };
}

/** A frame that the server sent. */
interface Answer {
  readonly opcode: number;
  readonly payload: Buffer;
}

function isLast({ opcode: kind, payload }: Answer): boolean {
  return (
    kind === opcode.close ||
    (kind === opcode.text && /"type":"(error|done|document)"/.test(payload.toString()))
  );
}

/** Frames after the head of the handshake; servers do not mask (RFC 6455, 5.1). */
function answersOf(received: Buffer): Answer[] {
  const answers: Answer[] = [];
  const head = received.indexOf("\r\n\r\n");
  if (head === -1) return answers;
  for (let at = head + 4; at + 2 <= received.length; ) {
    const short = received.readUInt8(at + 1) & 127;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const start = at + 2 + lengthBytes;
    if (start > received.length) break;
    const length =
      lengthBytes === 0
        ? short
        : Number(received.readUIntBE(at + 2 + Math.max(0, lengthBytes - 6), Math.min(6, lengthBytes)));
    answers.push({ opcode: received.readUInt8(at) & 15, payload: received.subarray(start, start + length) });
    at = start + length;
  }
  return answers;
}

function describe(answers: readonly Answer[], closedBy: string): string {
  const texts = answers
    .filter(({ opcode: kind }) => kind === opcode.text)
    .map(({ payload }) => payload.toString());
  for (const text of texts) checkText(text);
  const last = texts.at(-1) ?? "";
  const reason = reasonIn(last);
  if (/"type":"error"/.test(last)) {
    if (reason === "") throw new Error(`an error without a reason: ${last}`);
    if (/"code":"(INTERNAL|UNKNOWN|UNAVAILABLE|DATA_LOSS)"/.test(last)) throw new Error(last);
    return `error ${reason}`;
  }
  const close = answers.find(({ opcode: kind }) => kind === opcode.close);
  if (close) return `closed with ${close.payload.length >= 2 ? close.payload.readUInt16BE(0) : "no code"}`;
  if (closedBy === "silence") throw new Error(`no answer: ${last}`);
  if (last !== "") return `taken: ${/"type":"(\w+)"/.exec(last)?.[1]}`;
  return "connection closed";
}

function handshake(host: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Buffer {
  const all = {
    host,
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-version": "13",
    ...headers,
  };
  const lines = Object.entries(all)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} /v1/ws HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
}

const wrongHeaders: readonly Record<string, string>[] = [
  { "sec-websocket-key": "" },
  { "sec-websocket-key": "x" },
  { "sec-websocket-version": "" },
  { "sec-websocket-version": "1" },
  { "sec-websocket-version": "99" },
  { connection: "close" },
  { upgrade: "h2c" },
  { origin: "https://evil.example" },
  { host: "evil.example" },
  { "sec-websocket-protocol": ",,," },
  { "sec-websocket-protocol": "a, a" },
  { "sec-websocket-extensions": "permessage-deflate; server_max_window_bits=99" },
  { "sec-websocket-extensions": ";;;" },
];

function wrongHandshake(random: SeededRandom): MalformedInput {
  const headers = random.pick(wrongHeaders);
  const method = random.pick(["GET", "GET", "GET", "POST", "HEAD"]);
  return {
    door: "WebSocket",
    name: `handshake: ${method} ${JSON.stringify(headers)}`,
    async send(system) {
      const address = system.address("gateway");
      const answer = await exchange(address, [handshake(address, headers, method)], {
        complete: (received) => /^HTTP\/1\.1 101/.test(received.toString("latin1")),
        end: "half-close",
      });
      if (/^HTTP\/1\.1 101/.test(answer.received.toString("latin1"))) return ["handshake taken"];
      const headOnly = method === "HEAD";
      return [`handshake: ${describeHttp(answer, { headOnly, mayCut: true, plain: true })}`];
    },
  };
}

/** Opens, begins something, and goes without a word: what was begun must end. */
function halfOpen(random: SeededRandom): MalformedInput {
  const request = random.pick([
    '{"id":"w","type":"watch","request":{}}',
    '{"id":"s","type":"search","request":{"query":"tides"}}',
    '{"id":"a","type":"answer","request":{"question":"why do the tides come?"}}',
    '{"id":"c","type":"chat","request":{"message":"why do the tides come?","stateless":true}}',
  ]);
  return {
    door: "WebSocket",
    name: `half-open: ${request}`,
    async send(system) {
      const address = system.address("gateway");
      await exchange(address, [handshake(address), frame(opcode.text, Buffer.from(request))], {
        end: "leave",
        pauseMs: random.integer(5, 60),
      });
      return ["left early"];
    },
  };
}

/** A client's frame, masked with zeros, which is allowed (RFC 6455, 5.3) and leaves the payload readable. */
function frame(
  kind: number,
  payload: Uint8Array,
  { fin = true, rsv = 0, mask = true, length = BigInt(payload.length) } = {},
): Buffer {
  const first = (fin ? 128 : 0) | rsv | kind;
  const maskBit = mask ? 128 : 0;
  const maskKey = Buffer.alloc(mask ? 4 : 0);
  if (length < 126n) return Buffer.concat([Buffer.from([first, maskBit | Number(length)]), maskKey, payload]);
  const head = Buffer.alloc(10);
  head.writeUInt8(first, 0);
  head.writeUInt8(maskBit | 127, 1);
  head.writeBigUInt64BE(length, 2);
  return Buffer.concat([head, maskKey, payload]);
}

function wrongFrames(random: SeededRandom): readonly (readonly [string, ...Buffer[]])[] {
  const text = Buffer.from('{"id":"1","type":"search","request":{"query":"a"}}');
  const junk = Buffer.from(randomBytes(random, 200));
  return [
    ["not masked", frame(opcode.text, text, { mask: false })],
    ["reserved bits", frame(opcode.text, text, { rsv: random.pick([16, 32, 64, 112]) })],
    ["an unknown opcode", frame(random.pick([3, 4, 5, 6, 7, 11, 12, 15]), text)],
    ["binary", frame(opcode.binary, junk)],
    ["continuation of nothing", frame(opcode.continuation, text)],
    ["a new message within one", frame(opcode.text, text, { fin: false }), frame(opcode.text, text)],
    ["a ping in pieces", frame(opcode.ping, junk.subarray(0, 100), { fin: false })],
    ["a ping that is too long", frame(opcode.ping, Buffer.alloc(126))],
    ["no UTF-8", frame(opcode.text, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))],
    ["half a surrogate pair", frame(opcode.text, Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))],
    ["a length beyond 2^53", frame(opcode.text, text, { length: 2n ** 62n })],
    ["a length beyond the limit", frame(opcode.text, text, { length: 2n ** 40n })],
    ["a length below zero", frame(opcode.text, text, { length: 2n ** 63n + 5n })],
    ["a message that does not end", frame(opcode.text, text, { length: 5000n })],
    [
      "a close code that is none",
      frame(opcode.close, Buffer.from([random.pick([0, 3]), random.integer(0, 255)])),
    ],
    ["a close of one byte", frame(opcode.close, Buffer.alloc(1))],
    ["a close whose text is no UTF-8", frame(opcode.close, Buffer.from([3, 232, 0xff]))],
    ["junk", junk],
    ["a pong that nobody asked for, then junk", frame(opcode.pong, junk.subarray(0, 90)), junk],
    ["a message in a thousand pieces", ...pieces(text)],
  ];
}

function pieces(text: Buffer): Buffer[] {
  const empty = Array.from({ length: 998 }, () =>
    frame(opcode.continuation, Buffer.alloc(0), { fin: false }),
  );
  return [
    Buffer.concat([
      frame(opcode.text, Buffer.alloc(0), { fin: false }),
      ...empty,
      frame(opcode.continuation, text),
    ]),
  ];
}

function wrongMessages(random: SeededRandom): readonly [string, ...Buffer[]] {
  const text = oddText(random);
  const messages: readonly unknown[] = [
    7,
    null,
    [],
    "text",
    { id: "1" },
    { id: "", type: "cancel" },
    { id: "nobody", type: "dance" },
    { id: text, type: text, request: text },
    { id: { a: 1 }, type: "answer", request: { question: "a" } },
    { id: "1", type: "search" },
    { id: "1", type: "search", request: { query: "" } },
    { id: "1", type: "search", request: { query: "a", page_size: oddNumber(random) } },
    { id: "1", type: "search", request: { query: "a", page_token: text } },
    { id: "1", type: "search", request: { query: "a", filter: { attributes: { [text]: text } } } },
    { id: "1", type: "search", request: { query: text, filter: { document_ids: [text] } } },
    { id: "1", type: "search", request: { query: text, fusion: { lexical_weight: oddNumber(random) } } },
    { id: "1", type: "answer", request: { question: text, model: text } },
    { id: "1", type: "answer", request: { question: "a", temperature: oddNumber(random) } },
    { id: "1", type: "answer", request: { question: "a", max_passages: oddNumber(random) } },
    { id: "1", type: "push", request: { id: "a" } },
    { id: "1", type: "push", request: { id: text, text, title: text, version: oddNumber(random) } },
    { id: "1", type: "push", request: { id: "a", content_base64: text } },
    { id: "1", type: "watch", request: { ids: [""] } },
    { id: "1", type: "watch", request: { ids: Array.from({ length: 2000 }, () => "a") } },
    { id: "1", type: "reindex", request: {} },
  ];
  const message = random.pick(messages);
  const json = JSON.stringify(message);
  const sent = random.pick([
    json,
    json,
    json,
    json.slice(0, -1),
    `${json},`,
    "{",
    "[".repeat(50_000),
    `"${"x".repeat(70_000)}"`,
  ]);
  const once = frame(opcode.text, Buffer.from(sent));
  // A first message that holds its place, then another with the same id.
  const watch = frame(opcode.text, Buffer.from('{"id":"1","type":"watch","request":{"changes_only":true}}'));
  return random.integer(0, 5) === 0 ? [`id in use, then ${sent}`, watch, once] : [sent.slice(0, 300), once];
}
