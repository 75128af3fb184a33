import { setTimeout as delay } from "node:timers/promises";
import type { CitationEvent, HeadwaterClient, Hit } from "@headwater/client";
import { HeadwaterClientError } from "@headwater/client";
import { HeadwaterError, status } from "@headwater/errors";
import type { DocumentWriter } from "./document-writer.ts";
import type { MadeUpDocument } from "./made-up-document.ts";
import { makeUpDocument } from "./made-up-document.ts";

export interface SmokeTestParts {
  readonly client: HeadwaterClient;
  readonly writer: DocumentWriter;
  /** Name of the language model that answers. */
  readonly model: string;
  /** Milliseconds for each step. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  onStep(step: string, milliseconds: number): void;
  /** Told of what went wrong beside what is thrown. */
  onError(thrown: unknown): void;
}

/** Milliseconds between two looks whether something has happened. */
const pauseMs = 200;

/**
 * One document's way through all of an installation: in, indexed, found, answered from with a citation, and out again.
 * It is deleted also where a step fails.
 *
 * @throws HeadwaterError or HeadwaterClientError of the step that failed
 */
export async function smokeTest(parts: SmokeTestParts): Promise<void> {
  const { writer } = parts;
  const document = makeUpDocument();
  await step(parts, `written to ${writer.by}`, () => writer.put(document));
  try {
    await step(parts, "indexed", () => untilIndexed(parts, document));
    await step(parts, "found by search", () => untilFound(parts, document));
    await step(parts, "answered, with its citation", () => answer(parts, document));
  } catch (thrown) {
    await writer.remove(document.id).catch(parts.onError);
    throw thrown;
  }
  await step(parts, "deleted by a tombstone", () => writer.remove(document.id));
  await step(parts, "gone", () => untilGone(parts, document));
}

async function step(parts: SmokeTestParts, name: string, work: () => Promise<void>): Promise<void> {
  const started = performance.now();
  await work();
  parts.onStep(name, performance.now() - started);
}

function untilIndexed(parts: SmokeTestParts, { id }: MadeUpDocument): Promise<void> {
  return until(parts, "The document is not indexed", async (signal) => {
    const { state, failure } = await parts.client.documents.get(id, { signal });
    if (failure) throw failed(`The document was given up: ${failure.message} [${failure.reason}]`);
    return state === "indexed";
  });
}

function untilFound(parts: SmokeTestParts, document: MadeUpDocument): Promise<void> {
  return until(parts, "Search does not find the document", async (signal) =>
    (await search(parts, document, signal)).some((hit) => hit.document.id === document.id),
  );
}

function untilGone(parts: SmokeTestParts, document: MadeUpDocument): Promise<void> {
  return until(parts, "The document is still found", async (signal) => {
    const found = await search(parts, document, signal);
    return found.every((hit) => hit.document.id !== document.id);
  });
}

/** @returns the hits of the last stage */
async function search({ client }: SmokeTestParts, { question }: MadeUpDocument, signal: AbortSignal) {
  let hits: readonly Hit[] = [];
  for await (const event of client.search(question, { signal, pageSize: 10 }))
    if (event.type === "hits") hits = event.hits;
  return hits;
}

async function answer(
  { client, model, signal, timeoutMs }: SmokeTestParts,
  { id, question, fact }: MadeUpDocument,
): Promise<void> {
  let text = "";
  const citations: CitationEvent[] = [];
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  for await (const event of client.answer(question, { signal: limited, model })) {
    if (event.type === "text") text += event.text;
    else if (event.type === "citation") citations.push(event);
  }
  if (!text.includes(fact)) throw failed(`The answer does not say "${fact}": ${text.trim()}`);
  const cited = citations.find((citation) => citation.document.id === id);
  if (!cited) throw failed(`The answer does not cite ${id}; it cites ${describe(citations)}.`);
  if (!cited.quote.includes(fact)) throw failed(`The citation does not show "${fact}": ${cited.quote}`);
}

function describe(citations: readonly CitationEvent[]): string {
  return citations.map(({ document }) => document.id).join(", ") || "nothing";
}

/** Asks again and again; what is not there yet, or for now cannot be reached, is waited for. */
async function until(
  { signal, timeoutMs }: SmokeTestParts,
  expired: string,
  ask: (signal: AbortSignal) => Promise<boolean>,
): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const limited = AbortSignal.any([signal, timeout]);
  let last = "";
  while (true) {
    try {
      if (await ask(limited)) return;
    } catch (thrown) {
      signal.throwIfAborted();
      if (!timeout.aborted) last = described(thrown);
    }
    signal.throwIfAborted();
    if (timeout.aborted) throw failed(`${expired} within ${timeoutMs / 1000} s. ${last}`.trim());
    await delay(pauseMs);
  }
}

/** @throws what was thrown, where waiting does not help */
function described(thrown: unknown): string {
  if (!(thrown instanceof HeadwaterClientError)) throw thrown;
  if (!thrown.transient && thrown.codeName !== "NOT_FOUND") throw thrown;
  return `The last attempt: ${thrown.message} [${thrown.reason}]`;
}

function failed(message: string): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_SMOKE_TEST_FAILED", message },
    action: "`headwater doctor` says what is not ready; the logs of the services say more.",
  });
}
