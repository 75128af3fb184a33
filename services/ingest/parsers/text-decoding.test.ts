import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { decodeText } from "./text-decoding.ts";

const sentence = "Übermäßige Größe – naïve “quotes” €5";

function utf16(text: string, littleEndian: boolean): Uint8Array {
  const bytes = Buffer.from(text, "utf16le");
  return new Uint8Array(littleEndian ? bytes : bytes.swap16());
}

test("UTF-8 with and without a byte order mark", () => {
  assert.equal(decodeText(new TextEncoder().encode(sentence)), sentence);
  assert.equal(decodeText(new TextEncoder().encode(`\ufeff${sentence}`)), sentence);
});

test("UTF-16 of both byte orders, with and without a mark", () => {
  for (const littleEndian of [true, false]) {
    assert.equal(decodeText(utf16(`\ufeff${sentence}`, littleEndian)), sentence);
    assert.equal(decodeText(utf16("plain English text", littleEndian)), "plain English text");
  }
});

test("windows-1252 where the bytes are no UTF-8", () => {
  const bytes = Uint8Array.from([0xdc, 0x62, 0x65, 0x72, 0x20, 0x80, 0x35, 0x20, 0x93, 0x71, 0x94]);
  assert.equal(decodeText(bytes), "Über €5 “q”");
});

test("UTF-8 that was cut in the middle of a character stays UTF-8", () => {
  const bytes = new TextEncoder().encode("Größe, Größe, Größe 😀").subarray(0, -2);
  assert.match(decodeText(bytes), /^Größe, Größe, Größe \ufffd+$/);
});

test("a declared charset is heeded, an unknown one is not", () => {
  assert.equal(decodeText(Uint8Array.from([0xcf, 0xf0, 0xe8]), "windows-1251"), "При");
  assert.equal(decodeText(new TextEncoder().encode("ä"), "no-such-charset"), "ä");
  assert.equal(decodeText(Uint8Array.from([0x93, 0xfa, 0x96, 0x7b]), "shift_jis"), "日本");
});

test("binary data are refused, terminal output is not", () => {
  const zeros = new Uint8Array(1000);
  zeros.set(new TextEncoder().encode("some text in front"));
  assert.throws(
    () => decodeText(zeros),
    (thrown) => thrown instanceof HeadwaterError && thrown.reason === "HW_DOCUMENT_BINARY",
  );
  assert.equal(
    decodeText(new TextEncoder().encode("\u001b[31mred\u001b[0m\tok\f")),
    "\u001b[31mred\u001b[0m\tok\f",
  );
});
