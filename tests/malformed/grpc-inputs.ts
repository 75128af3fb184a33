import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { SeededRandom } from "@headwater/testing/seeded-random";
import { contracts, heavyMethods } from "./contracts.ts";
import type { GrpcRequest } from "./grpc-call.ts";
import { callGrpc } from "./grpc-call.ts";
import { brokenMessage, oddMessage } from "./grpc-messages.ts";
import type { MalformedInput } from "./malformed-input.ts";
import { oddText, randomBytes } from "./odd-values.ts";

const addresses = Object.keys(contracts) as (keyof typeof contracts)[];

/** A call of a known method, or of one that is none, with something wrong in it. */
export function grpcInput(random: SeededRandom): MalformedInput {
  const address = random.pick(addresses);
  const service = random.pick<DescService>(contracts[address]);
  const method = random.pick(service.methods);
  const wrong = heavyMethods.has(method.name) ? "odd fields" : random.pick(wrongs);
  const request = makeRequest(random, service, method, wrong);
  return {
    door: "gRPC",
    name: `${address} ${service.typeName}/${method.name}: ${wrong} ${Buffer.from(request.body).toString("base64").slice(0, 400)} ${JSON.stringify(request.headers)}`,
    send: async (system) => [await callGrpc(system.address(address), request)],
  };
}

const wrongs = [
  "odd fields",
  "odd fields",
  "odd fields",
  "odd fields",
  "broken message",
  "broken message",
  "wrong envelope",
  "wrong compression",
  "wrong headers",
  "wrong path",
  "wrong number of messages",
  "left early",
] as const;

function makeRequest(
  random: SeededRandom,
  service: DescService,
  method: DescMethod,
  wrong: (typeof wrongs)[number],
): GrpcRequest {
  const path = `/${service.typeName}/${method.name}`;
  const odd = () => {
    const message = oddMessage(random, method.input);
    return envelope(heavyMethods.has(method.name) ? Buffer.concat([message, someoneElse(random)]) : message);
  };
  const request = { path, headers: {}, body: odd() };
  switch (wrong) {
    case "odd fields":
      // A stream of several: a piece without a start, a start within a document, and so on.
      return method.methodKind === "bidi_streaming"
        ? { ...request, body: Buffer.concat(Array.from({ length: random.integer(1, 4) }, odd)) }
        : request;
    case "broken message":
      return { ...request, body: envelope(brokenMessage(random, method.input)) };
    case "wrong envelope":
      return { ...request, body: wrongEnvelope(random, odd()) };
    case "wrong compression": {
      const headers = random.pick<Record<string, string>>([
        {},
        { "grpc-encoding": "gzip" },
        { "grpc-encoding": "deflate" },
        { "grpc-encoding": "no-such-encoding" },
      ]);
      return { ...request, headers, body: envelope(randomBytes(random, 200), random.pick([1, 1, 2, 255])) };
    }
    case "wrong headers":
      return { ...request, headers: random.pick(wrongHeaders) };
    case "wrong path":
      return { ...request, path: random.pick(wrongPaths(path, oddText(random))) };
    case "wrong number of messages":
      return { ...request, body: random.pick([Buffer.alloc(0), Buffer.concat([odd(), odd(), odd()])]) };
    case "left early":
      return { ...request, leaveAfterMs: random.integer(0, 60) };
  }
}

/** A tenant who has nothing, or cannot be; the last value of a field counts. */
function someoneElse(random: SeededRandom): Uint8Array {
  return new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(random.pick(["nobody", "no/body"]))
    .finish();
}

/** The five bytes before each message: a flag for compression and the length (gRPC over HTTP/2, PROTOCOL-HTTP2.md). */
function envelope(message: Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function wrongEnvelope(random: SeededRandom, good: Buffer): Buffer {
  const lying = (length: number) => {
    const bytes = Buffer.from(good);
    bytes.writeUInt32BE(length, 1);
    return bytes;
  };
  switch (random.integer(0, 5)) {
    case 0:
      return lying(0xffffffff);
    case 1:
      return lying(16 * 1024 * 1024 + 1);
    case 2:
      return lying(good.length + random.integer(0, 1000));
    case 3:
      return lying(random.integer(0, Math.max(0, good.length - 6)));
    case 4:
      return good.subarray(0, random.integer(0, 4));
    default:
      return Buffer.from(randomBytes(random, 300));
  }
}

const wrongHeaders: readonly Record<string, string>[] = [
  { ":method": "GET" },
  { ":method": "PUT" },
  { ":method": "DELETE" },
  { "content-type": "application/json" },
  { "content-type": "application/grpc+json" },
  { "content-type": "application/grpc-nonsense" },
  { "content-type": "text/plain" },
  { "content-type": "" },
  { te: "" },
  { "grpc-timeout": "soon" },
  { "grpc-timeout": "-1S" },
  { "grpc-timeout": "999999999999S" },
  { "grpc-timeout": "0n" },
  { "grpc-timeout": "1n" },
  { "grpc-timeout": "99999999H" },
  { "x-request-id": "x".repeat(5000) },
  { "x-request-id": "<script>" },
  { "broken-bin": "%%%not base64%%%" },
  { traceparent: "00-zzz-zzz-zz" },
  { tracestate: ",,,=,=" },
  { authorization: "Basic ====" },
  { "x-large": "x".repeat(15_000) },
  { "grpc-accept-encoding": "\u00ff,,,;" },
];

function wrongPaths(good: string, text: string): readonly string[] {
  return [
    good.slice(1) === "" ? "/" : good.toLowerCase(),
    `${good}/`,
    `${good}s`,
    `${good}?a=b`,
    "/",
    "//",
    "/headwater.v1.NoService/NoMethod",
    "/grpc.health.v1.Health/NoMethod",
    "/../../etc/passwd",
    `/${encodeURIComponent(text.toWellFormed())}`,
    `${good}%00`,
    "*",
  ];
}
