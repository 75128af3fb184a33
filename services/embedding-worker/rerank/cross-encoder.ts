import { trace } from "@opentelemetry/api";
import { slowest } from "../embedder.ts";
import type { TextTokenizer } from "../model/tokenizer.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import type { PairWork, RanOf } from "../scheduling/work.ts";
import type { Reranked, Reranker, RerankOptions } from "./reranker.ts";
import { scoreWithin } from "./reranker.ts";

/** Reranks with a model of its own, which reads query and passage together. */
export class CrossEncoder implements Reranker {
  readonly name = "cross-encoder";
  readonly #tokenizer: TextTokenizer;
  readonly #scheduler: Scheduler;

  constructor(tokenizer: TextTokenizer, scheduler: Scheduler) {
    this.#tokenizer = tokenizer;
    this.#scheduler = scheduler;
  }

  async rerank(query: string, passages: readonly string[], options: RerankOptions): Promise<Reranked> {
    const started = performance.now();
    const span = trace.getActiveSpan()?.spanContext();
    let tokenizeMs = 0;
    const done: RanOf<PairWork>[] = [];
    const scores = await scoreWithin(options, async (signal) => {
      this.#scheduler.refuseIfOverloaded();
      const pairs = await this.#tokenizer.encodePairs(query, passages);
      tokenizeMs = performance.now() - started;
      const works = pairs.map(
        ({ ids, typeIds }): PairWork => ({
          kind: "pairs",
          lane: "rerank",
          flow: options.flow,
          signal,
          input: { ids, typeIds },
          ...(span ? { span } : {}),
        }),
      );
      return this.#scheduler.submit(works).map(async (running) => {
        const ran = await running;
        done.push(ran);
        return ran.output;
      });
    });
    return { scores, timings: { tokenizeMs, ...slowest(done) } };
  }
}
