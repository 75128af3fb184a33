import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ConversationServiceDefinition } from "@headwater/proto/services/headwater/v1/conversation";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { SearchServiceDefinition, Stage } from "@headwater/proto/services/headwater/v1/search";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import { temporaryFolder } from "@headwater/testing";
import type { Stack } from "../support/test-stack.ts";
import { startTestStack } from "../support/test-stack.ts";

/** A question, one that leans on it, and words of the passage that answers the second. */
const dialogues: readonly (readonly [first: string, followUp: string, evidence: string])[] = [
  ["How does the white-throated dipper move under water?", "How long does it stay down?", "A dive lasts"],
  ["What does the white-throated dipper feed on?", "Where does it nest?", "built under bridges"],
  ["What colour is the common kingfisher?", "Where does it nest?", "a steep bank of sand"],
  ["When did goosanders come to Britain?", "Where do they nest?", "nests in hollow trees"],
  ["Where does the sand martin breed?", "Where does it spend the winter?", "winters in the Sahel"],
  ["Who built the Canal du Midi?", "How long is it?", "It is 240 kilometres long"],
  ["Who built the Canal du Midi?", "When was it opened?", "opened to boats in May 1681"],
  ["Who was Riquet, the builder of the Canal du Midi?", "When did he die?", "died in October 1680"],
  ["When was the Malpas tunnel dug?", "How long is it?", "165 metres long"],
  ["Who dug the staircase of Fonserannes?", "How high is it?", "21.5 metres"],
  ["Why was the dam at Saint-Ferréol built?", "How high is it?", "32 metres high"],
  ["Who first proposed the New River?", "When was it opened?", "29 September 1613"],
  ["Who first proposed the New River?", "How long is it today?", "about 39 kilometres"],
  ["Who was Hugh Myddelton?", "What was his brother?", "elected Lord Mayor"],
  ["Who was Edmund Colthurst?", "When did he begin?", "letters patent in 1604"],
  ["Who built the Aqua Appia?", "How long was it?", "16 kilometres long"],
  ["Who made Frontinus head of the water supply?", "How old was he?", "He was about sixty"],
  ["Which river does the Pont du Gard cross?", "How high is it?", "48.8 metres high"],
  ["Who was John Snow?", "When did he die?", "Snow died in 1858"],
  ["Who was Susannah Eley?", "When did she die?", "died on 2 September"],
  ["Who was Henry Whitehead?", "What did he find?", "Frances Lewis"],
  ["When did Robert Koch find Vibrio cholerae?", "Who had seen it before?", "Filippo Pacini"],
  ["What lay beside the brewery in Broad Street?", "How many worked there?", "seventy men"],
  ["When did beavers come back to the river Otter in Devon?", "And why?", "relented"],
  ["Where did John Gibb build the first slow sand filter?", "And in which year?", "in 1804"],
  ["What is the burst speed of a trout?", "And of an eel?", "for an eel of 10 cm about 0.5"],
  ["Who explained the tea leaves and the meanders of rivers?", "In which year?", "in 1926"],
  ["Who proposed the ranking of streams by order?", "When?", "proposed in 1945"],
  ["What did Vitruvius say about lead pipes?", "Why was it not so dangerous?", "hard water soon covered"],
  ["What was the Great Stink?", "When was it?", "summer of 1858"],
];

/** Passages of a search among which the evidence has to be: the samples are few, and luck would bring it soon. */
const depth = 1;

const folder = await temporaryFolder();
let stack: Stack;
const clients: { close(): void }[] = [];
let search: RpcClient<SearchServiceDefinition>;
let conversations: RpcClient<ConversationServiceDefinition>;

before(async () => {
  stack = await startTestStack(folder, {
    services: ["embedding-worker", "ingest", "search", "generation"],
  });
  const ingest = createRpcClient(IngestServiceDefinition, stack.address("ingest"));
  search = createRpcClient(SearchServiceDefinition, stack.address("search"));
  conversations = createRpcClient(ConversationServiceDefinition, stack.address("generation"));
  clients.push(ingest, search, conversations);
  const files = await sampleFiles();
  const ids = files.map((file) => basename(file));
  const documents = async function* () {
    for (const file of files) {
      const document = { id: basename(file), uri: basename(file), content: await readFile(file) };
      yield { part: { $case: "document" as const, value: document } };
    }
  };
  for await (const receipt of ingest.call.push(documents())) assert.equal(receipt.error, undefined);
  for await (const _ of ingest.call.watch({ ids, untilSettled: true }));
});
after(async () => {
  for (const client of clients) client.close();
  await stack.close(2000);
});

test("follow-ups find their passages when they are rewritten by rules, and not as they were said", async (t) => {
  let raw = 0;
  let rewritten = 0;
  let gained = 0;
  for (const [first, followUp, evidence] of dialogues) {
    const question = await rewrite(first, followUp);
    const [foundRaw, found] = [await finds(followUp, evidence), await finds(question, evidence)];
    raw += Number(foundRaw);
    rewritten += Number(found);
    gained += Number(found && !foundRaw);
    t.diagnostic(`${foundRaw ? "+" : "-"}${found ? "+" : "-"} ${followUp} => ${question}`);
  }
  t.diagnostic(`of ${dialogues.length}: ${raw} as said, ${rewritten} rewritten, ${gained} only rewritten`);
  assert(gained >= 15, `${gained} of ${dialogues.length} follow-ups gained`);
  assert(rewritten >= 20, `${rewritten} of ${dialogues.length} were found`);
});

/** The follow-up as it is searched after an extractive answer to the first question. */
async function rewrite(first: string, followUp: string): Promise<string> {
  let conversationId = "";
  let question = "";
  for (const message of [first, followUp]) {
    for await (const { event } of conversations.call.chat({ conversationId, message, skipMemory: true })) {
      if (event?.$case !== "started") continue;
      conversationId = event.value.conversationId;
      question = event.value.standaloneQuestion || message;
    }
  }
  return question;
}

async function finds(query: string, evidence: string): Promise<boolean> {
  let found = false;
  for await (const { event } of search.call.search({ query, pageSize: depth, stages: [Stage.RERANKED] })) {
    if (event?.$case === "hits")
      found = event.value.hits.some(({ text }) => text.replace(/\s+/g, " ").includes(evidence));
  }
  return found;
}

async function sampleFiles(): Promise<string[]> {
  const samples = fileURLToPath(new URL("../../samples/", import.meta.url));
  const files = await readdir(samples, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && /\.(?:md|html|txt)$/.test(file.name) && file.name !== "README.md")
    .map((file) => `${file.parentPath}/${file.name}`);
}
