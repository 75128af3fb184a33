import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Citation } from "@headwater/proto/services/headwater/v1/generation";
import { EndReason, GenerationServiceDefinition } from "@headwater/proto/services/headwater/v1/generation";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import { temporaryFolder } from "@headwater/testing";
import type { Stack } from "../support/test-stack.ts";
import { startTestStack } from "../support/test-stack.ts";

const texts = ["constitution", "origin-of-species", "study-in-scarlet"];

const folder = await temporaryFolder();
let stack: Stack;
let ingest: RpcClient<IngestServiceDefinition>;
let generation: RpcClient<GenerationServiceDefinition>;

before(async () => {
  const services = ["embedding-worker", "ingest", "search", "generation"] as const;
  stack = await startTestStack(folder, { services });
  ingest = createRpcClient(IngestServiceDefinition, stack.address("ingest"));
  generation = createRpcClient(GenerationServiceDefinition, stack.address("generation"));
  for await (const receipt of ingest.call.push(documents())) assert.equal(receipt.error, undefined);
  for await (const _ of ingest.call.watch({ ids: texts, untilSettled: true }));
});
after(async () => {
  ingest.close();
  generation.close();
  await stack.close(2000);
});

async function* documents() {
  for (const id of texts) {
    const file = new URL(`../../libs/evaluation/public-domain/training/documents/${id}.md`, import.meta.url);
    const document = { id, uri: `${id}.md`, content: await readFile(file) };
    yield { part: { $case: "document" as const, value: document } };
  }
}

interface Answered {
  readonly text: string;
  readonly reason: EndReason | undefined;
  readonly citations: readonly Citation[];
}

async function ask(question: string): Promise<Answered> {
  let text = "";
  let reason: EndReason | undefined;
  const citations: Citation[] = [];
  for await (const { event } of generation.call.answer({ question })) {
    if (event?.$case === "text") text += event.value.text;
    if (event?.$case === "citation") citations.push(event.value);
    if (event?.$case === "end") reason = event.value.reason;
  }
  return { text, reason, citations };
}

test("questions that the documents answer get the sentence that does, cited where it stands", async () => {
  for (const [question, evidence] of [
    ["Who commands the army and the navy?", "Commander in Chief of the Army and Navy"],
    ["Which regiment was the assistant surgeon attached to?", "Fifth Northumberland Fusiliers"],
    ["Why is there a struggle for existence?", "struggle for existence"],
  ] as const) {
    const { text, reason, citations } = await ask(question);
    assert.equal(reason, EndReason.COMPLETE, question);
    assert(text.includes(evidence), `${question} ${text}`);
    for (const { claim, evidence: range, quote, document, support } of citations) {
      assert(claim && range && document);
      const inDocument = await ingest.call.getText({ id: document.id, range });
      assert.equal(inDocument.text, quote);
      assert.equal(text.slice(claim.start, claim.end), quote.replace(/\s+/g, " "));
      assert(support > 0 && support <= 1);
    }
    assert(citations.some(({ quote }) => quote.includes(evidence)));
  }
});

test("questions that the documents do not answer are not answered", async () => {
  for (const question of [
    "Which enzyme unwinds the DNA double helix?",
    "How do I install Kubernetes on Debian?",
    "What is the boiling point of nitrogen?",
  ]) {
    const { text, reason, citations } = await ask(question);
    assert.deepEqual(
      [text, reason, citations],
      ["The documents do not say.", EndReason.NO_SUPPORT, []],
      question,
    );
  }
});
