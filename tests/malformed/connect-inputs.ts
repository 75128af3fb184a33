import type { SeededRandom } from "@headwater/testing/seeded-random";
import { contracts, heavyMethods, mayStayOpen } from "./contracts.ts";
import { brokenMessage, oddMessage } from "./grpc-messages.ts";
import type { MalformedInput } from "./malformed-input.ts";
import { checkText, internalOfGrpc, reasonIn } from "./malformed-input.ts";
import { oddNumber, oddText, randomBytes } from "./odd-values.ts";
import type { Exchange } from "./raw-exchange.ts";
import { exchange } from "./raw-exchange.ts";

const contentTypes = [
  "application/proto",
  "application/json",
  "application/connect+proto",
  "application/connect+json",
  "application/grpc-web",
  "application/grpc-web+proto",
  "application/grpc-web+json",
  "application/grpc-web-text",
  "application/grpc",
  "application/connect+nonsense",
] as const;

/** A call over HTTP/1.1, as browsers make it, in one of the protocols that Connect answers, wrong in envelope or message. */
export function connectInput(random: SeededRandom): MalformedInput {
  const service = random.pick(contracts.gateway);
  const method = random.pick(service.methods.filter(({ name }) => !heavyMethods.has(name)));
  const contentType = random.pick(contentTypes);
  const message = contentType.endsWith("json")
    ? Buffer.from(
        oddJson(
          random,
          method.input.fields.map(({ jsonName }) => jsonName),
        ),
      )
    : Buffer.from(random.pick([oddMessage, brokenMessage])(random, method.input));
  const body = random.integer(0, 3) === 0 ? message : enveloped(random, message);
  const headers = { "content-type": contentType, ...random.pick(oddHeaders) };
  const path = `/${service.typeName}/${method.name}`;
  return {
    door: "Connect and gRPC-Web",
    name: `${path} ${JSON.stringify(headers)} ${body.toString("base64").slice(0, 400)}`,
    async send(system) {
      const address = system.address("gateway");
      const lines = Object.entries({
        host: address,
        connection: "close",
        "content-length": body.length,
        ...headers,
      });
      const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
      const answer = await exchange(address, [Buffer.from(head), body], {
        // A watch that was asked for well stays open; half a second shows that it does.
        ...(mayStayOpen(method.name) ? { listenMs: 500 } : {}),
      });
      return [describe(answer, mayStayOpen(method.name))];
    },
  };
}

const oddHeaders: readonly Record<string, string>[] = [
  {},
  {},
  { "connect-protocol-version": "1" },
  { "connect-protocol-version": "7" },
  { "connect-timeout-ms": "soon" },
  { "connect-timeout-ms": "-1" },
  { "connect-timeout-ms": "99999999999999" },
  { "grpc-timeout": "soon" },
  { "content-encoding": "gzip" },
  { "connect-content-encoding": "gzip" },
  { "grpc-encoding": "no-such-encoding" },
  { accept: "nonsense" },
];

function enveloped(random: SeededRandom, message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(random.pick([0, 0, 0, 0, 1, 2, 3, 128, 255]), 0);
  head.writeUInt32BE(random.pick([message.length, message.length, message.length + 7, 0, 1, 0xffffffff]), 1);
  const whole = Buffer.concat([head, message]);
  if (random.integer(0, 5) === 0) return Buffer.concat([whole, Buffer.from(randomBytes(random, 30))]);
  if (random.integer(0, 5) === 0) return Buffer.from(whole.toString("base64"));
  return random.integer(0, 5) === 0 ? whole.subarray(0, random.integer(0, whole.length)) : whole;
}

function oddJson(random: SeededRandom, names: readonly string[]): string {
  const value = () =>
    random.pick([null, oddText(random), oddNumber(random), [], {}, true, "AAAA", ["x"], { a: "b" }]);
  const whole = JSON.stringify(
    Object.fromEntries(
      [...names, "noSuchField"].flatMap((name) => (random.next() < 0.5 ? [[name, value()]] : [])),
    ),
  );
  return random.pick([whole, whole, whole.slice(0, -1), "", "[]", "null", `${whole}}`, "{".repeat(5000)]);
}

/** Names of Connect's and numbers of gRPC's codes that tell of a mistake of the caller's, or of none. */
const clear =
  /"code":"(invalid_argument|not_found|failed_precondition|out_of_range|resource_exhausted|unimplemented)"|grpc-status: ?(0|3|5|8|9|11|12)\b/i;
const any = /"code":"([a-z_]+)"|grpc-status: ?(\d+)/i;

function describe({ received, closedBy }: Exchange, staysOpen: boolean): string {
  const text = readable(received.toString("latin1"));
  checkText(text);
  if (closedBy === "silence") {
    if (staysOpen) return "stream stays open";
    throw new Error(`no answer: ${text.slice(0, 400)}`);
  }
  const http = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  const found = any.exec(text);
  const code = found?.[1] ?? (found ? `grpc-status ${found[2]}` : "");
  const timedOut = /^(deadline_exceeded|grpc-status 4)$/.test(code);
  const refused = internalOfGrpc.test(text) && http !== 500;
  // Streams both ways need HTTP/2, as Connect says with 505.
  const clearHttp = http === 200 || http === 505 || (http >= 400 && http < 500) || timedOut;
  if ((found && !clear.test(text) && !timedOut && !refused) || !clearHttp)
    throw new Error(`not a clear answer: ${text.slice(0, 1200)}`);
  const reason = reasonIn(text);
  return `HTTP ${http} ${code} ${reason}`.trim();
}

/** With the parts in base64 decoded: bodies of grpc-web-text, and details of errors. */
function readable(text: string): string {
  return text
    .replaceAll(/grpc-message: [^\r\n]*/gi, (line) => line.replaceAll("%20", " ").replaceAll("%3A", ":"))
    .replaceAll(/[A-Za-z0-9+/]{24,}={0,2}/g, (base64) => {
      const decoded = Buffer.from(base64, "base64").toString("latin1");
      return `${base64} ${/HW_|grpc-status/.test(decoded) ? decoded : ""}`;
    });
}
