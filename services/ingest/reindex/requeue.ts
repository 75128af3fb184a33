import type { NewLogRecord } from "@headwater/document-log";
import { recordKey } from "@headwater/document-log";
import type { DocumentKey } from "@headwater/passage-index";
import { DocumentEvent } from "@headwater/proto/services/headwater/v1/event";
import type { DeepPartial, ReindexResponse } from "@headwater/proto/services/headwater/v1/ingest";
import type { Catalog } from "../catalog/catalog.ts";
import type { DocumentStatus, ServedDocument } from "../catalog/document-record.ts";
import { reindexHeader } from "../pipeline/document-change.ts";
import type { EventAppender } from "../push/event-appender.ts";

const pageSize = 500;

/** An event that makes the passages of the served version anew. */
export function reindexEvent({ tenant, documentId }: DocumentKey, served: ServedDocument): NewLogRecord {
  const { version, title, uri, mediaType, attributes, originalKey, contentSha256 } = served;
  const value = DocumentEvent.encode({
    ...{ tenant, id: documentId, version, title, uri, mediaType, contentSha256 },
    attributes: { ...attributes },
    observedTime: new Date(served.observedAt),
    content: { $case: "blob", value: originalKey },
  }).finish();
  return { key: recordKey(tenant, documentId), value, headers: { [reindexHeader]: "1" } };
}

/** Sends a tenant's documents through the log again. Ends when the last one is in the log's order done. */
export async function* requeue(
  parts: { readonly catalog: Catalog; readonly appender: EventAppender },
  tenant: string,
  signal: AbortSignal,
): AsyncGenerator<DeepPartial<ReindexResponse>> {
  const { catalog, appender } = parts;
  const subscription = catalog.feed.subscribe(tenant, undefined);
  const open = new Set<string>();
  let [done, total, failed] = [0, 0, 0];
  try {
    let after: DocumentStatus | undefined;
    do {
      const page = await catalog.list({
        tenant,
        servedOnly: true,
        limit: pageSize,
        ...(after ? { after } : {}),
      });
      const events = page.flatMap(({ status, served }) => (served ? { status, served } : []));
      for (const { status } of events) open.add(status.documentId);
      total += events.length;
      await Promise.all(
        events.map(({ status, served }) =>
          appender.append({ record: reindexEvent(status, served), status: undefined }, signal),
        ),
      );
      after = page.length === pageSize ? page.at(-1)?.status : undefined;
    } while (after);
    yield { done, total, failed };
    while (open.size > 0) {
      const { statuses } = await subscription.next(signal);
      for (const status of statuses) {
        if (!catalog.isSettled(status) || !open.delete(status.documentId)) continue;
        done += 1;
        if (status.failure) failed += 1;
      }
      yield { done, total, failed };
    }
  } finally {
    subscription.close();
  }
}
