import { HeadwaterError, status } from "@headwater/errors";
import { Stage } from "@headwater/proto/services/headwater/v1/search";
import type { SearchPlan } from "./search-plan.ts";

/** Milliseconds in line from which on a search does without something; 0: whoever waits at all. */
export interface PressureLimits {
  /** Of the rerank. Who waited less has the share of its budget that is left. */
  readonly rerankMaxWaitMs: number;
  /** Of the vectors. */
  readonly vectorMaxWaitMs: number;
}

/**
 * The plan of a search that had to wait for its turn: work is shed before callers are, beginning with what costs most
 * and is missed least. A later page keeps to what the first one was made of.
 */
export function underPressure(plan: SearchPlan, waitedMs: number, limits: PressureLimits): SearchPlan {
  const { rerank, fusion, pageToken } = plan;
  if (waitedMs === 0 || pageToken !== "") return plan;
  const left = 1 - waitedMs / limits.rerankMaxWaitMs;
  const shed = new Set<Stage>();
  if (rerank && left <= 0) shed.add(Stage.RERANKED);
  if (fusion.lexicalWeight > 0 && fusion.lexicalWeight < 1 && waitedMs >= limits.vectorMaxWaitMs)
    shed.add(Stage.VECTOR);
  return { ...plan, shed, rerank: rerank && { ...rerank, budgetMs: Math.ceil(rerank.budgetMs * left) } };
}

/** What a search is told of a stage that it does without. */
export function shedError(stage: Stage): HeadwaterError {
  const told =
    stage === Stage.RERANKED
      ? ({
          reason: "HW_RERANK_SHED",
          message: "Searches wait in line, so this one was not reranked.",
        } as const)
      : ({
          reason: "HW_VECTOR_SHED",
          message: "Searches wait in line, so this one was by words alone.",
        } as const);
  return new HeadwaterError({
    ...told,
    code: status.RESOURCE_EXHAUSTED,
    action: "Add processes of search or of the embedding-worker, or ask less at one time.",
  });
}
