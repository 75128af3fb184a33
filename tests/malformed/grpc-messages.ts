import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { SeededRandom } from "@headwater/testing/seeded-random";
import { brokenUtf8, oddInteger, oddNumber, oddText, randomBytes } from "./odd-values.ts";

/** A message that is proper protobuf, and whose fields hold what no client means. */
export function oddMessage(random: SeededRandom, schema: DescMessage, depth = 0): Uint8Array {
  const writer = new BinaryWriter();
  for (const field of schema.fields) {
    // The first field of a top message is the tenant, or the document that is pushed: never left out, as a request
    // without a tenant is a good one.
    if (random.next() < 0.4 && !(depth === 0 && field.number === 1)) continue;
    if (field.fieldKind === "list" || field.fieldKind === "map") {
      for (let left = random.integer(0, 3); left > 0; left--) writeField(random, writer, field, depth);
    } else writeField(random, writer, field, depth);
  }
  return writer.finish();
}

function writeField(random: SeededRandom, writer: BinaryWriter, field: DescField, depth: number): void {
  const value = oneValueOf(field);
  if (value.kind === "message") {
    const bytes = oddMessage(random, value.schema, depth + 1);
    writer.tag(field.number, WireType.LengthDelimited).bytes(bytes);
  } else if (value.kind === "map") {
    const entry = new BinaryWriter();
    writeScalar(random, entry.tag(1, wireTypeOf(value.key)), value.key);
    writeScalar(random, entry.tag(2, wireTypeOf(value.value)), value.value);
    writer.tag(field.number, WireType.LengthDelimited).bytes(entry.finish());
  } else if (value.kind === "enum") {
    writer.tag(field.number, WireType.Varint).int32(random.pick([-1, 0, 1, 3, 99, 2 ** 31 - 1]));
  } else writeScalar(random, writer.tag(field.number, wireTypeOf(value.scalar)), value.scalar);
}

type Value =
  | { readonly kind: "message"; readonly schema: DescMessage }
  | { readonly kind: "enum" }
  | { readonly kind: "map"; readonly key: ScalarType; readonly value: ScalarType }
  | { readonly kind: "scalar"; readonly scalar: ScalarType };

/** What one value of a field is; our contracts have maps of scalars only. */
function oneValueOf(field: DescField): Value {
  if (field.fieldKind === "map") {
    return {
      kind: "map",
      key: field.mapKey,
      value: field.mapKind === "scalar" ? field.scalar : field.mapKey,
    };
  }
  if (field.message) return { kind: "message", schema: field.message };
  if (field.scalar === undefined) return { kind: "enum" };
  return { kind: "scalar", scalar: field.scalar };
}

function wireTypeOf(scalar: ScalarType): WireType {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    case ScalarType.DOUBLE:
      return WireType.Bit64;
    case ScalarType.FLOAT:
      return WireType.Bit32;
    default:
      return WireType.Varint;
  }
}

function writeScalar(random: SeededRandom, writer: BinaryWriter, scalar: ScalarType): void {
  switch (scalar) {
    case ScalarType.STRING:
      // One in eight is no UTF-8 at all, as a client in a language of bytes can send it.
      if (random.integer(0, 7) === 0) writer.bytes(Uint8Array.from(random.pick(brokenUtf8)));
      else writer.string(oddText(random));
      return;
    case ScalarType.BYTES:
      writer.bytes(randomBytes(random, 300));
      return;
    case ScalarType.DOUBLE:
      writer.double(oddNumber(random));
      return;
    case ScalarType.BOOL:
      writer.bool(random.next() < 0.5);
      return;
    default:
      // uint32 too: a number that is too large or below zero is ten bytes on the wire for every integer type.
      writer.int64(oddInteger(random));
  }
}

/** What a broken encoder, a broken disk or a different schema makes of a message. */
export function brokenMessage(random: SeededRandom, schema: DescMessage): Uint8Array {
  const good = oddMessage(random, schema);
  switch (random.integer(0, 6)) {
    case 0:
      return randomBytes(random, 200);
    case 1:
      return good.subarray(0, random.integer(0, Math.max(0, good.length - 1)));
    case 2: {
      const bytes = good.slice();
      for (let flips = random.integer(1, 4); flips > 0 && bytes.length > 0; flips--) {
        const at = random.integer(0, bytes.length - 1);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 7));
      }
      return bytes;
    }
    case 3:
      // A length that runs past the end, for the first field.
      return Buffer.concat([Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]), good]);
    case 4:
      // Field number 0, which protobuf forbids; then the reserved wire types 6 and 7.
      return Buffer.from([random.pick([0x00, 0x02, 0x0e, 0x0f]), 0x01, ...good]);
    case 5:
      // A group that never ends, deep within itself.
      return Buffer.alloc(random.integer(1, 20_000), 0x0b);
    default:
      // A varint that does not end within ten bytes.
      return Buffer.concat([Buffer.from([0x10]), Buffer.alloc(11, 0xff), good]);
  }
}
