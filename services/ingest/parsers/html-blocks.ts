import type { DocumentBuilder } from "./document-builder.ts";
import { collapse } from "./document-builder.ts";

/** Never shown, or no prose. */
const hidden = new Set(
  "script style template noscript iframe object embed svg canvas audio video map head title meta link select option datalist button input textarea progress meter".split(
    " ",
  ),
);
/** Around the content, not in it. */
const boilerplate = new Set(["nav", "footer", "aside", "dialog", "menu"]);
const blockLevel = new Set(
  "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form header hgroup hr legend li main menu nav ol p section summary table tbody td tfoot th thead tr ul".split(
    " ",
  ),
);
const headings: Readonly<Record<string, number>> = { h1: 1, h2: 2, h3: 3, h4: 4, h5: 5, h6: 6 };

export interface WalkOptions {
  /** Leave out navigation, footers and what is hidden. */
  readonly skipBoilerplate: boolean;
}

const nodeType = { element: 1, text: 3 } as const;

/**
 * Walks a tree of HTML and adds its text to the builder, block by block. Without recursion: a hostile tree may be
 * deeper than the stack.
 */
export function addHtmlBlocks(root: Element, builder: DocumentBuilder, options: WalkOptions): void {
  let inline = "";
  let marker = "";
  const flush = () => {
    const text = collapseLines(inline);
    inline = "";
    if (text === "") return;
    if (marker === "") builder.addParagraph(text);
    else builder.addItem(marker + text);
    marker = "";
  };
  let node: Node | null = root;
  while (node !== null) {
    let descend = false;
    if (node.nodeType === nodeType.text) inline += (node.nodeValue ?? "").replace(/\s+/g, " ");
    else if (node.nodeType === nodeType.element) {
      const element = node as Element;
      const tag = element.localName;
      const level = headings[tag];
      if (isSkipped(element, tag, options)) {
        // A control parts the words around it.
        inline += " ";
      } else if (level !== undefined) {
        flush();
        builder.addHeading(element.textContent ?? "", level);
      } else if (tag === "pre") {
        flush();
        builder.addCode(element.textContent ?? "");
      } else if (tag === "table" && isDataTable(element)) {
        flush();
        addTable(element, builder);
      } else if (tag === "br") {
        inline += "\n";
      } else {
        if (blockLevel.has(tag)) flush();
        if (tag === "li") marker = itemMarker(element);
        descend = true;
      }
    }
    node = next(node, root, descend, (left) => {
      if (blockLevel.has(left.localName)) flush();
      if (left.localName === "li") marker = "";
    });
  }
  flush();
}

/** The next node in document order; `leave` is called for each element whose children are all done. */
function next(node: Node, root: Element, descend: boolean, leave: (element: Element) => void): Node | null {
  if (descend && node.firstChild !== null) return node.firstChild;
  let at: Node | null = node;
  if (descend) leave(node as Element);
  while (at !== null && at !== root) {
    if (at.nextSibling !== null) return at.nextSibling;
    at = at.parentNode;
    if (at !== null) leave(at as Element);
  }
  return null;
}

function isSkipped(element: Element, tag: string, options: WalkOptions): boolean {
  if (hidden.has(tag)) return true;
  if (!options.skipBoilerplate) return false;
  return (
    boilerplate.has(tag) ||
    element.hasAttribute("hidden") ||
    element.getAttribute("aria-hidden") === "true" ||
    element.getAttribute("role") === "navigation" ||
    /display\s*:\s*none/i.test(element.getAttribute("style") ?? "")
  );
}

function itemMarker(item: Element): string {
  const list = item.parentElement;
  if (list?.localName !== "ol") return "- ";
  let number = Number(list.getAttribute("start") ?? 1) || 1;
  // Counting is bounded: the thousandth item of a list needs no number.
  let before = item.previousElementSibling;
  for (let steps = 0; before !== null; before = before.previousElementSibling) {
    if (++steps > 1000) return "- ";
    number++;
  }
  return `${number}. `;
}

/** Tables that lay out a page hold other blocks; tables of data hold words. */
function isDataTable(table: Element): boolean {
  return table.querySelector("table, h1, h2, h3, h4, h5, h6, pre, ul, ol, p + p") === null;
}

function addTable(table: Element, builder: DocumentBuilder): void {
  for (const row of table.querySelectorAll("caption, tr")) {
    const cells = row.localName === "caption" ? [row] : [...row.children];
    const texts = cells.map((cell) => collapse(cell.textContent ?? ""));
    if (texts.some((text) => text !== "")) builder.addItem(texts.join(" | "));
  }
}

/** White space as HTML shows it, but line breaks that were asked for stay. */
function collapseLines(text: string): string {
  return text.split("\n").map(collapse).join("\n").trim();
}
