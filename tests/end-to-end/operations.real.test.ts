import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { HeadwaterProcess } from "@headwater/cli/headwater-process";
import { startHeadwater } from "@headwater/cli/headwater-process";
import { temporaryFolder } from "@headwater/testing";
import { eventually } from "../support/eventually.ts";
import type { RealServers } from "../support/real-servers.ts";
import { missingServers, useRealServers } from "../support/real-servers.ts";
import { runHeadwater } from "../support/run-headwater.ts";

const folder = await temporaryFolder();
const missing = missingServers();
if (missing.length > 0) test(`LEFT OUT: ${missing.join(", ")} not set`, { skip: true }, () => {});
else suite();

function suite(): void {
  let servers: RealServers;
  let headwater: HeadwaterProcess;
  const run = (...commandLine: string[]) =>
    runHeadwater(commandLine, { environment: { HEADWATER_SERVER: headwater.url } });
  const found = async (query: string) => (await run("search", query, "--json")).code === 0;

  before(async () => {
    servers = await useRealServers();
    headwater = await startHeadwater(join(folder, "data"), servers.environment);
    const files = join(folder, "files");
    await mkdir(files);
    for (const [name, text] of Object.entries({
      "heron.txt": "A heron stands still in shallow water and waits for fish.",
      "otter.txt": "An otter keeps its fur dry by grooming the air into it.",
      "dipper.txt": "A dipper walks along the bottom of the stream.",
    }))
      await writeFile(join(files, name), text);
    const { code, stderr } = await run("ingest", files);
    assert.equal(code, 0, stderr);
  });
  after(async () => {
    await headwater.stop();
    await servers.stop();
  });

  test("doctor finds what is missing in Elasticsearch, and repairs it by way of the log", async () => {
    // Just started: readiness is asked for every two seconds.
    await eventually("all is well", async () => ((await run("doctor")).code === 0 ? true : undefined));
    await deleteByText(servers.environment, "grooming");
    const sick = await run("doctor");
    assert.equal(sick.code, 1, sick.stdout);
    const repair = await run("doctor", "--repair");
    assert.equal(repair.code, 0, repair.stdout + repair.stderr);
    await eventually("the repaired document is whole", async () =>
      (await run("doctor")).code === 0 ? true : undefined,
    );
  });

  test("reindex fills new indexes on the servers, switches, is undone and finished", async () => {
    for (const words of [["reindex"], ["reindex", "--undo"], ["reindex"], ["reindex", "--finish"]]) {
      const { code, stdout, stderr } = await run(...words);
      assert.equal(code, 0, `${words.join(" ")}: ${stdout}${stderr}`);
      assert(await found("dipper walks along the bottom"), words.join(" "));
    }
    assert.equal((await run("doctor")).code, 0);
    const response = await fetch(
      `${servers.environment["HEADWATER_ELASTICSEARCH_URL"]}/_cat/indices/${servers.environment["HEADWATER_ELASTICSEARCH_PREFIX"]}-passages*?h=index&format=json`,
    );
    assert.equal(((await response.json()) as unknown[]).length, 1, "the generation before is gone");
  });

  test("search goes on by words while Qdrant is down, says so, and is whole again by itself", async (t) => {
    if (!servers.qdrantDouble) return t.skip("a real Qdrant is not ours to stop");
    const stages = async () => {
      const { stdout } = await run("search", "heron fish", "--json");
      return stdout;
    };
    await servers.qdrantDouble.stop();
    try {
      assert.match(await stages(), /HW_QDRANT_UNAVAILABLE/);
      // Readiness is asked for every two seconds, so doctor may still tell of the moment before.
      await eventually("doctor names the culprit", async () => {
        const { code, stdout } = await run("doctor", "--quick");
        return code !== 0 && /Qdrant/.test(stdout) ? true : undefined;
      });
    } finally {
      await servers.qdrantDouble.start();
    }
    await eventually("vectors are searched again", async () =>
      /HW_QDRANT_UNAVAILABLE/.test(await stages()) ? undefined : true,
    );
    await eventually("all is well", async () =>
      (await run("doctor", "--quick")).code === 0 ? true : undefined,
    );
  });
}

/** Past the adapter, as an accident would. */
async function deleteByText(environment: Record<string, string>, word: string): Promise<void> {
  const index = `${environment["HEADWATER_ELASTICSEARCH_URL"]}/${environment["HEADWATER_ELASTICSEARCH_PREFIX"]}-passages*`;
  const response = await fetch(`${index}/_delete_by_query?refresh=true`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: { query_string: { query: word } } }),
  });
  assert.equal(((await response.json()) as { deleted: number }).deleted, 1);
}
