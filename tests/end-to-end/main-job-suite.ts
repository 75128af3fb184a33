import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { HeadwaterClient, NewDocument } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import type { Stack } from "../support/test-stack.ts";
import { openDoors } from "./doors.ts";

const rivers: NewDocument = {
  id: "rivers.md",
  mediaType: "text/markdown",
  content: `# Rivers

## Meanders

A river meanders because water flows faster on the outside of a bend. There it erodes the bank; on the inside it
slows down and drops its sediment, so that the bend grows.

## Deltas

Where a river meets the sea it loses its speed and builds a delta out of silt.
`,
};
const glaciers: NewDocument = {
  id: "glaciers.txt",
  title: "Glaciers",
  attributes: { shelf: "ice" },
  content:
    "A glacier forms where more snow falls than melts. Under its own weight the snow turns into ice and flows.",
};
const volcanoes: NewDocument = {
  id: "volcanoes.html",
  mediaType: "text/html",
  content:
    "<html><head><title>Volcanoes</title></head><body><article><h1>Volcanoes</h1><p>A volcano erupts when magma rises through the crust, because gas dissolved in it forms bubbles.</p></article></body></html>",
};

/**
 * What every installation does, whatever its stores are: documents in, the same streamed hits and cited answers out by
 * every door, versions, deletions, tenants, filters, dead letters.
 *
 * @param start the five services on empty stores
 */
export function mainJobSuite(name: string, start: () => Promise<Stack>): void {
  describe(`the main job: ${name}`, () => {
    let stack: Stack;
    let client: HeadwaterClient;
    let closeClient: () => void;

    before(async () => {
      stack = await start();
      const transport = createNodeTransport({ address: stack.address("gateway") });
      client = createHeadwaterClient({ transport });
      closeClient = () => transport.close();
    });
    after(async () => {
      closeClient();
      await stack.close(5000);
    });

    /** Pushes documents and waits until each is settled; gives their states. */
    async function pushAndSettle(documents: readonly NewDocument[]): Promise<string[]> {
      const receipts = await Array.fromAsync(client.documents.push(documents));
      assert.deepEqual(
        receipts.map(({ error }) => error),
        documents.map(() => undefined),
      );
      const states = new Map<string, string>();
      const ids = documents.map(({ id }) => id);
      for await (const document of client.documents.watch({ ids, untilSettled: true })) {
        const receipt = receipts.find(({ id }) => id === document.id);
        if (document.version === receipt?.version) states.set(document.id, document.state);
      }
      return ids.map((id) => states.get(id) ?? "unknown");
    }

    async function foundDocuments(query: string): Promise<string[]> {
      let ids: string[] = [];
      for await (const event of client.search(query, { groupByDocument: true })) {
        if (event.type === "hits") ids = event.hits.map(({ document }) => document.id);
      }
      return ids;
    }

    test("documents go in, and every door gives the same hits and the same cited answer", async () => {
      assert.deepEqual(await pushAndSettle([rivers, glaciers, volcanoes]), ["indexed", "indexed", "indexed"]);
      const doors = openDoors(stack.address("gateway"), stack.address("search"), stack.address("generation"));
      const question = "Why does a river meander?";
      try {
        const [first, ...others] = doors;
        assert(first);
        const hits = await first.search(question);
        const answer = await first.ask(question);
        assert(hits[0]?.startsWith("default/rivers.md/"), hits[0]);
        assert.match(answer.text, /flows faster on the outside of a bend/);
        assert.equal(answer.end, "complete");
        assert(answer.citations.length > 0);
        for (const door of others) {
          assert.deepEqual(await door.search(question), hits, door.name);
          assert.deepEqual(await door.ask(question), answer, door.name);
        }
      } finally {
        for (const door of doors) door.close();
      }
    });

    test("a citation's offsets are true in the answer and in the document", async () => {
      let answer = "";
      const citations = [];
      for await (const event of client.answer("When does a volcano erupt?")) {
        if (event.type === "text") answer += event.text;
        else if (event.type === "citation") citations.push(event);
      }
      assert(citations.length > 0, answer);
      for (const { claim, evidence, quote, document } of citations) {
        const { text } = await client.documents.text(document.id, { range: evidence });
        assert.equal(text, quote);
        assert.match(answer.slice(claim.start, claim.end), /magma rises/);
      }
    });

    test("a question that the documents do not answer is told so", async () => {
      const events = await Array.fromAsync(client.answer("Who won the football world cup in 1974?"));
      const end = events.at(-1);
      assert(end?.type === "end");
      assert.equal(end.reason, "no_support");
    });

    test("hits come stage by stage, each explained, and shares add up", async () => {
      const stages = [];
      for await (const event of client.search("how does ice form from snow", { explain: true })) {
        if (event.type === "summary") continue;
        stages.push(event.stage);
        for (const { explanation } of event.hits) {
          if (!explanation || event.stage === "lexical" || event.stage === "vector") continue;
          const sum = explanation.lists.reduce((total, { share }) => total + share, 0);
          assert(Math.abs(sum - explanation.fusedScore) < 1e-9);
        }
      }
      assert.deepEqual([...stages].sort(), ["fused", "lexical", "reranked", "vector"]);
      assert.deepEqual(stages.slice(2), ["fused", "reranked"]);
    });

    test("filters hold inside the engines", async () => {
      const shelf = { attributes: { shelf: ["ice"] } };
      for await (const event of client.search("river volcano glacier", { filter: shelf })) {
        if (event.type === "hits")
          assert.deepEqual(new Set(event.hits.map((hit) => hit.document.id)), new Set(["glaciers.txt"]));
      }
    });

    test("another tenant sees nothing of it", async () => {
      const events = await Array.fromAsync(client.search("river", { tenant: "other" }));
      assert(events.every((event) => event.type !== "hits" || event.hits.length === 0));
    });

    test("a new version replaces the old, and a deleted document is gone", async () => {
      assert.deepEqual(
        await pushAndSettle([{ ...glaciers, content: "Icebergs break off where a glacier meets the sea." }]),
        ["indexed"],
      );
      assert((await foundDocuments("icebergs break off")).includes("glaciers.txt"));
      const { text } = await client.documents.text("glaciers.txt");
      assert.equal(text, "Icebergs break off where a glacier meets the sea.");

      await client.documents.delete("glaciers.txt");
      for await (const { state } of client.documents.watch({ ids: ["glaciers.txt"], untilSettled: true })) {
        if (state === "deleted") break;
      }
      assert(!(await foundDocuments("icebergs break off")).includes("glaciers.txt"));
      assert.equal((await client.documents.get("glaciers.txt")).state, "deleted");
    });

    test("what cannot be read is a dead letter with a reason, and the rest goes on", async () => {
      const broken: NewDocument = { id: "broken.pdf", content: "%PDF-1.7\nnot really" };
      const fine: NewDocument = { id: "fine.txt", content: "Springs feed streams." };
      assert.deepEqual(await pushAndSettle([broken, fine]), ["failed", "indexed"]);
      const { deadLetters } = await client.deadLetters.list();
      assert.deepEqual(
        deadLetters.map(({ documentId }) => documentId),
        ["broken.pdf"],
      );
      assert.equal(deadLetters[0]?.failure?.stage, "parse");
      assert.match(deadLetters[0]?.failure?.reason ?? "", /^HW_DOCUMENT_/);
    });

    test("the same again costs no embedding", async () => {
      const passages = (await client.pipeline()).passages;
      assert.deepEqual(await pushAndSettle([rivers, volcanoes]), ["indexed", "indexed"]);
      assert.equal((await client.pipeline()).passages, passages);
    });
  });
}
