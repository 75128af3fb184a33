import type { TextItem } from "pdfjs-dist/types/src/display/api.js";

/** A line of a page as it is printed. Lengths are in PDF units (1/72 inch) with y growing upwards. */
export interface PdfLine {
  readonly text: string;
  readonly page: number;
  readonly x: number;
  readonly y: number;
  /** Of its largest glyphs; about the font size. */
  readonly height: number;
}

/** Puts the pieces of a page, in the order in which they are drawn, together to lines. */
export function linesOfPage(items: readonly TextItem[], page: number): PdfLine[] {
  const lines: PdfLine[] = [];
  let open: { text: string; x: number; y: number; right: number; height: number } | undefined;
  const close = () => {
    if (open !== undefined && open.text.trim() !== "") {
      const { text, x, y, height } = open;
      lines.push({ text: tidy(text), page, x, y, height });
    }
    open = undefined;
  };
  for (const item of items) {
    const x = Number(item.transform[4]);
    const y = Number(item.transform[5]);
    if (item.str !== "") {
      const size = item.height || open?.height || 1;
      if (open !== undefined && isOtherLine(open, x, y, size)) close();
      if (open === undefined) open = { text: item.str, x, y, right: x + item.width, height: item.height };
      else {
        const apart = x - open.right > 0.2 * size && !/\s$/.test(open.text) && !/^\s/.test(item.str);
        open.text += apart ? ` ${item.str}` : item.str;
        open.right = Math.max(open.right, x + item.width);
        open.height = Math.max(open.height, item.height);
      }
    }
    if (item.hasEOL) close();
  }
  close();
  return lines;
}

/** The dots that lead to a page number would be a token each. */
function tidy(text: string): string {
  return text
    .replace(/(?:\s?\.){5,}/g, " … ")
    .replace(/\s+/g, " ")
    .trim();
}

/** Superscripts stay on their line; a jump back to the left is a new one. */
function isOtherLine(
  line: { y: number; right: number; height: number },
  x: number,
  y: number,
  size: number,
): boolean {
  const height = Math.max(line.height, size);
  return Math.abs(y - line.y) > 0.6 * height || x < line.right - 3 * height;
}

/** Pages with fewer than this show too little to tell a running header from a line of text. */
const minPagesForHeaders = 4;
/** Share of the pages that a running header stands on. Books alternate between two. */
const minHeaderShare = 0.4;

/** Share of the printed height at the top and at the bottom of pages where running headers and footers stand. */
const marginShare = 0.15;

/** Leaves out running headers, footers and page numbers: lines at the edges of pages that come again and again. */
export function withoutRunningHeaders(pages: readonly (readonly PdfLine[])[]): PdfLine[][] {
  const edges = pages.map(edgesOf(pages));
  const counts = new Map<string, number>();
  if (pages.length >= minPagesForHeaders) {
    for (const lines of edges) {
      for (const key of new Set(lines.map(headerKey))) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const least = Math.max(3, pages.length * minHeaderShare);
  return pages.map((lines, page) => {
    const dropped = new Set(edges[page]?.filter((line) => (counts.get(headerKey(line)) ?? 0) >= least));
    return lines.filter((line) => !dropped.has(line));
  });
}

/** The two outermost lines in the margins of a page. */
function edgesOf(pages: readonly (readonly PdfLine[])[]): (page: readonly PdfLine[]) => PdfLine[] {
  let top = Number.NEGATIVE_INFINITY;
  let bottom = Number.POSITIVE_INFINITY;
  for (const { y } of pages.flat()) {
    top = Math.max(top, y);
    bottom = Math.min(bottom, y);
  }
  const margin = (top - bottom) * marginShare;
  return (page) => {
    const fromTop = page.toSorted((upper, lower) => lower.y - upper.y);
    return [
      ...fromTop.slice(0, 2).filter(({ y }) => y >= top - margin),
      ...fromTop
        .slice(2)
        .slice(-2)
        .filter(({ y }) => y <= bottom + margin),
    ];
  };
}

/** Page numbers differ from page to page, the place does not. */
function headerKey(line: PdfLine): string {
  return `${Math.round(line.y / 2)} ${line.text.replace(/\d+|\b[ivxlc]+\b/g, "#")}`;
}
