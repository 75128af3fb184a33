import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { BlobStore } from "@headwater/blob-store";
import type { HeadwaterProcess } from "@headwater/cli/headwater-process";
import { startHeadwater } from "@headwater/cli/headwater-process";
import type { Conversation, HeadwaterClient, Message } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import { temporaryFolder } from "@headwater/testing";
import { eventually } from "../support/eventually.ts";
import { runHeadwater } from "../support/run-headwater.ts";

/** Somewhere that an installation lives. */
export interface Place {
  readonly dataFolder: string;
  readonly environment: Record<string, string>;
  /** Every server lets go of what it had, for good. */
  destroy(): Promise<void>;
}

export interface BackupPlaces {
  /** Where an installation can be, with nothing in it. */
  newPlace(): Promise<Place>;
  /** Of backups, as the command names it. */
  readonly destination: string;
  /** The same, for hands that damage it. */
  openDestination(): Promise<BlobStore>;
  /** True: a backup is taken beside a running installation. */
  readonly online: boolean;
  /** What doctor looks at beside the services. */
  readonly servers: readonly string[];
}

/** What people see of an installation. */
interface Seen {
  readonly documents: unknown;
  readonly hits: unknown;
  readonly answer: string;
  readonly conversation: { conversation: Conversation; messages: Message[] };
  readonly prompt: string;
}

const question = "Why does a dipper walk along the bottom of the stream?";
const texts: Readonly<Record<string, string>> = {
  "heron.txt": "A heron stands still in shallow water and waits for fish.",
  "otter.md": "# Otters\n\nAn otter keeps its fur dry by *grooming* the air into it.",
  "dipper.html":
    "<html><body><h1>Dippers</h1><p>A dipper walks along the bottom of the stream to find larvae.</p></body></html>",
};

/** Backup, the end of everything, restore; registers tests of node:test, which follow one another. */
export function backupSuite(name: string, openPlaces: () => Promise<BackupPlaces>): void {
  describe(`backup and restore on ${name}`, () => {
    let places: BackupPlaces;
    let place: Place;
    let headwater: HeadwaterProcess | undefined;
    let seen: Seen;
    const times: [string, number][] = [];

    // Which texts share a batch is up to chance, and would be seen in the order of hits that are as good as each other.
    const settings = () => ({ ...place.environment, HEADWATER_EMBEDDING_BATCH_TEXTS: "1" });

    const run = async (...commandLine: string[]) => {
      const environment = {
        ...settings(),
        HEADWATER_DATA_DIR: place.dataFolder,
        HEADWATER_BACKUP_DESTINATION: places.destination,
        ...(headwater ? addressesOf(headwater) : {}),
      };
      const started = performance.now();
      const result = await runHeadwater(commandLine, { environment });
      times.push([`headwater ${commandLine.join(" ")}`, (performance.now() - started) / 1000]);
      return result;
    };
    const runWell = async (...commandLine: string[]) => {
      const { code, stdout, stderr } = await run(...commandLine);
      assert.equal(code, 0, `${commandLine.join(" ")}: ${stdout}${stderr}`);
      return stdout;
    };
    /** Of doctor, past the gateway. */
    const findings = async (...options: string[]) => {
      const { stdout } = await run("doctor", "--direct", "--json", ...options);
      return stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { check: string; healthy: boolean; message: string });
    };
    const start = async (): Promise<HeadwaterClient> => {
      headwater = await startHeadwater(place.dataFolder, settings());
      return createHeadwaterClient({ baseUrl: headwater.url });
    };
    const stop = async () => {
      await headwater?.stop();
      headwater = undefined;
    };

    before(async () => {
      places = await openPlaces();
      place = await places.newPlace();
    });
    after(async () => {
      await stop();
      await place.destroy();
      for (const [what, seconds] of times) process.stderr.write(`${seconds.toFixed(1)} s  ${what}\n`);
    });

    test("a backup has records and originals; the next one copies what is new", async () => {
      const client = await start();
      const files = join(await temporaryFolder(), "files");
      await mkdir(files);
      for (const [file, text] of Object.entries(texts)) await writeFile(join(files, file), text);
      await runWell("ingest", files);
      const conversationId = await converse(client);
      if (!places.online) {
        const refused = await run("backup");
        assert.match(refused.stderr, /HW_DATA_FOLDER_IN_USE/);
        await stop();
      }
      const first = JSON.parse(await runWell("backup", "--json"));
      assert.deepEqual([first.originals, first.copied, first.lost], [3, 3, []]);

      const again = headwater ? createHeadwaterClient({ baseUrl: headwater.url }) : await start();
      // Many pieces of a stream, and little text.
      const large = `<html><body><p>Reeds grow in the marsh.</p><!-- ${"reed ".repeat(1_200_000)} --></body></html>`;
      await writeFile(join(files, "marsh.html"), large);
      await writeFile(join(files, "heron.txt"), `${texts["heron.txt"]} It is grey.`);
      await runWell("ingest", files);
      seen = await look(again, conversationId);
      if (!places.online) await stop();
      const second = JSON.parse(await runWell("backup", "--json"));
      assert.deepEqual([second.originals, second.copied], [4, 2]);
      assert(second.copied_bytes > 5_000_000);
      const listed = (await runWell("backups", "list", "--json")).trim().split("\n");
      assert.deepEqual(
        listed.map((line) => JSON.parse(line).name),
        [first.name, second.name],
      );
      await runWell("backups", "verify");
      if (headwater) {
        const metrics = await (await fetch(`http://${headwater.address("metrics")}/metrics`)).text();
        assert.match(metrics, /headwater_backup_last_success_timestamp_seconds/);
      }
    });

    test("the records that are here are not overwritten unless that is said", async () => {
      await stop();
      const { code, stderr } = await run("restore");
      assert.equal(code, 1);
      assert.match(stderr, /HW_RESTORE_NOT_EMPTY/);
    });

    test("a damaged backup is named and refused, and leaves no record", async () => {
      await place.destroy();
      place = await places.newPlace();
      const store = await places.openDestination();
      try {
        const keys = await Array.fromAsync(store.list(""));
        for (const part of [
          /heron|originals\//,
          /backups\/[^/]+\/generation\/messages/,
          /originals\.ndjson/,
        ]) {
          const key =
            keys
              .filter((one) => part.test(one))
              .sort()
              .at(-1) ?? "";
          const content = Buffer.concat(await Array.fromAsync((await store.get(key)) ?? []));
          const broken = Buffer.from(content);
          broken[broken.length - 1] = (broken[broken.length - 1] ?? 0) ^ 1;
          await store.put(key, broken);
          for (const commandLine of [
            ["backups", "verify"],
            ["restore", "--no-reindex"],
          ]) {
            const { code, stderr } = await run(...commandLine);
            assert.equal(code, 1, stderr);
            assert.match(stderr, /HW_BACKUP_DAMAGED/);
            assert(stderr.includes(key), `${commandLine.join(" ")} names ${key}: ${stderr}`);
          }
          await store.put(key, content);
        }
      } finally {
        await store.close();
      }
    });

    test("after the end of everything, a restore brings back the same documents and the same answers", async () => {
      // What broke off above has left its originals here; the same command goes on.
      const restored = JSON.parse(await runWell("restore", "--json"));
      assert.deepEqual(restored.indexes, { documents: 4, failed: 0 });
      const client = await start();
      assert.deepEqual(await look(client, seen.conversation.conversation.id), seen);
      await eventually("doctor finds nothing wrong", async () =>
        (await run("doctor")).code === 0 ? true : undefined,
      );
      const direct = await findings("--quick");
      assert.deepEqual(
        direct.filter((one) => !one.healthy),
        [],
      );
      const names = direct.map(({ check }) => check);
      for (const name of ["ingest", "search", "generation", "embedding-worker", ...places.servers])
        assert(names.includes(name), `${name} in ${names.join(", ")}`);
      if (places.online) {
        const [backup] = (await findings("--quick", "--max-backup-age", "1")).filter((one) => !one.healthy);
        assert.equal(backup?.check, "backup", "none was taken since the restore");
      }
      const turn = client.chat("And what does it eat?", {
        conversationId: seen.conversation.conversation.id,
      });
      for await (const _ of turn);
      const { messages } = await client.conversations.export(seen.conversation.conversation.id);
      assert.equal(messages.length, seen.conversation.messages.length + 2, "the conversation goes on");
      await stop();
      // A restore of the restored: what nobody knew of is gone with it.
      await runWell("restore", "--replace", "--no-reindex");
    });
  });
}

function addressesOf(headwater: HeadwaterProcess): Record<string, string> {
  return {
    HEADWATER_SERVER: headwater.url,
    HEADWATER_INGEST_ADDRESS: headwater.address("ingest"),
    HEADWATER_SEARCH_ADDRESS: headwater.address("search"),
    HEADWATER_GENERATION_ADDRESS: headwater.address("generation"),
    HEADWATER_EMBEDDING_ADDRESS: headwater.address("embedding-worker"),
  };
}

/** @returns the conversation's id */
async function converse(client: HeadwaterClient): Promise<string> {
  await client.prompts.createVersion("greeting", "Be kind.");
  let id = "";
  for await (const event of client.chat(question)) if (event.type === "started") id = event.conversationId;
  assert.notEqual(id, "");
  return id;
}

async function look(client: HeadwaterClient, conversationId: string): Promise<Seen> {
  const { documents } = await client.documents.list();
  const hits = await eventually("both indexes are searched", () => search(client));
  let answer = "";
  for await (const event of client.answer(question)) if (event.type === "text") answer += event.text;
  const { prompts } = await client.prompts.list();
  return {
    ...{ documents, hits, answer },
    conversation: await client.conversations.export(conversationId),
    prompt: JSON.stringify(prompts),
  };
}

/**
 * The best first, the others by their ids, and without their scores: word statistics also count passages that are
 * replaced, until an engine forgets them, which turns round what is equally far from the question.
 *
 * @returns undefined where a search had to do without something, as right after a start
 */
async function search(client: HeadwaterClient): Promise<unknown[] | undefined> {
  const hits: { passageId: string }[] = [];
  for await (const event of client.search(question)) {
    if (event.type === "hits" && event.stage === "reranked")
      hits.push(...event.hits.map(({ passageId, text, document }) => ({ passageId, text, document })));
    if (event.type === "summary" && event.degradations.length > 0) return undefined;
  }
  const [best, ...others] = hits;
  return [best, ...others.sort((a, b) => a.passageId.localeCompare(b.passageId))];
}
