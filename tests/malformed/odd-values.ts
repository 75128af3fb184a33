import type { SeededRandom } from "@headwater/testing/seeded-random";

/** Texts for any field of a request: ids, tenants, queries, page tokens, filters, names. */
const oddTexts = [
  "",
  " ",
  "a",
  "default",
  "no/such/document",
  "../../etc/passwd",
  "..%2f..%2fetc%2fpasswd",
  "a\u0000b",
  "\u0007\u001b[31m",
  "\u202eabc",
  "\ufeff",
  "\ufffd\ufffe\uffff",
  "👩🏽‍🚀".repeat(20),
  "e\u0301".repeat(300),
  "x".repeat(200),
  "x".repeat(9000),
  "word ".repeat(2000),
  "' OR 1=1 --",
  "tenant = 'default' OR true",
  '{"$ne":null}',
  "*:* AND (((((",
  '"unclosed phrase',
  "bm25(query)^^~~{}[]",
  "%00%ff%",
  "#{7*7}{{7*7}}<%= 7*7 %>",
  "__proto__",
  "constructor",
  "NaN",
  "-1",
  "1e400",
  "99999999999999999999999999",
  "W10",
  "WyJhIiwiYiJd",
  "bnVsbA",
  "AAAA",
  "not base64 !!!",
  "0:0",
  "-1:-1",
  "999:99999999999999999999",
  "text/",
  'text/plain; charset="',
  "\n\n\r\n",
] as const;

export function oddText(random: SeededRandom): string {
  return random.pick(oddTexts);
}

const oddNumbers = [
  0,
  -0,
  1,
  -1,
  7,
  101,
  257,
  1001,
  8193,
  65536,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 31,
  2 ** 32 - 1,
  2 ** 53,
  -(2 ** 53),
  1e300,
  5e-324,
  0.1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
] as const;

export function oddNumber(random: SeededRandom): number {
  return random.pick(oddNumbers);
}

const oddIntegers = [
  0n,
  1n,
  -1n,
  2n,
  100n,
  1001n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

export function oddInteger(random: SeededRandom): bigint {
  return random.pick(oddIntegers);
}

export function randomBytes(random: SeededRandom, most: number): Uint8Array {
  return random.bytes(random.integer(0, most));
}

/** Overlong forms, lone continuation bytes, surrogates and cut sequences: no UTF-8. */
export const brokenUtf8 = [
  [0xff, 0xfe, 0xfd],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x9f, 0x98],
  [0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
] as const;
