import { createHash } from "node:crypto";
import { HeadwaterError, status } from "@headwater/errors";
import type { FetchedResponse, SafeFetch } from "@headwater/safe-fetch";
import type { Account, Refusal } from "../librarian/account.ts";
import type { Delivery } from "../librarian/delivery.ts";
import type { HeldDocument } from "../librarian/holdings.ts";
import { sourceAttribute } from "../librarian/holdings.ts";
import type { Change } from "../librarian/source.ts";
import type { Visit } from "./frontier.ts";
import { Frontier } from "./frontier.ts";
import type { HostPace } from "./host-pace.ts";
import { refusalOf, retryAfterMs } from "./page-refusal.ts";
import type { Robots } from "./robots.ts";
import type { Sitemap } from "./sitemap.ts";
import { maxSitemapBytes, readSitemap } from "./sitemap.ts";
import type { WebHoldings } from "./web-holdings.ts";
import { readWebPage } from "./web-page.ts";

/** How often a page is tried that is not to be had for the moment. */
const maxTries = 3;
/** A host that wants to be left alone for longer is left alone for this run. */
const longestWaitMs = 10 * 60_000;
/** After a failure without a hint. */
const waitMs = 2000;
/** Why a page that a link or a sitemap led to is none for us. */
const passedOver: ReadonlySet<string> = new Set([
  "HW_HOST_FORBIDDEN",
  "HW_MEDIA_TYPE_UNSUPPORTED",
  "HW_PAGE_NOINDEX",
  "HW_PAGE_NOT_FOUND",
  "HW_PAGE_REFUSED",
  "HW_ROBOTS_DISALLOWED",
]);

export interface CrawlOptions {
  readonly fetch: SafeFetch;
  readonly robots: Robots;
  readonly pace: HostPace;
  readonly holdings: WebHoldings;
  readonly delivery: Delivery;
  readonly account: Account;
  readonly signal: AbortSignal;
  /** Links that are followed away from the addresses given; 0: none. */
  readonly depth: number;
  /** Links, sitemaps and redirects may lead to other hosts than those given. */
  readonly anyHost: boolean;
  /** Pages and sitemaps that are asked for in one run. */
  readonly maxPages: number;
}

/** Brings the service up to date with pages of the web: those given, those that sitemaps list, those that are linked. */
export class Crawler {
  readonly #options: CrawlOptions;
  readonly #frontier = new Frontier();
  readonly #hosts = new Set<string>();
  readonly #delivered = new Set<string>();
  /** What the page that is being visited leads to. */
  readonly #changes: Change[] = [];
  #visits = 0;

  constructor(options: CrawlOptions) {
    this.#options = options;
  }

  /** @param addresses whose fragments do not count */
  async crawl(addresses: readonly URL[]): Promise<void> {
    const { delivery, account, maxPages } = this.#options;
    const starts = addresses.map(withoutFragment);
    for (const url of starts) {
      this.#hosts.add(url.host);
      this.#frontier.add({ url, depth: 0, start: url.href, lastModified: "" });
    }
    const everything = async () => {
      for (let visit = this.#frontier.take(); visit; visit = this.#frontier.take()) {
        if (this.#visits >= maxPages) return account.cutShort(maxPages);
        await this.#visit(visit);
      }
    };
    await everything();
    await this.#addKnown(starts);
    await everything();
    await delivery.settled();
  }

  /** Pages of an earlier run that nothing has led to this time: they may have gone. */
  async #addKnown(starts: readonly URL[]): Promise<void> {
    for (const start of starts) {
      for (const { uri, attributes } of await this.#options.holdings.all(start)) {
        const url = URL.parse(uri);
        if (attributes[sourceAttribute] !== start.href || url === null) continue;
        const depth = Number(attributes["depth"] ?? this.#options.depth);
        this.#frontier.add({ url, depth, start: start.href, lastModified: "" });
      }
    }
  }

  async #visit(visit: Visit): Promise<void> {
    const { account, delivery, holdings, signal } = this.#options;
    const held = await holdings.at(visit.url);
    // The sitemap says that nothing has changed; a page whose links are wanted is asked all the same.
    const isSame = visit.lastModified !== "" && held?.attributes["lastmod"] === visit.lastModified;
    if (isSame && visit.depth >= this.#options.depth) return account.unchanged();
    this.#visits += 1;
    try {
      await this.#handle(visit, held, await this.#get(visit));
    } catch (thrown) {
      signal.throwIfAborted();
      const error = HeadwaterError.from(thrown);
      if (error.reason === "HW_INTERNAL") throw thrown;
      if (error.transient && this.#tryAgain(visit)) return;
      // What the user asked for by name has to be accounted for; what was found on the way may be left there.
      const isNamed = visit.url.href === visit.start;
      if (!isNamed && passedOver.has(error.reason)) account.passedOver(refused(visit, error));
      else account.refused(refused(visit, error));
    }
    // Apart from the above: where the service is away no page is to blame, and no other will fare better.
    await delivery.deliver(this.#changes.splice(0));
  }

  /** Each hop is asked for as a page of its own: may it be fetched, is it its host's turn, what is known of it. */
  #get(visit: Visit): Promise<FetchedResponse> {
    const { fetch, robots, holdings, signal } = this.#options;
    const isSitemap = /\.xml(\.gz)?$/.test(visit.url.pathname);
    return fetch.fetch({
      ...{
        url: visit.url.href,
        signal,
        headers: { accept: "text/html, application/pdf, text/*, */*;q=0.5" },
      },
      ...(isSitemap ? { maxBytes: maxSitemapBytes } : {}),
      onHop: async (url) => {
        this.#checkHost(url, visit);
        await robots.admit(url, signal);
        return conditions(await holdings.at(url));
      },
    });
  }

  /** A site may move as a whole: where an address that was given leads, that is meant too. */
  #checkHost(url: URL, { depth, url: asked, start }: Visit): void {
    if (this.#options.anyHost || this.#hosts.has(url.host)) return;
    if (depth > 0 || asked.href !== start) {
      throw new HeadwaterError({
        ...{ code: status.PERMISSION_DENIED, reason: "HW_HOST_FORBIDDEN" },
        message: `It leads to another host, ${url.host}.`,
        action: "Use --any-host if that is meant.",
      });
    }
    this.#hosts.add(url.host);
  }

  async #handle(visit: Visit, asked: HeldDocument | undefined, answer: FetchedResponse): Promise<void> {
    const { account, holdings, pace } = this.#options;
    const url = new URL(answer.url);
    const hasMoved = url.href !== visit.url.href;
    const held = await holdings.at(url);
    if (answer.status === 200 || answer.status === 304) {
      // What several addresses lead to is taken once.
      if (hasMoved && !this.#frontier.settle(url)) account.unchanged();
      else if (answer.status === 304) account.unchanged();
      else this.#take(visit, answer, held);
      if (hasMoved && asked?.uri === visit.url.href && asked.id !== held?.id) this.#delete(asked);
      return;
    }
    const wait = retryAfterMs(answer);
    if (wait !== undefined) pace.holdOff(url.host, Math.min(wait, longestWaitMs));
    const refusal = refusalOf(answer, url.host);
    const gone = refusal.reason === "HW_PAGE_NOT_FOUND" ? (held ?? asked) : undefined;
    if (gone) return this.#delete(gone);
    if (wait !== undefined && wait > longestWaitMs) return account.refused(refused(visit, refusal));
    throw refusal;
  }

  #take(visit: Visit, answer: FetchedResponse, held: HeldDocument | undefined): void {
    const sitemap = readSitemap(answer.body);
    if (sitemap) this.#addSitemap(visit, new URL(answer.url), sitemap);
    else this.#takePage(visit, answer, held);
  }

  #addSitemap({ start, depth }: Visit, at: URL, { sitemaps, pages }: Sitemap): void {
    const entries = [...sitemaps.map((url) => ({ url, lastModified: "" })), ...pages];
    for (const { url: text, lastModified } of entries) {
      const url = URL.parse(text, at);
      if (url && this.#isWanted(url)) this.#frontier.add({ url, depth, start, lastModified });
    }
  }

  #takePage(visit: Visit, answer: FetchedResponse, held: HeldDocument | undefined): void {
    const { account, depth } = this.#options;
    const page = readWebPage(answer);
    if (visit.depth < depth) {
      for (const url of page.links.map(withoutFragment)) {
        if (this.#isWanted(url))
          this.#frontier.add({ url, depth: visit.depth + 1, start: visit.start, lastModified: "" });
      }
    }
    if (page.directives.noindex) {
      if (held) this.#delete(held);
      throw noIndex();
    }
    if (held && held.id !== page.id) this.#delete(held);
    // The first of several addresses that name the same canonical one.
    if (this.#delivered.has(page.id)) return;
    this.#delivered.add(page.id);
    const attributes = attributesOf(visit, answer);
    if (held?.id === page.id && isSame(held, attributes, answer.body)) {
      account.unchanged();
      return;
    }
    const document = {
      ...{ id: page.id, content: answer.body, uri: answer.url, attributes, observedTime: new Date() },
      ...(page.mediaType === "" ? {} : { mediaType: page.mediaType }),
    };
    this.#changes.push({ kind: "put", id: page.id, open: async () => document });
  }

  #isWanted(url: URL): boolean {
    const isHttp = url.protocol === "http:" || url.protocol === "https:";
    return isHttp && (this.#options.anyHost || this.#hosts.has(url.host));
  }

  #delete({ id }: HeldDocument): void {
    if (!this.#delivered.has(id)) this.#changes.push({ kind: "delete", id });
  }

  #tryAgain(visit: Visit): boolean {
    if (visit.tries + 1 >= maxTries) return false;
    this.#options.pace.holdOff(visit.url.host, waitMs);
    this.#frontier.again(visit);
    return true;
  }
}

/** What the server needs to say that nothing has changed. A page that could not be read is fetched anew. */
function conditions(held: HeldDocument | undefined): Record<string, string> | undefined {
  if (!held || held.failure) return undefined;
  const { etag, last_modified: modified } = held.attributes;
  if (etag) return { "if-none-match": etag };
  return modified ? { "if-modified-since": modified } : undefined;
}

function attributesOf({ start, depth, lastModified }: Visit, { headers }: FetchedResponse) {
  const etag = headers.get("etag");
  const modified = headers.get("last-modified");
  return {
    ...{ [sourceAttribute]: start, depth: String(depth) },
    ...(etag ? { etag } : {}),
    ...(modified ? { last_modified: modified } : {}),
    ...(lastModified === "" ? {} : { lastmod: lastModified }),
  };
}

/** A server may give the time of the request as that of the change, so that time alone is no change. */
function isSame(held: HeldDocument, attributes: Record<string, string>, body: Uint8Array): boolean {
  if (held.sizeBytes !== body.byteLength) return false;
  if (["etag", "lastmod"].some((name) => held.attributes[name] !== attributes[name])) return false;
  return createHash("sha256").update(body).digest("hex") === held.contentSha256;
}

function refused({ url }: Visit, { reason, message }: HeadwaterError): Refusal {
  return { id: url.href, reason, message };
}

function withoutFragment(url: URL): URL {
  const whole = new URL(url);
  whole.hash = "";
  return whole;
}

function noIndex(): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.PERMISSION_DENIED, reason: "HW_PAGE_NOINDEX" },
    message: "The page asks not to be indexed.",
  });
}
