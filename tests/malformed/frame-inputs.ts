import type { SeededRandom } from "@headwater/testing/seeded-random";
import type { MalformedInput } from "./malformed-input.ts";
import { randomBytes } from "./odd-values.ts";
import { exchange } from "./raw-exchange.ts";

const addresses = ["ingest", "embedding-worker", "search", "generation", "gateway"] as const;
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** Frame types of RFC 9113, section 6. */
const type = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
};
const settings = frame(type.settings, 0, 0, Buffer.alloc(0));

/** An HTTP/2 connection whose frames break the protocol. The protocol's own refusal is GOAWAY or an end. */
export function frameInput(random: SeededRandom): MalformedInput {
  const address = random.pick(addresses);
  const [name, bytes] = random.pick(broken(random));
  return {
    door: "HTTP/2 frames",
    name: `${address}: ${name} ${bytes.toString("base64").slice(0, 300)}`,
    async send(system) {
      const { received, closedBy } = await exchange(system.address(address), [bytes], { end: "half-close" });
      if (closedBy === "silence") throw new Error("the connection stayed open");
      return [hasGoAway(received) ? "GOAWAY" : received.length > 0 ? "answered and closed" : "closed"];
    },
  };
}

function frame(
  kind: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(kind, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function broken(random: SeededRandom): readonly (readonly [string, Buffer])[] {
  const open = (...frames: readonly Uint8Array[]) => Buffer.concat([preface, settings, ...frames]);
  const junk = randomBytes(random, 100);
  const kind = random.integer(0, 255);
  return [
    ["no preface", Buffer.from(junk)],
    ["half a preface", preface.subarray(0, random.integer(1, 23))],
    ["a preface, then junk", Buffer.concat([preface, junk])],
    ["settings of an odd length", open(frame(type.settings, 0, 0, Buffer.alloc(random.integer(1, 5))))],
    ["settings on a stream", open(frame(type.settings, 0, 1, Buffer.alloc(6)))],
    [
      "a setting out of bounds",
      open(frame(type.settings, 0, 0, Buffer.from([0, 4, 0xff, 0xff, 0xff, 0xff]))),
    ],
    ["data on stream 0", open(frame(type.data, 0, 0, junk))],
    ["data on a stream that is not open", open(frame(type.data, 1, 2 * random.integer(0, 50) + 1, junk))],
    ["headers on an even stream", open(frame(type.headers, 5, 2, junk))],
    ["headers that are no HPACK", open(frame(type.headers, 5, 1, junk))],
    ["headers that end in the middle", open(frame(type.headers, 0, 1, Buffer.from([0x82, 0x86])))],
    ["continuation of nothing", open(frame(type.continuation, 4, 1, junk))],
    ["a window update of 0", open(frame(type.windowUpdate, 0, 0, Buffer.alloc(4)))],
    ["a window that overflows", open(frame(type.windowUpdate, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff])))],
    ["a ping of the wrong length", open(frame(type.ping, 0, 0, Buffer.alloc(7)))],
    ["a reset of a stream that is not open", open(frame(type.rstStream, 0, 5, Buffer.alloc(4)))],
    ["a frame longer than allowed", open(frame(type.data, 0, 1, Buffer.alloc(100), 0xffffff))],
    ["a frame that does not end", open(frame(type.headers, 4, 1, junk, junk.length + 50))],
    ["an unknown frame", open(frame(kind, random.integer(0, 255), random.integer(0, 9), junk))],
    ["a farewell, then more", open(frame(type.goAway, 0, 0, Buffer.alloc(8)), frame(type.ping, 0, 0, junk))],
    ["padding longer than the frame", open(frame(type.data, 8, 1, Buffer.from([255, 1, 2])))],
    ["a hundred pings", open(...Array.from({ length: 100 }, () => frame(type.ping, 0, 0, Buffer.alloc(8))))],
  ];
}

function hasGoAway(received: Buffer): boolean {
  for (let at = 0; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3))
    if (received.readUInt8(at + 3) === type.goAway) return true;
  return false;
}
