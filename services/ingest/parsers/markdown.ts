import type { Nodes, PhrasingContent, RootContent, Table } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { collapse, DocumentBuilder } from "./document-builder.ts";
import { tooComplex } from "./parse-errors.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ParserInput } from "./parser.ts";
import { decodeText } from "./text-decoding.ts";

/** Far beyond what people nest; the parser's time grows with the square of the depth. */
const maxDepth = 100;

/**
 * Markdown (CommonMark with GitHub's tables, lists and footnotes) as the text that its reader sees: link targets and
 * marks of emphasis would only spend a passage's tokens.
 */
export function parseMarkdown({ content, charset, mediaType, limits }: ParserInput): ParsedDocument {
  const { body, title, summary } = splitFrontMatter(decodeText(content, charset));
  const builder = new DocumentBuilder(limits.maxTextLength);
  builder.addParagraph(summary);
  let firstHeading = "";
  for (const part of splitAtHeadings(body)) {
    for (const node of parse(part)) {
      if (firstHeading === "" && node.type === "heading" && node.depth === 1)
        firstHeading = inlineText(node.children);
      addBlock(node, builder, 0);
    }
  }
  return builder.finish(title || firstHeading, mediaType);
}

function parse(part: string): RootContent[] {
  if (/^(?:[ \t]*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t])){100}/m.test(part))
    throw tooComplex("its quotes or lists are nested too deeply");
  return fromMarkdown(part, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }).children;
}

/**
 * The parser keeps an event for each mark, so a large file is read in parts; they end before a heading, where no
 * construct but a fence can be open. A reference to a link that is defined in another part stays as it is written.
 */
function* splitAtHeadings(body: string): Generator<string> {
  const partLength = 256 * 1024;
  let from = 0;
  let fenced = false;
  for (const line of body.length > 2 * partLength
    ? body.matchAll(/^(?: {0,3}(```|~~~)| {0,3}#{1,6}[ \t])/gm)
    : []) {
    if (line[1] !== undefined) fenced = !fenced;
    else if (!fenced && line.index - from >= partLength) {
      yield body.slice(from, line.index);
      from = line.index;
    }
  }
  yield body.slice(from);
}

function addBlock(node: RootContent, builder: DocumentBuilder, depth: number): void {
  if (depth > maxDepth) throw tooComplex("its quotes or lists are nested too deeply");
  switch (node.type) {
    case "heading":
      builder.addHeading(inlineText(node.children), node.depth);
      return;
    case "paragraph":
      builder.addParagraph(inlineText(node.children));
      return;
    case "code":
      builder.addCode(node.value);
      return;
    case "html":
      builder.addParagraph(collapse(stripTags(node.value)));
      return;
    case "table":
      addTable(node, builder);
      return;
    case "list":
      node.children.forEach((item, index) => {
        const marker = node.ordered ? `${(node.start ?? 1) + index}. ` : "- ";
        const [first, ...rest] = item.children;
        if (first?.type === "paragraph") {
          builder.addItem(marker + inlineText(first.children));
          for (const child of rest) addBlock(child, builder, depth + 1);
        } else for (const child of item.children) addBlock(child, builder, depth + 1);
      });
      return;
    case "blockquote":
    case "footnoteDefinition":
      for (const child of node.children) addBlock(child, builder, depth + 1);
      return;
    default:
    // Rules, definitions of links and the like have no text of their own.
  }
}

function addTable(table: Table, builder: DocumentBuilder): void {
  for (const row of table.children) {
    builder.addItem(row.children.map((cell) => inlineText(cell.children)).join(" | "));
  }
}

function inlineText(nodes: readonly PhrasingContent[]): string {
  return nodes.map(textOf).join("");
}

function textOf(node: Nodes): string {
  if (node.type === "text") return node.value.replace(/\n/g, " ");
  if (node.type === "break") return "\n";
  if (node.type === "image" || node.type === "imageReference") return node.alt ?? "";
  if (node.type === "html" || node.type === "footnoteReference") return "";
  if ("value" in node) return node.value;
  return "children" in node ? node.children.map(textOf).join("") : "";
}

/** For the odd tag inside Markdown; whole HTML documents have a parser. Linear in the length. */
export function stripTags(html: string): string {
  let text = "";
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf("<", at);
    if (open < 0) break;
    text += html.slice(at, open);
    const comment = html.startsWith("<!--", open);
    const close = html.indexOf(comment ? "-->" : ">", open);
    if (close < 0) return text;
    at = close + (comment ? 3 : 1);
    text += " ";
  }
  return text + html.slice(at);
}

interface FrontMatter {
  readonly body: string;
  readonly title: string;
  /** What of the front matter people would search for. */
  readonly summary: string;
}

/** YAML between two lines of dashes, as static site generators write it. Only plain one-line values are read. */
function splitFrontMatter(text: string): FrontMatter {
  const block = /^---[ \t]*\n([\s\S]{0,65536}?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)/.exec(text);
  const yaml = block?.[1];
  if (block === null || yaml === undefined || !/^[\w-]+[ \t]*:/m.test(yaml))
    return { body: text, title: "", summary: "" };
  const value = (key: string) => {
    const found = new RegExp(`^${key}[ \\t]*:[ \\t]*(\\S.*)$`, "im").exec(yaml)?.[1]?.trim() ?? "";
    return /^(["']).*\1$/.test(found) ? found.slice(1, -1) : found;
  };
  const tags = value("(?:tags|keywords)").replace(/^\[|\]$/g, "");
  return {
    body: text.slice(block[0].length),
    title: value("title"),
    summary: [value("(?:description|summary)"), tags].filter(Boolean).join("\n"),
  };
}
