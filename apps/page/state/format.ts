/** Numbers, times and names as people read them. */

const integers = new Intl.NumberFormat("en");

export function count(value: number | bigint): string {
  return integers.format(value);
}

/** "1 document", "12 documents". */
export function counted(value: number | bigint, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${BigInt(value) === 1n ? noun : plural}`;
}

/** A share, 0 to 1, as "35%". */
export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

export function bytes(value: number | bigint): string {
  let size = Number(value);
  for (const unit of ["B", "KB", "MB"]) {
    if (size < 1000) return `${size >= 100 || unit === "B" ? Math.round(size) : size.toFixed(1)} ${unit}`;
    size /= 1000;
  }
  return `${size.toFixed(1)} GB`;
}

export function milliseconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)} ms`;
  if (value < 1000) return `${Math.round(value)} ms`;
  return `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`;
}

/** Rough, for something that lies ahead: "about 40 s". */
export function remaining(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 1.5) return "about a second";
  if (seconds < 90) return `about ${Math.round(seconds)} s`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`;
  return `about ${Math.round(seconds / 3600)} h`;
}

export function rate(perSecond: number): string {
  return perSecond >= 10 ? count(Math.round(perSecond)) : perSecond.toFixed(1);
}

/** Scores differ by orders of magnitude between engines: three significant places, never an exponent. */
export function score(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export function ago(time: Date, now: Date): string {
  const seconds = (now.getTime() - time.getTime()) / 1000;
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Intl.DateTimeFormat("en", { dateStyle: "medium" }).format(time);
}

const mediaTypeNames: Readonly<Record<string, string>> = {
  "application/json": "JSON",
  "application/jsonl": "JSON Lines",
  "application/x-ndjson": "JSON Lines",
  "application/pdf": "PDF",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
  "application/xhtml+xml": "HTML",
  "text/csv": "CSV",
  "text/html": "HTML",
  "text/markdown": "Markdown",
  "text/plain": "Text",
  "text/tab-separated-values": "TSV",
};

/** Short name of a media type; an unknown one loses its "text/x-". */
export function mediaTypeName(mediaType: string): string {
  return mediaTypeNames[mediaType] ?? mediaType.replace(/^(text|application)\/(x-)?/, "");
}

/** The title, or the last part of the id where there is none. */
export function titleOf(document: { readonly id: string; readonly title: string } | undefined): string {
  if (!document) return "Untitled";
  return document.title || (document.id.split("/").at(-1) ?? document.id);
}

/** "page 3 · Dams › Spillways"; empty where neither is known. A first heading that only repeats the title is left out. */
export function placeOf(page: number, headings: readonly string[], title = ""): string {
  const parts = page > 0 ? [`page ${page}`] : [];
  const below = headings[0] === title ? headings.slice(1) : headings;
  if (below.length > 0) parts.push(below.join(" › "));
  return parts.join(" · ");
}
