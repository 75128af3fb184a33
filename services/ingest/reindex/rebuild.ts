import type { DocumentKey, DocumentPassages, PassageIndex } from "@headwater/passage-index";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { Budget } from "../batching/budget.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { keyOf } from "../catalog/catalog-rows.ts";
import type { DocumentRecord, DocumentStatus, ServedDocument } from "../catalog/document-record.ts";
import type { PipelineSettings } from "../config.ts";
import { textKey } from "../documents/blob-keys.ts";
import { readBlob } from "../pipeline/document-content.ts";
import { fingerprintText } from "../pipeline/fingerprint.ts";
import { describe, textsToEmbed, toDocumentPassages } from "../pipeline/passages.ts";
import type { ProcessingTools } from "../pipeline/processing-tools.ts";
import type { Trouble } from "../pipeline/trouble.ts";
import type { EventAppender } from "../push/event-appender.ts";
import type { Stores } from "../stores.ts";
import { reindexEvent } from "./requeue.ts";

export interface RebuildParts {
  readonly stores: Stores;
  readonly catalog: Catalog;
  readonly appender: EventAppender;
  readonly trouble: Trouble;
  readonly settings: PipelineSettings;
  readonly tools: ProcessingTools;
  readonly target: PassageIndex;
}

interface Rebuilt extends DocumentKey {
  readonly passages: DocumentPassages;
  readonly served: ServedDocument;
}

/** Documents whose passages are made at one time, so that parsing and embedding overlap. */
const maxAtOnce = 32;

/** Fills a new generation of the indexes from the originals. */
export class Rebuild {
  readonly #parts: RebuildParts;
  readonly #bytes: Budget;
  readonly #slots = new Budget(maxAtOnce);
  /** Key of each document that failed → its version; told once, though its dead letter counts as a change. */
  readonly #failures = new Map<string, number>();

  constructor(parts: RebuildParts) {
    this.#parts = parts;
    this.#bytes = new Budget(parts.settings.maxInFlightBytes);
  }

  /** Documents that failed, of those that this process has done. */
  get failed(): number {
    return this.#failures.size;
  }

  /** Documents may have been done before, in this version or another. */
  async put(records: readonly DocumentRecord[], signal: AbortSignal): Promise<void> {
    const made = await Promise.all(records.map((record) => this.#make(record, signal)));
    const rebuilt = made.flatMap((one) => one ?? []);
    const { target, catalog, trouble } = this.#parts;
    const passages = rebuilt.map((one) => one.passages);
    await trouble.patiently("index", signal, () => target.replace(passages));
    await trouble.patiently("catalog", signal, () => catalog.updateServed(rebuilt));
  }

  async remove(keys: readonly DocumentKey[], signal: AbortSignal): Promise<void> {
    if (keys.length === 0) return;
    await this.#parts.trouble.patiently("index", signal, () => this.#parts.target.remove(keys));
  }

  /** @returns undefined where the document has failed, or has changed meanwhile and comes again */
  async #make({ status, served }: DocumentRecord, signal: AbortSignal): Promise<Rebuilt | undefined> {
    if (!served) return undefined;
    const releaseSlot = await this.#slots.acquire(1, signal);
    try {
      const release = await this.#bytes.acquire(served.sizeBytes, signal);
      try {
        return await this.#makeNow(status, served, signal);
      } finally {
        release();
      }
    } finally {
      releaseSlot();
    }
  }

  async #makeNow(
    status: DocumentStatus,
    served: ServedDocument,
    signal: AbortSignal,
  ): Promise<Rebuilt | undefined> {
    const { tools, trouble, stores } = this.#parts;
    const { tenant, documentId } = status;
    const content = await trouble.patiently("blobs", signal, () =>
      readBlob(stores.blobs, served.originalKey),
    );
    if (!content) return this.#failWithoutOriginal(status, served, signal);
    const source = { content, mediaType: served.mediaType, name: served.uri || documentId };
    const result = await trouble.patiently("processor", signal, () =>
      tools.processor.process(source, signal),
    );
    if (!result.ok) return this.#fail(status, served, signal);
    const { document } = result;
    const description = { ...describe(served, document), title: served.title };
    const vectors = await tools.embedder.embed(textsToEmbed(description.title, document), signal);
    const text = Buffer.from(document.text);
    const isOriginal = text.equals(content);
    const keyOfText = isOriginal ? served.originalKey : textKey(status, served.version);
    if (!isOriginal) await trouble.patiently("blobs", signal, () => stores.blobs.put(keyOfText, text));
    const version = { tenant, documentId, version: served.version };
    return {
      ...{ tenant, documentId },
      passages: toDocumentPassages(version, description, document, vectors),
      served: {
        ...served,
        ...description,
        fingerprint: fingerprintText(tools.fingerprint),
        textKey: keyOfText,
        passages: document.passages.length,
        textLength: document.text.length,
      },
    };
  }

  /** Where a newer version has replaced it, that one is among the changed documents, and nothing has failed. */
  async #failWithoutOriginal(
    status: DocumentStatus,
    served: ServedDocument,
    signal: AbortSignal,
  ): Promise<undefined> {
    const { catalog, trouble } = this.#parts;
    const [now] = await trouble.patiently("catalog", signal, () => catalog.read([status]));
    if (now?.served?.originalKey === served.originalKey) await this.#fail(status, served, signal);
  }

  /** Sent through the log, where it fails again and becomes a dead letter like any other, unless it is one already. */
  async #fail(status: DocumentStatus, served: ServedDocument, signal: AbortSignal): Promise<undefined> {
    if (this.#failures.get(keyOf(status)) === served.version) return;
    this.#failures.set(keyOf(status), served.version);
    if (status.state === DocumentState.FAILED && status.version === served.version) return;
    await this.#parts.appender.append({ record: reindexEvent(status, served), status: undefined }, signal);
  }
}
