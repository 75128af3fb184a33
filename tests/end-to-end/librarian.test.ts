import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rename, unlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { HeadwaterProcess } from "@headwater/cli/headwater-process";
import { startHeadwater } from "@headwater/cli/headwater-process";
import { temporaryFolder, until } from "@headwater/testing";
import { runHeadwater } from "../support/run-headwater.ts";

const main = fileURLToPath(new URL("../../apps/cli/main.ts", import.meta.url));
const root = await temporaryFolder();
const dataFolder = join(root, "data");
const folder = join(root, "field-notes");
/** Milliseconds; only bounds a test that fails. */
const patienceMs = 180_000;
/** A page without text, as a scanner makes it. */
const scannedPdf =
  "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n" +
  "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>\nendobj\ntrailer\n<</Root 1 0 R/Size 4>>\n%%EOF\n";

let headwater: HeadwaterProcess;

before(async () => {
  await mkdir(folder);
  await write("eels.md", "# Eels\n\nEels migrate to the Sargasso Sea to spawn.\n");
  await write("scan.pdf", scannedPdf);
  await write("photo.png", "not sent");
  headwater = await startHeadwater(dataFolder);
});
after(() => headwater.stop());

const write = (name: string, text: string) => writeFile(join(folder, name), text);

function run(...commandLine: string[]) {
  return runHeadwater(commandLine, { environment: { HEADWATER_SERVER: headwater.url } });
}

function jsonLines(text: string): Record<string, unknown>[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** `headwater watch` in a process of its own. */
function startWatch() {
  const child = spawn(process.execPath, [main, "watch", folder, "--json"], {
    env: { ...process.env, HEADWATER_SERVER: headwater.url },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit") as Promise<[number | null]>;
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  const told = (type: string, id: string) =>
    until(
      `${type} ${id}`,
      () => jsonLines(text).some((one) => one["type"] === type && one["id"] === id),
      patienceMs,
    );
  return {
    told,
    last: () => jsonLines(text).at(-1),
    stop: async () => {
      child.kill("SIGINT");
      return (await ended)[0];
    },
  };
}

test("a folder that is watched can be searched, as it changes, and over a restart of Headwater", async () => {
  const watch = startWatch();
  try {
    await watch.told("indexed", "field-notes/eels.md");
    await watch.told("needs_ocr", "field-notes/scan.pdf");
    await watch.told("needs_ocr", "field-notes/photo.png");
    assert.match((await run("search", "where do eels spawn")).stdout, /^1\. Eels/m);

    await write("weirs.txt", "A weir raises the water level of a river.");
    await watch.told("indexed", "field-notes/weirs.txt");
    await rename(join(folder, "eels.md"), join(folder, "fish.md"));
    await watch.told("indexed", "field-notes/fish.md");
    await watch.told("deleted", "field-notes/eels.md");

    // The same ports, so that the command finds it again.
    const gateway = headwater.address("gateway");
    await headwater.stop();
    await write("springs.txt", "A spring is where groundwater comes up.");
    await unlink(join(folder, "weirs.txt"));
    headwater = await startHeadwater(dataFolder, { HEADWATER_GATEWAY_LISTEN: gateway });
    await watch.told("indexed", "field-notes/springs.txt");
    await watch.told("deleted", "field-notes/weirs.txt");
  } finally {
    assert.equal(await watch.stop(), 4);
  }
  const summary = watch.last();
  assert.deepEqual([summary?.["type"], summary?.["needsOcr"], summary?.["refused"]], ["summary", 2, 0]);
});

test("after a restart only what has changed is sent", async () => {
  await write("springs.txt", "A spring is where groundwater comes to the surface.");
  const changed = await run("watch", folder, "--once", "--json");
  assert.equal(changed.code, 4, changed.stderr);
  const sent = jsonLines(changed.stdout).filter(({ type }) => type === "sent");
  assert.deepEqual(
    sent.map(({ id }) => id),
    ["field-notes/springs.txt"],
  );
  const same = await run("watch", folder, "--once", "--json", "--ignore", "*.pdf", "--ignore", "*.png");
  const summary = jsonLines(same.stdout).at(-1);
  assert.deepEqual([summary?.["sent"], summary?.["unchanged"]], [0, 2]);
  // What is passed over now, and came from there, goes.
  assert.deepEqual([same.code, summary?.["deleted"]], [0, 1]);
});

test("pages of a site are crawled and searched; a private network only where it is named", async () => {
  const pages: Record<string, string> = {
    "/sitemap.xml": "",
    "/herons": "<title>Herons</title><p>Herons stand still in shallow water to catch fish.</p>",
  };
  const server = createServer((request, response) => {
    const page = pages[request.url ?? ""];
    response.writeHead(page === undefined ? 404 : 200, { "content-type": "text/html", etag: '"1"' });
    response.end(page);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  pages["/sitemap.xml"] = `<urlset><url><loc>${url}/herons</loc></url></urlset>`;
  try {
    const refused = await run("crawl", `${url}/herons`, "--json");
    assert.equal(refused.code, 4);
    assert.match(refused.stdout, /"reason":"HW_ADDRESS_FORBIDDEN"/);
    const polite = ["--allow-private", "127.0.0.1", "--rate", "1000", "--json"];
    const { code, stdout } = await run("crawl", `${url}/sitemap.xml`, ...polite);
    assert.equal(code, 0, stdout);
    const indexed = jsonLines(stdout).filter(({ type }) => type === "indexed");
    assert.deepEqual(
      indexed.map(({ id }) => id),
      [`${url}/herons`],
    );
    assert.match((await run("search", "how do herons catch fish")).stdout, /^1\. Herons/m);
    delete pages["/herons"];
    await run("crawl", `${url}/sitemap.xml`, ...polite);
    assert.equal((await run("documents", "--prefix", url)).stdout.trim(), "");
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("wrong usage is told, and exits with 2", async () => {
  assert.equal((await run("watch", join(folder, "nowhere"))).code, 2);
  assert.equal((await run("watch", folder, folder)).code, 2);
  assert.equal((await run("crawl", "ftp://example.org/")).code, 2);
  assert.equal((await run("crawl", "https://a.test/", "--allow-private", "a b")).code, 2);
});
