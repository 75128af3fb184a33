import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { SafeFetchOptions } from "@headwater/safe-fetch";
import { createSafeFetch } from "@headwater/safe-fetch";
import { readHoldings } from "../librarian/holdings.ts";
import type { Library } from "../librarian/testing/library.ts";
import { startLibrary } from "../librarian/testing/library.ts";
import type { CrawlOptions } from "./crawler.ts";
import { Crawler } from "./crawler.ts";
import { HostPace } from "./host-pace.ts";
import { Robots } from "./robots.ts";
import type { Site } from "./testing/site.ts";
import { startSite } from "./testing/site.ts";
import { WebHoldings } from "./web-holdings.ts";

let library: Library;
let site: Site;
const sites: Site[] = [];

async function another(host?: string): Promise<Site> {
  const started = await startSite(host);
  sites.push(started);
  return started;
}

before(async () => {
  library = await startLibrary();
});
after(() => library.close());
beforeEach(async () => {
  site = await another();
});
afterEach(async () => {
  await Promise.all(sites.splice(0).map((one) => one.close()));
  for (const id of Object.keys(await library.texts())) await library.client.documents.delete(id);
  library.told.splice(0);
});

type Options = Partial<CrawlOptions & SafeFetchOptions & { pauseMs: number }>;

/** A run of its own, as a command would do it. */
async function crawl(starts: string | string[], options: Options = {}): Promise<void> {
  const { delivery, account, patiently, signal } = library.hire();
  const fetch = createSafeFetch({ userAgent: "Headwater/test", allowPrivate: ["127.0.0.1"], ...options });
  const pace = new HostPace(options.pauseMs ?? 0);
  const crawler = new Crawler({
    ...{ fetch, pace, delivery, account, signal, robots: new Robots(fetch, pace) },
    holdings: new WebHoldings((idPrefix) => patiently(() => readHoldings(library.client, idPrefix, signal))),
    ...{ depth: 0, anyHost: false, maxPages: 100, ...options },
  });
  try {
    await crawler.crawl([starts].flat().map((path) => new URL(path, site.url)));
  } finally {
    await fetch.close();
  }
}

const paths = async () => Object.keys(await library.texts()).map((id) => id.replace(site.url, ""));
const reasons = (type: string) =>
  library.told.flatMap(({ type: one, id, reason }) =>
    one === type ? `${String(id).replace(site.url, "")} ${reason}` : [],
  );
const links = (...hrefs: string[]) => hrefs.map((href) => `<a href="${href}">there</a>`).join("");
const sitemapOf = (...entries: [path: string, lastModified?: string][]) =>
  `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${entries
    .map(
      ([path, date]) => `<url><loc>${site.url}${path}</loc>${date ? `<lastmod>${date}</lastmod>` : ""}</url>`,
    )
    .join("")}</urlset>`;

test("a page is taken with what its server says of it", async () => {
  const headers = {
    etag: '"1"',
    "last-modified": "Sat, 21 Nov 2026 10:00:00 GMT",
    "content-type": "text/plain",
  };
  site.pages.set("/a", { body: "the page", headers });
  await crawl("/a#part");
  const { uri, mediaType, attributes } = await library.client.documents.get(`${site.url}/a`);
  assert.deepEqual([uri, mediaType], [`${site.url}/a`, "text/plain"]);
  assert.deepEqual(attributes, {
    ...{ source: `${site.url}/a`, depth: "0", etag: '"1"' },
    last_modified: "Sat, 21 Nov 2026 10:00:00 GMT",
  });
  assert.equal(site.requests[0]?.path, "/robots.txt");
  assert.equal(site.requests[1]?.userAgent, "Headwater/test");
});

test("the next time only what has changed is fetched, and what is gone is deleted", async () => {
  site.pages.set("/etag", { body: "one", headers: { etag: '"1"' } });
  site.pages.set("/date", { body: "two", headers: { "last-modified": "Sat, 21 Nov 2026 10:00:00 GMT" } });
  site.pages.set("/plain", { body: "three" });
  site.pages.set("/404", { body: "four" });
  site.pages.set("/410", { body: "five" });
  const starts = ["/etag", "/date", "/plain", "/404", "/410"];
  await crawl(starts);
  assert.deepEqual((await paths()).sort(), starts.toSorted());
  site.take();
  library.take("sent");
  site.pages.delete("/404");
  site.pages.set("/410", { status: 410 });
  await crawl(starts);
  assert.deepEqual(site.take(), ["/etag 304", "/date 304", "/plain", "/404", "/410"]);
  assert.deepEqual(library.take("sent"), []);
  assert.deepEqual((await paths()).sort(), ["/date", "/etag", "/plain"]);
  site.pages.set("/etag", { body: "changed", headers: { etag: '"2"' } });
  await crawl(starts);
  assert.deepEqual(library.take("sent"), [`${site.url}/etag`]);
  assert.equal((await library.texts())[`${site.url}/etag`], "changed");
});

test("an index of sitemaps, packed and not, stands for its pages; lastmod saves asking", async () => {
  const index = ["/deep/b.xml.gz", "/c.xml", "/index.xml"].map(
    (path) => `<sitemap><loc>${site.url}${path}</loc></sitemap>`,
  );
  const xml = { "content-type": "application/xml" };
  site.pages.set("/index.xml", { body: `<sitemapindex>${index.join("")}</sitemapindex>`, headers: xml });
  const packed = gzipSync(sitemapOf(["/1", "2026-01-01"], ["/2"]));
  site.pages.set("/deep/b.xml.gz", { body: packed, headers: { "content-type": "application/gzip" } });
  site.pages.set("/c.xml", {
    body: sitemapOf(["/3", "2026-01-01"], ["/2"]).replace("</urlset>", ""),
    headers: xml,
  });
  for (const path of ["/1", "/2", "/3"]) site.pages.set(path, { body: path });
  await crawl("/index.xml");
  assert.deepEqual(await paths(), ["/1", "/2", "/3"]);
  assert.deepEqual(site.take(), ["/index.xml", "/deep/b.xml.gz", "/c.xml", "/1", "/2", "/3"]);
  site.pages.set("/c.xml", { body: sitemapOf(["/3", "2026-02-02"]), headers: xml });
  site.pages.set("/3", { body: "new" });
  await crawl("/index.xml");
  assert.deepEqual(site.take(), ["/index.xml", "/deep/b.xml.gz", "/c.xml", "/2", "/3"]);
  assert.equal((await library.texts())[`${site.url}/3`], "new");
});

test("a page that the sitemap no longer lists is asked for, and deleted where it is gone", async () => {
  const headers = { "content-type": "text/xml" };
  site.pages.set("/sitemap.xml", { body: sitemapOf(["/kept"], ["/unlisted"], ["/gone"]), headers });
  for (const path of ["/kept", "/unlisted", "/gone"]) site.pages.set(path, { body: path });
  await crawl("/sitemap.xml");
  site.pages.set("/sitemap.xml", { body: sitemapOf(["/kept"]), headers });
  site.pages.delete("/gone");
  await crawl("/sitemap.xml");
  assert.deepEqual(await paths(), ["/kept", "/unlisted"]);
});

test("links are followed as deep as asked for, each page once, and to no other host", async () => {
  const other = await another();
  site.pages.set("/", {
    body: links("/a", "b?q=1#x", "/", `${other.url}/away`, "mailto:a@b.test", "http://[/"),
  });
  site.pages.set("/a", { body: links("/", "/a", "/deeper") });
  site.pages.set("/b?q=1", {
    body: `<base href="/deep/"><a href="c">c</a><a rel="x nofollow" href="/no">no</a>`,
  });
  site.pages.set("/deep/c", { body: links("/deepest") });
  site.pages.set("/deeper", { body: links("/deepest") });
  site.pages.set("/deepest", { body: "too deep" });
  await crawl("/", { depth: 2 });
  assert.deepEqual(site.take(), ["/", "/a", "/b?q=1", "/deeper", "/deep/c"]);
  assert.deepEqual(other.requests, []);
  other.pages.set("/away", { body: "away" });
  await crawl("/", { depth: 1, anyHost: true });
  assert.equal((await library.texts())[`${other.url}/away`], "away");
});

test("a site without end is left at the bound", async () => {
  let next = 0;
  for (let at = 0; at < 50; at += 1)
    site.pages.set(`/${at}`, () => {
      next += 1;
      return { body: links(`/${next}`) };
    });
  await crawl("/0", { depth: 100, maxPages: 7 });
  assert.equal(site.take().length, 7);
  assert.equal(
    library.told.some(({ type }) => type === "cut_short"),
    true,
  );
});

test("robots.txt is heeded, also where a redirect leads, and its pause is kept", async () => {
  const body = "User-agent: *\nDisallow: /\n\nUser-agent: headwater\nDisallow: /private\nCrawl-delay: 0.3\n";
  site.pages.set("/robots.txt", { body, headers: { "content-type": "text/plain" } });
  site.pages.set("/open", { body: links("/private/a", "/leading") });
  site.pages.set("/private/a", { body: "private" });
  site.pages.set("/leading", { status: 302, headers: { location: "/private/a" } });
  const began = performance.now();
  await crawl("/open", { depth: 1 });
  assert.deepEqual(site.take(), ["/open", "/leading"]);
  assert.deepEqual(reasons("passed_over"), [
    "/private/a HW_ROBOTS_DISALLOWED",
    "/leading HW_ROBOTS_DISALLOWED",
  ]);
  assert((site.requests.at(-1)?.atMs ?? 0) - began > 290);
  await crawl("/private/a");
  assert.deepEqual(reasons("refused"), ["/private/a HW_ROBOTS_DISALLOWED"]);
});

test("a site whose robots.txt cannot be had is left alone; one that has none is not", async () => {
  site.pages.set("/robots.txt", { status: 503 });
  site.pages.set("/a", { body: "a" });
  await crawl("/a");
  assert.deepEqual([site.take(), reasons("refused")], [[], ["/a HW_ROBOTS_UNKNOWN"]]);
  site.pages.set("/robots.txt", { status: 403 });
  await crawl("/a");
  assert.deepEqual(await paths(), ["/a"]);
});

test("requests to a host keep the pause between them", async () => {
  for (const path of ["/a", "/b", "/c"]) site.pages.set(path, { body: path });
  const began = performance.now();
  await crawl(["/a", "/b", "/c"], { pauseMs: 200 });
  assert.equal(site.requests.length, 4);
  // From the beginning: between two arrivals it may be less, where the first was held up.
  site.requests.forEach(({ atMs }, index) => {
    assert(atMs - began > 190 * index, `request ${index} after ${atMs - began} ms`);
  });
});

test("Retry-After is heeded, and a page that stays busy is given up", async () => {
  let asked = 0;
  site.pages.set("/busy", () => {
    asked += 1;
    return asked === 1 ? { status: 429, headers: { "retry-after": "1" } } : { body: "at last" };
  });
  const began = performance.now();
  await crawl("/busy");
  assert.deepEqual(site.take(), ["/busy", "/busy"]);
  assert(performance.now() - began > 1000);
  assert.deepEqual(await paths(), ["/busy"]);
  site.pages.set("/busy", { status: 503, headers: { "retry-after": "86400" } });
  await crawl("/busy");
  assert.deepEqual(site.take(), ["/busy"]);
  assert.deepEqual(reasons("refused"), ["/busy HW_PAGE_UNAVAILABLE"]);
  assert.deepEqual(await paths(), ["/busy"]);
});

test("noindex and nofollow are honoured, in the page and in its headers", async () => {
  site.pages.set("/", { body: links("/meta", "/header", "/ours", "/others", "/quiet") });
  site.pages.set("/meta", { body: `<meta name="ROBOTS" content="none">${links("/hidden")}` });
  site.pages.set("/header", { body: "x", headers: { "x-robots-tag": "noindex" } });
  site.pages.set("/ours", { body: `<meta name="headwater" content="noindex">` });
  site.pages.set("/others", { body: "x", headers: { "x-robots-tag": "googlebot: noindex" } });
  site.pages.set("/quiet", { body: links("/hidden"), headers: { "x-robots-tag": "headwater: nofollow" } });
  await crawl("/", { depth: 2 });
  assert.deepEqual((await paths()).sort(), ["/", "/others", "/quiet"]);
  assert.equal(site.take().includes("/hidden"), false);
  site.pages.set("/others", { body: "x", headers: { "x-robots-tag": "noindex" } });
  await crawl("/", { depth: 2 });
  assert.deepEqual((await paths()).sort(), ["/", "/quiet"]);
});

test("the canonical address is the id, where it is on the same host", async () => {
  const canonical = (href: string) => ({ body: `<link rel="canonical" href="${href}">` });
  site.pages.set("/", { body: links("/a?from=mail", "/a?from=feed", "/thief") });
  site.pages.set("/a?from=mail", { ...canonical("/a"), headers: { etag: '"a"' } });
  site.pages.set("/a?from=feed", canonical("/a"));
  site.pages.set("/thief", canonical("https://bank.example/"));
  await crawl("/", { depth: 1 });
  assert.deepEqual((await paths()).sort(), ["/", "/a", "/thief"]);
  site.take();
  await crawl("/a?from=mail");
  assert.deepEqual(site.take(), ["/a?from=mail 304"]);
});

test("a page that has moved is held under its new address alone", async () => {
  site.pages.set("/old", { body: "the page" });
  await crawl("/old");
  site.pages.set("/old", { status: 301, headers: { location: "/new" } });
  site.pages.set("/new", { body: "the page", headers: { etag: '"1"' } });
  await crawl("/old");
  assert.deepEqual(await paths(), ["/new"]);
  await crawl("/old");
  assert.deepEqual(await paths(), ["/new"]);
  assert.equal(site.take().at(-1), "/new 304");
});

test("circles, private networks, huge pages and what is no text are refused, and are in nobody's way", async () => {
  const inside = await another("127.0.0.2");
  inside.pages.set("/secret", { body: "secret" });
  site.pages.set("/circle", { status: 302, headers: { location: "/circle?" } });
  site.pages.set("/circle?", { status: 302, headers: { location: "/circle" } });
  site.pages.set("/inside", { status: 302, headers: { location: `${inside.url}/secret` } });
  site.pages.set("/huge", { body: Buffer.alloc(200_000, "x") });
  site.pages.set("/bomb", {
    body: gzipSync(Buffer.alloc(5_000_000)),
    headers: { "content-encoding": "gzip" },
  });
  site.pages.set("/photo", { body: "x", headers: { "content-type": "image/png" } });
  site.pages.set("/film", { body: "x", headers: { "content-type": "video/mp4" } });
  site.pages.set("/error", { status: 403 });
  site.pages.set("/good", { body: "good" });
  const starts = ["/circle", "/inside", "/huge", "/bomb", "/photo", "/film", "/error", "/missing", "/good"];
  await crawl(starts, { maxBytes: 100_000, anyHost: true });
  assert.deepEqual(await paths(), ["/good"]);
  assert.deepEqual(inside.requests, []);
  assert.deepEqual(reasons("needs_ocr"), ["/photo HW_DOCUMENT_IMAGE"]);
  assert.deepEqual(reasons("refused"), [
    "/circle HW_REDIRECTS_TOO_MANY",
    "/inside HW_ADDRESS_FORBIDDEN",
    "/huge HW_RESPONSE_TOO_LARGE",
    "/bomb HW_RESPONSE_TOO_LARGE",
    "/film HW_MEDIA_TYPE_UNSUPPORTED",
    "/error HW_PAGE_REFUSED",
    "/missing HW_PAGE_NOT_FOUND",
  ]);
});

test("a name that leads elsewhere the next time does not lead inside", async () => {
  const inside = await another("127.0.0.2");
  inside.pages.set("/", { body: "secret" });
  const port = new URL(site.url).port;
  const insidePort = new URL(inside.url).port;
  let address = "127.0.0.1";
  site.pages.set("/", () => {
    address = "127.0.0.2";
    return { body: links(`http://rebind.test:${insidePort}/`) };
  });
  const resolve = async () => [{ address, family: 4 }];
  await crawl(`http://rebind.test:${port}/`, { depth: 1, anyHost: true, resolve });
  assert.deepEqual(Object.keys(await library.texts()), [`http://rebind.test:${port}/`]);
  assert.deepEqual(inside.requests, []);
  assert.deepEqual(reasons("refused"), [`http://rebind.test:${insidePort}/ HW_ADDRESS_FORBIDDEN`]);
});

test("where an address that was given leads to another host, that is meant; where a link leads, it is not", async () => {
  const moved = await another();
  moved.pages.set("/home", { body: links("/next", `${site.url}/back`) });
  moved.pages.set("/next", { body: "next" });
  const far = await another();
  far.pages.set("/", { body: "far" });
  site.pages.set("/", { status: 301, headers: { location: `${moved.url}/home` } });
  site.pages.set("/back", { status: 302, headers: { location: `${far.url}/` } });
  await crawl("/", { depth: 1 });
  assert.deepEqual(
    Object.keys(await library.texts()).sort(),
    [`${moved.url}/home`, `${moved.url}/next`].sort(),
  );
  assert.deepEqual(reasons("passed_over"), ["/back HW_HOST_FORBIDDEN"]);
  assert.deepEqual(far.requests, []);
});
