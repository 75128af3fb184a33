import { gunzipSync } from "node:zlib";
import { SaxesParser } from "saxes";

/** The protocol allows as much, unpacked. */
export const maxSitemapBytes = 50 * 1024 * 1024;
const maxEntries = 50_000;

/** What a sitemap lists: https://www.sitemaps.org/protocol.html */
export interface Sitemap {
  /** Addresses of further sitemaps. */
  readonly sitemaps: readonly string[];
  readonly pages: readonly SitemapPage[];
}

export interface SitemapPage {
  readonly url: string;
  /** As it is written there; empty where it does not say. */
  readonly lastModified: string;
}

/** @returns undefined where the bytes are no sitemap; packed ones are unpacked */
export function readSitemap(bytes: Uint8Array): Sitemap | undefined {
  const text = new TextDecoder().decode(unpacked(bytes));
  const isSitemap = /^\uFEFF?\s*(?:<\?xml|<!--|<(?:\w+:)?(?:urlset|sitemapindex)[\s>])/.test(text);
  if (!isSitemap || !/<(?:\w+:)?(?:urlset|sitemapindex)[\s>]/.test(text.slice(0, 4096))) return undefined;
  return parse(text);
}

function unpacked(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: maxSitemapBytes });
  } catch {
    // Cut short, or a bomb: then it is no sitemap, and as a page it is refused.
    return bytes;
  }
}

function parse(text: string): Sitemap {
  const sitemaps: string[] = [];
  const pages: SitemapPage[] = [];
  let location = "";
  let lastModified = "";
  let content = "";
  const parser = new SaxesParser();
  // What was read up to a mistake counts: a long sitemap with one bad character is still of use.
  parser.on("error", () => {});
  parser.on("opentag", ({ name }) => {
    content = "";
    const tag = localName(name);
    if (tag === "url" || tag === "sitemap") [location, lastModified] = ["", ""];
  });
  parser.on("text", (piece) => {
    content += piece;
  });
  parser.on("cdata", (piece) => {
    content += piece;
  });
  parser.on("closetag", ({ name }) => {
    const tag = localName(name);
    // Extensions have a `loc` of their own: that of an image is `image:loc`.
    if (name === tag && tag === "loc") location = content.trim();
    else if (tag === "lastmod") lastModified = content.trim().slice(0, 64);
    else if (pages.length + sitemaps.length >= maxEntries || location === "") return;
    else if (tag === "url") pages.push({ url: location, lastModified });
    else if (tag === "sitemap") sitemaps.push(location);
  });
  parser.write(text).close();
  return { sitemaps, pages };
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}
