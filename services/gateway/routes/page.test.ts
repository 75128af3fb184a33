import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import Fastify from "fastify";
import type { App } from "../gateway.ts";
import { pageRoutes } from "./page.ts";

const folder = `${await temporaryFolder()}/`;
const app = Fastify();
await pageRoutes(app as unknown as App, folder);
after(() => app.close());
const get = (url: string) => app.inject({ url });

test("a page that is not built is said to be so", async () => {
  const response = await get("/");
  assert.equal(response.statusCode, 503);
  assert.match(response.body, /npm run build -w @headwater\/page/);
});

test("the page and its files are served, under a policy that lets nothing else run", async () => {
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), "<!doctype html>");
  await writeFile(join(folder, "assets/main-ABCD1234.js"), "1");
  const page = await get("/");
  assert.deepEqual([page.statusCode, page.headers["content-type"]], [200, "text/html; charset=utf-8"]);
  assert.match(String(page.headers["content-security-policy"]), /default-src 'self'.*script-src 'self'/);
  assert.equal(page.headers["cache-control"], "public, max-age=0");
  const script = await get("/assets/main-ABCD1234.js");
  assert.match(String(script.headers["cache-control"]), /max-age=31536000, immutable/);
});

test("nothing beside the folder is served", async () => {
  for (const path of [
    "/../package.json",
    "/%2e%2e/package.json",
    "/.env",
    "/nothing.js",
    "/%E0%A4%A",
    "/a%00b",
  ])
    assert((await get(path)).statusCode >= 400, path);
});
