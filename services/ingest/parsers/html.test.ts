import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDocument } from "./parse-document.ts";

function parse(html: string | Uint8Array) {
  const content = typeof html === "string" ? new TextEncoder().encode(html) : html;
  return parseDocument(
    { content, mediaType: "text/html", name: "" },
    { maxTextLength: 100_000, maxUnpackedBytes: 0 },
  );
}

const paragraph = "Rivers carry water, stones and stories from the mountains to the sea, year after year. ";

test("the article is found among menus, comments and advertisements", async () => {
  const menu = Array.from({ length: 30 }, (_, at) => `<li><a href="/${at}">Topic ${at}</a></li>`).join("");
  const { text, title } = await parse(`<!doctype html><title>Rivers | The Site</title>
    <div class="sidebar menu"><ul>${menu}</ul></div>
    <div class="content"><h2>How they flow</h2><p>${paragraph.repeat(4)}</p><p>${paragraph.repeat(3)}</p></div>
    <div class="comments"><p>First!</p></div><div class="footer"><p>Imprint</p></div>`);
  assert.match(title, /^Rivers/);
  assert.match(text, /^How they flow\n\nRivers carry water/);
  assert.doesNotMatch(text, /Topic 3|First!|Imprint/);
});

test("a page without an article gives what can be seen of it", async () => {
  const { text } =
    await parse(`<body><nav>Menu</nav><p>Short.</p><p hidden>Hidden.</p><p style="display: none">Gone.</p>
    <script>document.body.textContent = "script ran"</script><style>p { color: red }</style>
    <noscript>Turn on scripts.</noscript><p>Line one<br>line two</p></body>`);
  assert.equal(text, "Short.\n\nLine one\nline two");
});

test("lists, tables and code keep their shape", async () => {
  const { text, blocks } = await parse(`<main><ol start=3><li>three<li>four <b>bold</b><ul><li>inner</ul></ol>
    <table><tr><th>Name<th>km<tr><td>Rhine<td>1233</table>
    <table><tr><td><h3>Laid out</h3><p>by a table</td></tr></table>
    <pre>if (x) {\n  y();\n}</pre></main>`);
  assert.equal(
    text,
    "3. three\n4. four bold\n- inner\nName | km\nRhine | 1233\n\nLaid out\n\nby a table\n\nif (x) {\n  y();\n}",
  );
  assert.equal(blocks.at(-1)?.kind, "code");
  assert.deepEqual(blocks.at(-1)?.headingPath, ["Laid out"]);
});

test("the charset that a page declares is heeded", async () => {
  const html = Buffer.from('<meta charset="windows-1251"><p>\xcf\xf0\xe8\xe2\xe5\xf2</p>', "latin1");
  assert.equal((await parse(new Uint8Array(html))).text, "Привет");
});
