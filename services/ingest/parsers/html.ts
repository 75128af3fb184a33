import { Readability } from "@mozilla/readability";
import { JSDOM, VirtualConsole } from "jsdom";
import type { DefaultTreeAdapterTypes } from "parse5";
import { parse } from "parse5";
import { collapse, DocumentBuilder } from "./document-builder.ts";
import { addHtmlBlocks } from "./html-blocks.ts";
import { emptyDocument, tooComplex } from "./parse-errors.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ParserInput } from "./parser.ts";
import { decodeText } from "./text-decoding.ts";

/** UTF-16 code units. The tree takes about 50 times as much memory as the text. */
const maxLength = 8 * 1024 * 1024;
/** As in Chromium. The time of jsdom grows with the square of the depth. */
const maxDepth = 512;
/** Of one element; more are no page that anybody wrote, and each is compared with all before it. */
const maxAttributes = 1000;
/** The time of Readability grows with the cube of the depth, and faster than the number of elements. */
const readabilityLimits = { elements: 10_000, depth: 100 };
/** An article shorter than this, or than this share of the page, was probably not the main content. */
const minArticleLength = 100;
const minArticleShare = 0.25;

/** One for the thread: a window is costly to make. It runs no scripts, loads nothing and prints nothing. */
let window: JSDOM["window"] | undefined;

/** HTML: the main content where there is one, the visible text of the body where not. */
export function parseHtml({ content, charset, mediaType, limits }: ParserInput): ParsedDocument {
  const html = decodeText(content, charset || declaredCharset(content));
  if (html.length > maxLength)
    throw tooComplex(`HTML of more than ${maxLength / 1024 / 1024} MiB is not laid out`);
  const size = measure(html);
  const document = parseDom(html);
  const title = collapse(document.title);
  const body = new DocumentBuilder(limits.maxTextLength);
  const root = document.querySelector("main, [role=main]") ?? document.body;
  if (root === null) throw emptyDocument();
  addHtmlBlocks(root, body, { skipBoilerplate: true });
  // A page that is all navigation still says something.
  if (body.isEmpty) addHtmlBlocks(document.body ?? root, body, { skipBoilerplate: false });
  const whole = body.isEmpty ? undefined : body.finish(title, mediaType);
  const isReadable = size.elements <= readabilityLimits.elements && size.depth <= readabilityLimits.depth;
  const article = isReadable ? readArticle(document, limits.maxTextLength, mediaType) : undefined;
  const enough = Math.max(minArticleLength, (whole?.text.length ?? 0) * minArticleShare);
  const chosen = article !== undefined && article.text.length >= enough ? article : (whole ?? article);
  if (chosen === undefined) throw emptyDocument();
  return {
    ...chosen,
    title: chosen.title || title || (chosen.blocks.find(isHeading)?.headingPath.at(-1) ?? ""),
  };
}

function isHeading(block: { kind: string }): boolean {
  return block.kind === "heading";
}

/** Parses once more than needed, in a tenth of the time, to refuse what would not end. */
function measure(html: string): { elements: number; depth: number } {
  let elements = 0;
  let deepest = 0;
  const open: { node: DefaultTreeAdapterTypes.Node; depth: number }[] = [{ node: parse(html), depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, depth } = next;
    elements++;
    deepest = Math.max(deepest, depth);
    if ("attrs" in node && node.attrs.length > maxAttributes)
      throw tooComplex("an element has too many attributes");
    if (depth > maxDepth) throw tooComplex("its elements are nested too deeply");
    if ("childNodes" in node)
      for (const child of node.childNodes) open.push({ node: child, depth: depth + 1 });
  }
  return { elements, depth: deepest };
}

/** A document without a browsing context: its style sheets are not parsed, its images not asked for. */
export function parseDom(html: string): Document {
  window ??= new JSDOM("", { virtualConsole: new VirtualConsole() }).window;
  return new window.DOMParser().parseFromString(html, "text/html");
}

/** What Readability takes for the main content. It changes the document, so it comes last. */
function readArticle(
  document: Document,
  maxTextLength: number,
  mediaType: string,
): ParsedDocument | undefined {
  const article = new Readability<Node>(document, { serializer: (node) => node }).parse();
  if (!article?.content) return undefined;
  const builder = new DocumentBuilder(maxTextLength);
  addHtmlBlocks(article.content as Element, builder, { skipBoilerplate: false });
  return builder.isEmpty ? undefined : builder.finish(collapse(article.title ?? ""), mediaType);
}

/** The HTML standard asks for it within the first 1,024 bytes. */
function declaredCharset(content: Uint8Array): string {
  const head = new TextDecoder("latin1").decode(content.subarray(0, 1024));
  return /<meta[^>]{0,200}charset\s*=\s*["']?([\w.:-]+)/i.exec(head)?.[1] ?? "";
}
