import { setTimeout as delay } from "node:timers/promises";
import type { SearchRequest } from "@headwater/proto/services/headwater/v1/search";
import { SearchServiceDefinition, Stage } from "@headwater/proto/services/headwater/v1/search";
import { startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";

/** Milliseconds before each stage. */
const stageMs = 20;
const stages = [Stage.LEXICAL, Stage.VECTOR, Stage.FUSED, Stage.RERANKED];

/** A query whose search stays in the middle of its stages on the server of that host, until that is gone. */
export const heldQuery = (host: string) => `held by ${host}`;

/** A search service whose hits tell which server found them. */
export function startPacedSearch(address: string) {
  const host = address.slice(0, address.lastIndexOf(":"));
  return startRpcServer({
    address,
    definition: SearchServiceDefinition,
    implementation: {
      async *search({ query }: SearchRequest, { signal }) {
        const hits = [{ passageId: host }];
        for (const stage of stages) {
          const held = stage === Stage.FUSED && query === heldQuery(host);
          await delay(held ? 600_000 : stageMs, undefined, { signal });
          yield { event: { $case: "hits", value: { stage, hits, elapsedMs: stageMs } } } as const;
        }
        const summary = { finalStage: Stage.RERANKED, nextPageToken: host };
        yield { event: { $case: "summary", value: summary } } as const;
      },
    },
    telemetry: silentTelemetry("search"),
    checkReadiness: async () => {},
  });
}
