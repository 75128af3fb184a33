import type { estypes } from "@elastic/elasticsearch";
import type { ElasticConnection } from "./elastic-connection.ts";

export interface ScanRequest {
  readonly index: string;
  readonly query: estypes.QueryDslQueryContainer;
  /** Tenants. */
  readonly routing?: string;
  /** In place of the documents themselves. */
  readonly docvalue_fields?: string[];
  /** True: hits carry their place in the order of writes. */
  readonly seq_no_primary_term?: boolean;
}

const pageSize = 5000;
/** Between two pages; a reader who is slower has to begin again. */
const keepAlive = "5m";

/** All hits of a query as they are at one moment, in no order. */
export async function* scan<Source>(
  connection: ElasticConnection,
  { index, routing, docvalue_fields, ...request }: ScanRequest,
): AsyncGenerator<estypes.SearchHit<Source>> {
  const opened = await connection.work((client, limits) =>
    client.openPointInTime(
      { index, keep_alive: keepAlive, ...(routing !== undefined && { routing }) },
      limits,
    ),
  );
  let id = opened.id;
  try {
    let after: estypes.SortResults | undefined;
    do {
      const page = await connection.work((client, limits) =>
        client.search<Source>(
          {
            ...{ ...request, pit: { id, keep_alive: keepAlive }, size: pageSize, sort: ["_shard_doc"] },
            ...(docvalue_fields && { docvalue_fields, _source: false }),
            ...{ track_total_hits: false, allow_partial_search_results: false },
            ...(after && { search_after: after }),
          },
          limits,
        ),
      );
      id = page.pit_id ?? id;
      yield* page.hits.hits;
      after = page.hits.hits.length === pageSize ? page.hits.hits.at(-1)?.sort : undefined;
    } while (after);
  } finally {
    await connection.work((client, limits) => client.closePointInTime({ id }, limits));
  }
}
