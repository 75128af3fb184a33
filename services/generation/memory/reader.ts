import type { LanguageModel } from "@headwater/language-model";
import type { Logger } from "@headwater/telemetry";
import type { MemoryMetrics } from "./metrics.ts";
import { judgeByModel, statementsByModel } from "./model-reader.ts";
import type { Candidate, Judgement } from "./relation.ts";
import { judgeByRules } from "./relation.ts";
import { mayState, statementsOf } from "./statements.ts";

/** Reads what people say: what a message states, and what a statement is to memories near it. */
export interface Reader {
  statementsOf(message: string, model: LanguageModel, signal: AbortSignal): Promise<string[]>;
  judge(
    statement: string,
    candidates: readonly Candidate[],
    model: LanguageModel,
    signal: AbortSignal,
  ): Promise<Judgement>;
}

/** Milliseconds for one call of the language model; the end of a turn waits for it. */
const modelTimeoutMs = 15_000;

/** Reads with the language model where it writes, and with rules where it does not or fails. */
export function createReader(metrics: Pick<MemoryMetrics, "modelFailures">, log: Logger): Reader {
  const orByRules = async <T>(
    model: LanguageModel,
    signal: AbortSignal,
    byModel: (limited: AbortSignal) => Promise<T>,
    byRules: () => T | Promise<T>,
  ): Promise<T> => {
    if (model.provider === "extractive") return await byRules();
    try {
      return await byModel(AbortSignal.any([signal, AbortSignal.timeout(modelTimeoutMs)]));
    } catch (thrown) {
      signal.throwIfAborted();
      metrics.modelFailures.inc();
      log.warn({ err: thrown, model: model.name }, "memory reads a message by rules");
      return await byRules();
    }
  };
  return {
    statementsOf: async (message, model, signal) => {
      if (!mayState(message)) return [];
      return await orByRules(
        model,
        signal,
        (limited) => statementsByModel(message, model, limited),
        () => statementsOf(message),
      );
    },
    judge: async (statement, candidates, model, signal) => {
      if (candidates.length === 0) return { relation: "new", candidate: undefined };
      return await orByRules(
        model,
        signal,
        (limited) => judgeByModel(statement, candidates, model, limited),
        () => judgeByRules(statement, candidates),
      );
    },
  };
}
