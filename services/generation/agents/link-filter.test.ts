import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createLinkFilter } from "./link-filter.ts";
import { addressesIn, createLinkPolicy } from "./link-policy.ts";

const policy = createLinkPolicy(["docs.example.com", "*.trusted.example"], () => [
  "https://source.example/report?id=7",
]);

function filtered(...pieces: readonly string[]): string {
  const filter = createLinkFilter(policy);
  return pieces.map((piece) => filter.push(piece)).join("") + filter.end();
}

test("links that the policy does not allow are taken out, in all their forms", () => {
  for (const [written, shown] of [
    ["See [this](https://evil.example/?q=secret) now", "See [this] (link removed) now"],
    ["![x](https://evil.example/p.png)", "![x] (link removed)"],
    ['[a](https://evil.example "title") b', '[a] (link removed "title") b'],
    ["[a](<https://evil.example/x>)", "[a] (link removed)"],
    ["[a]( \n https://evil.example)", "[a]  \n (link removed)"],
    ["[a](//evil.example)", "[a] (link removed)"],
    ["[a](/\\evil.example)", "[a] (link removed)"],
    ["[a](&#104;ttps://evil.example)", "[a] (link removed)"],
    ["[a](javascript:alert(1))", "[a] (link removed))"],
    ["[a][r]\n\n[r]: https://evil.example/x", "[a][r]\n\n[r]: (link removed)"],
    ["[![i](https://evil.example/i)](https://evil.example/l)", "[![i] (link removed)] (link removed)"],
    ["Go to https://evil.example/a?b=c.", "Go to (link removed)."],
    ["Go to HTTPS://EVIL.example", "Go to (link removed)"],
    ["Go to (www.evil.example/x)!", "Go to ((link removed))!"],
    ["Go to evil.example/collect?d=1 now", "Go to (link removed) now"],
    ["[a](evil.example/?q=1) [a](10.0.0.1)", "[a] (link removed) [a] (link removed)"],
    ["Go to 10.0.0.1:80/x", "Go to (link removed)"],
    ["<https://evil.example>", "<(link removed)>"],
    ["<img src=x onerror=y>", "‹img src=x onerror=y>"],
    ['<a href="//evil.example">', '‹a href="(link removed)">'],
    ["<ScRiPt>x</script><!-- c", "‹ScRiPt>x‹/script>‹!-- c"],
    ["data:text/html,hi mailto:a@evil.example", "(link removed) (link removed)"],
    ["https://docs.example.com@evil.example/", "(link removed)"],
    ["https://evil.example/docs.example.com", "(link removed)"],
    ["https://docs.example.com.evil.example/", "(link removed)"],
    ["https://docs.example.com\\@evil.example/", "(link removed)"],
    ["https://docs.example.com&#64;evil.example/", "(link removed)"],
    ["https://source.example/report?id=7&q=secret", "(link removed)"],
    ["![x](https://source.example/report?id=7)", "![x] (link removed)"],
    ["見よhttps://evil.example/秘密 終", "見よ(link removed) 終"],
  ] as const) {
    assert.equal(filtered(written), shown);
    assert.equal(filtered(...written), shown, "a code unit at a time");
  }
});

test("what the policy allows stays as it is, and so does text that is no link", () => {
  for (const text of [
    "[a](https://docs.example.com/x) ![b](https://docs.example.com/b.png)",
    "https://a.trusted.example/x, and https://source.example/report?id=7.",
    "[part](#part) and [file](docs/readme.md) handlers[0](event)",
    "a < b > c, Map<string, number>, either/or, 3.5/4, 12:30, note: x, C:\\x, src/index.ts/, e.g. this",
    "[1]: the first. [2](see there) ![",
    "日本語の文章です。8.5です[1]。",
  ]) {
    assert.equal(filtered(text), text);
    assert.equal(filtered(...text), text);
  }
});

test("words leave as soon as they end, and scripts without spaces at once", () => {
  const filter = createLinkFilter(policy);
  assert.equal(filter.push("The pump runs"), "The pump ");
  assert.equal(filter.push(" on"), "runs ");
  assert.equal(filter.push("日本語"), "on日本語");
});

test("a word without an end does not fill the memory", () => {
  const filter = createLinkFilter(policy);
  const shown = filter.push("x".repeat(10_000)) + filter.end();
  assert.equal(shown.replaceAll(" ", ""), "x".repeat(10_000));
});

test("addresses of the person's own text are found", () => {
  assert.deepEqual(addressesIn("Read https://a.example/x and (http://b.example)."), [
    "https://a.example/x",
    "http://b.example",
  ]);
});

const written = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ..."[ ] ( ) ! < > : / \\ . ? & # ; \n".split(" "),
        " ",
        "](",
        "![",
        "https://",
        "evil.example",
        "www.",
        "<img ",
        "//",
        "]:",
        "語",
        "https://docs.example.com/",
      ),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join(""));

test("a bracket that is the address of one before it is not cut off from that", () => {
  const text = "]:]:\n[\n";
  assert.equal(filtered(...text), filtered(text));
});

test("however the stream is cut, the result is the same, and holds no address that is not allowed", () => {
  fc.assert(
    fc.property(written, fc.array(fc.nat(60), { maxLength: 12 }), (text, cuts) => {
      const borders = [
        0,
        ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b),
        text.length,
      ];
      const pieces = borders.slice(1).map((end, index) => text.slice(borders[index], end));
      const whole = filtered(text);
      assert.equal(filtered(...pieces), whole);
      assert.equal(filtered(...text.split("")), whole);
      for (const address of whole.match(/[a-z]+:\/\/[^\s<>"'`)\]]*/gi) ?? [])
        assert.match(address, /^https:\/\/docs\.example\.com/i);
    }),
    { numRuns: 3000 },
  );
});
