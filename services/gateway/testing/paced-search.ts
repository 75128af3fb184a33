import { setTimeout as delay } from "node:timers/promises";
import type { SearchRequest } from "@headwater/proto/services/headwater/v1/search";
import { SearchServiceDefinition, Stage } from "@headwater/proto/services/headwater/v1/search";
import { startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";

/** Milliseconds before each stage, so that a search is often in the middle of them when its server goes. */
const stageMs = 20;
const stages = [Stage.LEXICAL, Stage.VECTOR, Stage.FUSED, Stage.RERANKED];

/** A search service whose hits tell which server found them. */
export function startPacedSearch(address: string) {
  const host = address.slice(0, address.lastIndexOf(":"));
  return startRpcServer({
    address,
    definition: SearchServiceDefinition,
    implementation: {
      async *search(_request: SearchRequest) {
        const hits = [{ passageId: host }];
        for (const stage of stages) {
          await delay(stageMs);
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
