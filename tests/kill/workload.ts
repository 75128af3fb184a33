import type { IngestServiceDefinition, PushRequest } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";

/** One step of the workload. Sending a step again, after a crash, must change nothing. */
export type Step =
  | { readonly kind: "push"; readonly id: string; readonly version: number; readonly text: string }
  | { readonly kind: "delete"; readonly id: string };

/** What has to be in the indexes at the end: version and words by document. */
export type Expected = ReadonlyMap<string, { readonly version: number; readonly text: string }>;

/** Documents, of which some get a new version that is shorter or longer, some are sent twice, and some are deleted. */
export function makeWorkload(documents: number): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < documents; at += 1) {
    const id = `document ${at}`;
    steps.push({ kind: "push", id, version: 1, text: paragraphs(id, 1, 1 + (at % 4)) });
    const earlier = `document ${at - 10}`;
    if (at >= 10 && at % 3 === 0)
      steps.push({ kind: "push", id: earlier, version: 2, text: paragraphs(earlier, 2, 1 + ((at + 1) % 3)) });
    if (at >= 10 && at % 7 === 0) steps.push({ kind: "delete", id: `document ${at - 9}` });
    if (at % 5 === 0) steps.push({ kind: "push", id, version: 1, text: paragraphs(id, 1, 1 + (at % 4)) });
    // Above what travels inside an event, so that its original goes through the blob store.
    if (at % 40 === 39)
      steps.push({ kind: "push", id: `large ${at}`, version: 1, text: paragraphs(`large ${at}`, 1, 900) });
  }
  return steps;
}

/** What the steps come to when they are applied in order. */
export function outcomeOf(steps: readonly Step[]): Expected {
  const documents = new Map<string, { version: number; text: string }>();
  const deleted = new Map<string, number>();
  for (const step of steps) {
    const known = documents.get(step.id);
    if (step.kind === "delete") {
      if (known) deleted.set(step.id, known.version);
      documents.delete(step.id);
    } else if (step.version > (known?.version ?? deleted.get(step.id) ?? 0)) {
      documents.set(step.id, { version: step.version, text: step.text });
    }
  }
  return documents;
}

/**
 * Takes steps in until one is not acknowledged.
 *
 * @returns how many were
 */
export async function send(
  client: RpcClient<IngestServiceDefinition>,
  steps: readonly Step[],
  tenant = "default",
): Promise<number> {
  let acknowledged = 0;
  try {
    while (acknowledged < steps.length) {
      const first = steps[acknowledged];
      if (first?.kind === "delete") {
        await client.call.deleteDocument({ tenant, id: first.id });
        acknowledged += 1;
        continue;
      }
      const rest = steps.slice(acknowledged);
      const end = rest.findIndex(({ kind }) => kind === "delete");
      const pushes = rest.slice(0, Math.min(20, end < 0 ? rest.length : end));
      for await (const { error } of client.call.push(requestsOf(pushes, tenant))) {
        if (error) throw new Error(`refused: ${error.reason}`);
        acknowledged += 1;
      }
    }
  } catch (thrown) {
    if (thrown instanceof Error && thrown.message.startsWith("refused")) throw thrown;
    // The process was killed: what was not acknowledged is sent to the next one.
  }
  return acknowledged;
}

async function* requestsOf(pushes: readonly Step[], tenant: string): AsyncGenerator<PushRequest> {
  for (const step of pushes) {
    if (step.kind !== "push") continue;
    const content = Buffer.from(step.text);
    const pieceBytes = 100_000;
    const { id, version } = step;
    const document = {
      ...{ id, version, tenant, title: "", uri: "", mediaType: "text/plain", attributes: {} },
      upload: "",
    };
    const first = content.subarray(0, pieceBytes);
    const more = content.length > pieceBytes;
    yield {
      part: { $case: "document", value: { ...document, observedTime: undefined, content: first, more } },
    };
    for (let at = pieceBytes; at < content.length; at += pieceBytes) {
      const data = content.subarray(at, at + pieceBytes);
      yield { part: { $case: "chunk", value: { data, more: at + pieceBytes < content.length } } };
    }
  }
}

/** Words that tell document and version, and nothing that a parser would change. */
export function paragraphs(id: string, version: number, count: number): string {
  const words = `Of ${id} this is version ${version}. `.repeat(12);
  return Array.from({ length: count }, (_, at) => `Paragraph ${at + 1}. ${words}`).join("\n\n");
}
