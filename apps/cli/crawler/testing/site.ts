import { once } from "node:events";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a page of the site is answered with. */
export interface Answer {
  readonly status?: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
}

/** For tests: a site on loopback. A page without a status that has an ETag answers conditional requests as it should. */
export interface Site {
  readonly url: string;
  /** By path; a function is asked at each request. What is not there is 404. */
  readonly pages: Map<string, Answer | ((request: IncomingMessage) => Answer)>;
  /** What was asked for since the last time, but for robots.txt: "/a", or "/a 304" where that was the answer. */
  take(): string[];
  readonly requests: readonly { readonly path: string; readonly atMs: number; readonly userAgent: string }[];
  close(): Promise<void>;
}

export async function startSite(host = "127.0.0.1"): Promise<Site> {
  const pages: Site["pages"] = new Map();
  const requests: { path: string; atMs: number; userAgent: string }[] = [];
  const log: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push({ path, atMs: performance.now(), userAgent: request.headers["user-agent"] ?? "" });
    const page = pages.get(path);
    const answer: Answer = (typeof page === "function" ? page(request) : page) ?? { status: 404 };
    const { headers = {}, body = "" } = answer;
    const isKnown =
      (headers["etag"] !== undefined && headers["etag"] === request.headers["if-none-match"]) ||
      (headers["last-modified"] !== undefined &&
        headers["last-modified"] === request.headers["if-modified-since"]);
    const status = answer.status ?? (isKnown ? 304 : 200);
    if (path !== "/robots.txt") log.push(status === 304 ? `${path} 304` : path);
    response.writeHead(status, { "content-type": "text/html", ...headers });
    response.end(status === 304 ? "" : body);
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://${host}:${port}`, pages, requests },
    take: () => log.splice(0),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
