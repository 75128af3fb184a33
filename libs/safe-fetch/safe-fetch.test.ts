import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { SafeFetch, SafeFetchOptions } from "./index.ts";
import { createSafeFetch } from "./index.ts";

const opened: SafeFetch[] = [];
const servers: { close(): Promise<void> }[] = [];

/** A server on loopback, by default one that says what it was asked. */
async function serve(listener: RequestListener = echo, host = "127.0.0.1") {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    listener(request, response);
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  servers.push({
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  });
  return { port, requests, url: `http://${host}:${port}` };
}

const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
};

function create(options: Partial<SafeFetchOptions> = {}): SafeFetch {
  const created = createSafeFetch({ userAgent: "Headwater/test", allowPrivate: ["127.0.0.1"], ...options });
  opened.push(created);
  return created;
}

const redirectTo =
  (location: string, status = 302): RequestListener =>
  (_, response) => {
    response.writeHead(status, { location }).end("elsewhere");
  };

const json = (body: Uint8Array) => JSON.parse(Buffer.from(body).toString());

afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));
after(() => Promise.all(servers.map((one) => one.close())));

test("an answer comes with its status, headers and bytes, whatever the status is", async () => {
  const server = await serve((_, response) => response.writeHead(404, { "x-a": "b" }).end("not here"));
  const answer = await create().fetch({ url: `${server.url}/a#part` });
  assert.deepEqual(
    [answer.status, answer.url, answer.headers.get("x-a"), Buffer.from(answer.body).toString()],
    [404, `${server.url}/a`, "b", "not here"],
  );
  assert.equal(server.requests[0]?.headers["user-agent"], "Headwater/test");
});

test("a body, a method and headers are sent", async () => {
  const server = await serve();
  const request = { method: "PUT", headers: { "Content-Type": "text/plain" }, body: "hello" };
  const { body } = await create().fetch({ url: server.url, ...request });
  assert.deepEqual(
    [json(body).method, json(body).body, json(body).headers["content-type"]],
    ["PUT", "hello", "text/plain"],
  );
});

test("private addresses are refused in every form that a URL can have, and nothing connects", async () => {
  const server = await serve();
  const guarded = create({ allowPrivate: [] });
  const { port } = server;
  const hosts = [
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "0.0.0.0",
    "169.254.169.254",
    "localhost",
    "10.0.0.1",
  ];
  for (const host of hosts) {
    const fetching = guarded.fetch({ url: `http://${host}:${port}/` });
    await assert.rejects(fetching, { reason: "HW_ADDRESS_FORBIDDEN" }, host);
  }
  assert.equal(server.requests.length, 0);
});

test("a name is checked by the address that is connected to: one that changes gains nothing", async () => {
  const [outside, inside] = [await serve(), await serve(echo, "127.0.0.2")];
  let lookups = 0;
  const resolve = async () => {
    lookups += 1;
    return [{ address: lookups === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
  };
  const guarded = create({ resolve });
  assert.equal((await guarded.fetch({ url: `http://rebind.test:${outside.port}/` })).status, 200);
  // Another port, so that there is no connection yet that could be used again.
  const second = guarded.fetch({ url: `http://rebind.test:${inside.port}/` });
  await assert.rejects(second, { reason: "HW_ADDRESS_FORBIDDEN", code: 7 });
  assert.deepEqual([lookups, inside.requests.length], [2, 0]);
});

test("of several addresses only those that are allowed are tried", async () => {
  const server = await serve();
  const resolve = async () => [
    { address: "127.0.0.2", family: 4 },
    { address: "::1", family: 6 },
    { address: "127.0.0.1", family: 4 },
  ];
  const { status } = await create({ resolve }).fetch({ url: `http://many.test:${server.port}/` });
  assert.equal(status, 200);
});

test("a redirect is checked as the first address is", async () => {
  const inside = await serve(echo, "127.0.0.2");
  const cases = [
    [`${inside.url}/secret`, "HW_ADDRESS_FORBIDDEN"],
    ["http://169.254.169.254/latest/meta-data", "HW_ADDRESS_FORBIDDEN"],
    ["file:///etc/passwd", "HW_URL_INVALID"],
    ["http://user:word@127.0.0.1/", "HW_URL_INVALID"],
    ["http://[/", "HW_URL_INVALID"],
  ] as const;
  for (const [location, reason] of cases) {
    const server = await serve(redirectTo(location));
    await assert.rejects(create().fetch({ url: server.url }), { reason }, location);
  }
  assert.equal(inside.requests.length, 0);
});

test("redirects are followed up to the limit, and a circle ends", async () => {
  const target = await serve();
  const first = await serve(redirectTo(`${target.url}/there`, 308));
  const { url, status } = await create().fetch({ url: first.url });
  assert.deepEqual([url, status], [`${target.url}/there`, 200]);
  const circle = await serve(redirectTo("/again"));
  const circling = create({ maxRedirects: 3 }).fetch({ url: circle.url });
  await assert.rejects(circling, { reason: "HW_REDIRECTS_TOO_MANY" });
  assert.equal(circle.requests.length, 4);
  assert.equal((await create({ maxRedirects: 0 }).fetch({ url: circle.url })).status, 302);
});

test("credentials and bodies do not go to another origin by a redirect", async () => {
  const target = await serve();
  const request = {
    method: "POST",
    body: "secret words",
    headers: {
      authorization: "Bearer a",
      "X-Own-Key": "b",
      accept: "text/html",
      "content-type": "text/plain",
    },
  };
  const foreign = await serve(redirectTo(target.url, 302));
  const seen = json((await create().fetch({ url: foreign.url, ...request })).body);
  assert.deepEqual(
    [seen.method, seen.body, seen.headers.authorization, seen.headers["x-own-key"], seen.headers.accept],
    ["GET", "", undefined, undefined, "text/html"],
  );
  assert.equal(seen.headers["content-type"], undefined);
  const own = await serve((incoming, response) =>
    incoming.url === "/" ? redirectTo("/next", 307)(incoming, response) : echo(incoming, response),
  );
  const kept = json((await create().fetch({ url: own.url, ...request })).body);
  assert.deepEqual(
    [kept.method, kept.body, kept.headers.authorization, kept.headers["x-own-key"]],
    ["POST", "secret words", "Bearer a", "b"],
  );
});

test("each hop is announced, may be refused, and may have headers of its own", async () => {
  const target = await serve();
  const first = await serve(redirectTo(`${target.url}/there`));
  const hops: string[] = [];
  const onHop = async (url: URL) => {
    hops.push(url.href);
    return url.pathname === "/there" ? { "If-None-Match": '"1"' } : undefined;
  };
  const { body } = await create().fetch({ url: first.url, onHop });
  assert.deepEqual(hops, [`${first.url}/`, `${target.url}/there`]);
  assert.equal(json(body).headers["if-none-match"], '"1"');
  assert.equal(first.requests[0]?.headers["if-none-match"], undefined);
  const refusal = new Error("not this one");
  const refusing = create().fetch({
    url: first.url,
    onHop: async (url) => {
      if (url.pathname === "/there") throw refusal;
      return undefined;
    },
  });
  await assert.rejects(refusing, (thrown) => thrown === refusal);
  assert.equal(target.requests.length, 1);
});

test("only hosts on the list are asked, at the first address and after a redirect", async () => {
  const target = await serve();
  const resolve = async () => [{ address: "127.0.0.1", family: 4 }];
  const first = await serve(redirectTo(`http://evil.test:${target.port}/`));
  const allowHosts = ["api.good.test", "*.wide.test", `ported.test:${target.port}`];
  const guarded = create({ allowHosts, resolve });
  for (const host of ["api.good.test", "a.b.wide.test", "PORTED.test"])
    assert.equal((await guarded.fetch({ url: `http://${host}:${target.port}/` })).status, 200, host);
  const refused = ["good.test", "wide.test", "xwide.test", "api.good.test.evil.test"];
  for (const host of refused) {
    const fetching = guarded.fetch({ url: `http://${host}:${target.port}/` });
    await assert.rejects(fetching, { reason: "HW_HOST_FORBIDDEN" }, host);
  }
  const otherPort = guarded.fetch({ url: `http://ported.test:${first.port}/` });
  await assert.rejects(otherPort, { reason: "HW_HOST_FORBIDDEN" });
  const leading = guarded.fetch({ url: `http://api.good.test:${first.port}/` });
  await assert.rejects(leading, { reason: "HW_HOST_FORBIDDEN", code: 7 });
  assert.equal(target.requests.length, 3);
});

test("an answer that is too large is cut off, also one that is small until it is unpacked", async () => {
  let written = 0;
  const endless = await serve((_, response) => {
    const write = () => {
      while (!response.destroyed && response.write(Buffer.alloc(100_000))) written += 100_000;
    };
    response.on("drain", write);
    write();
  });
  const guarded = create({ maxBytes: 1_000_000 });
  await assert.rejects(guarded.fetch({ url: endless.url }), {
    reason: "HW_RESPONSE_TOO_LARGE",
    message: "The answer is larger than 1000000 bytes.",
  });
  assert(written < 100_000_000, `${written} bytes`);
  const packed = gzipSync(Buffer.alloc(50_000_000));
  const bomb = await serve((_, response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(packed),
  );
  await assert.rejects(guarded.fetch({ url: bomb.url }), { reason: "HW_RESPONSE_TOO_LARGE" });
  const { body } = await guarded.fetch({ url: bomb.url, maxBytes: 50_000_000 });
  assert.equal(body.length, 50_000_000);
});

test("an answer that does not come, or comes too slowly, is given up", async () => {
  const silent = await serve(() => {});
  await assert.rejects(create({ timeoutMs: 100 }).fetch({ url: silent.url }), {
    reason: "HW_FETCH_TIMEOUT",
    message: "There was no complete answer within 100 ms.",
  });
  const slow = await serve((_, response) => {
    const timer = setInterval(() => response.write("x"), 10);
    response.on("close", () => clearInterval(timer));
  });
  await assert.rejects(create().fetch({ url: slow.url, timeoutMs: 200 }), { reason: "HW_FETCH_TIMEOUT" });
  const hops = await serve((incoming, response) => {
    delay(60).then(() => redirectTo("/again")(incoming, response), assert.fail);
  });
  const hopping = create({ timeoutMs: 150, maxRedirects: 50 }).fetch({ url: hops.url });
  await assert.rejects(hopping, { reason: "HW_FETCH_TIMEOUT" });
});

test("a caller who leaves ends the request", async () => {
  const silent = await serve(() => leaving.abort());
  const leaving = new AbortController();
  const fetching = create().fetch({ url: silent.url, signal: leaving.signal });
  await assert.rejects(fetching, { name: "AbortError" });
});

test("what is wrong on the way is told", async () => {
  const gone = await serve();
  await servers.pop()?.close();
  await assert.rejects(create().fetch({ url: gone.url }), { reason: "HW_FETCH_FAILED", code: 14 });
  const cutting = await serve((_, response) => {
    response.writeHead(200, { "content-length": "100" }).write("half");
    setImmediate(() => response.destroy());
  });
  await assert.rejects(create().fetch({ url: cutting.url }), { reason: "HW_FETCH_FAILED" });
  const resolve = async () => {
    throw Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
  };
  await assert.rejects(create({ resolve }).fetch({ url: "http://nobody.test/" }), {
    reason: "HW_HOST_UNKNOWN",
    message: "There is no host nobody.test.",
  });
  for (const url of ["", "/path", "ftp://a.test/", "http://user@a.test/", "javascript:alert(1)"])
    await assert.rejects(create().fetch({ url }), { reason: "HW_URL_INVALID" }, url);
});
