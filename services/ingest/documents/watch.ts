import { invalidArgument } from "@headwater/errors";
import type { DeepPartial, WatchRequest, WatchResponse } from "@headwater/proto/services/headwater/v1/ingest";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { checkTenant } from "@headwater/rpc";
import type { Catalog, DocumentQuery } from "../catalog/catalog.ts";
import type { DocumentStatus } from "../catalog/document-record.ts";
import { checkDocumentId } from "./document-rules.ts";
import { documentOf } from "./to-proto.ts";

const maxIds = 1024;
const pageSize = 500;
const everyState: readonly DocumentState[] = [
  DocumentState.QUEUED,
  DocumentState.PARSING,
  DocumentState.EMBEDDING,
  DocumentState.INDEXED,
  DocumentState.FAILED,
  DocumentState.DELETED,
];

/**
 * Streams the changes of documents. The subscription begins before the present state is read, so that no change falls
 * between the two; a slow reader gets the newest status of each document, never a growing queue.
 */
export async function* watch(
  catalog: Catalog,
  request: WatchRequest,
  signal: AbortSignal,
): AsyncGenerator<DeepPartial<WatchResponse>> {
  const tenant = checkTenant(request.tenant);
  const ids = new Set(request.ids.map(checkDocumentId));
  if (ids.size > maxIds)
    throw invalidArgument("HW_WATCH_IDS_INVALID", `At most ${maxIds} ids can be watched.`);
  if (request.untilSettled && ids.size === 0)
    throw invalidArgument("HW_WATCH_IDS_INVALID", "until_settled needs the ids to wait for.");

  const subscription = catalog.feed.subscribe(tenant, ids.size > 0 ? ids : undefined);
  const unsettled = new Set(ids);
  const note = (status: DocumentStatus) => {
    if (catalog.isSettled(status)) unsettled.delete(status.documentId);
    else if (ids.has(status.documentId)) unsettled.add(status.documentId);
  };
  try {
    const changedSince = request.changedSince?.getTime();
    const since = changedSince === undefined ? {} : { states: everyState, changedSince };
    const present = ids.size > 0 ? readIds(catalog, tenant, ids) : readAll(catalog, { tenant, ...since });
    // Where nothing is wanted of the present, it still tells which of the ids are settled already.
    if (!request.changesOnly || request.untilSettled) {
      for await (const status of present) {
        note(status);
        const wanted = !request.changesOnly && status.updatedAt >= (changedSince ?? 0);
        if (wanted) yield { document: documentOf(status) };
      }
    }
    while (!request.untilSettled || unsettled.size > 0) {
      const { statuses, droppedSince } = await subscription.next(signal);
      for (const status of statuses) {
        note(status);
        yield { document: documentOf(status) };
      }
      if (droppedSince === undefined) continue;
      const missed =
        ids.size > 0
          ? readIds(catalog, tenant, ids)
          : readAll(catalog, { tenant, states: everyState, changedSince: droppedSince });
      for await (const status of missed) {
        note(status);
        yield { document: documentOf(status) };
      }
    }
  } finally {
    subscription.close();
  }
}

async function* readIds(
  catalog: Catalog,
  tenant: string,
  ids: ReadonlySet<string>,
): AsyncGenerator<DocumentStatus> {
  const records = await catalog.read([...ids].map((documentId) => ({ tenant, documentId })));
  for (const record of records) if (record) yield record.status;
}

async function* readAll(
  catalog: Catalog,
  query: Omit<DocumentQuery, "limit" | "after">,
): AsyncGenerator<DocumentStatus> {
  let after: DocumentStatus | undefined;
  do {
    const page = await catalog.list({ ...query, limit: pageSize, ...(after ? { after } : {}) });
    for (const { status } of page) yield status;
    after = page.length === pageSize ? page.at(-1)?.status : undefined;
  } while (after);
}
