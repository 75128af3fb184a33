import { HeadwaterError, status } from "@headwater/errors";
import type { PassageIndex, ScoredPassage } from "@headwater/passage-index";
import type { Degradation, SearchResponse } from "@headwater/proto/services/headwater/v1/search";
import { Stage } from "@headwater/proto/services/headwater/v1/search";
import type { Logger } from "@headwater/telemetry";
import { refine } from "./feedback.ts";
import type { FusedPassage, RetrievedLists } from "./fusion.ts";
import { fuse } from "./fusion.ts";
import { Highlighter } from "./highlights.ts";
import type { StagedPassage } from "./hits.ts";
import { bestOfEachDocument, toHits } from "./hits.ts";
import { keepLatestVersions } from "./latest-version.ts";
import type { SearchMetrics } from "./metrics.ts";
import type { PageStart } from "./page-token.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { shedError } from "./pressure.ts";
import type { Ranking, RankingCache } from "./ranking-cache.ts";
import type { Reranker } from "./reranker.ts";
import { budgetExhausted, unranked } from "./reranker.ts";
import type { Retrieval } from "./retrieval.ts";
import type { SearchPlan } from "./search-plan.ts";
import type { StepTimer } from "./step-timer.ts";

export interface SearcherParts {
  readonly retrieval: Retrieval;
  readonly reranker: Reranker;
  readonly rankings: RankingCache;
  readonly log: Logger;
  readonly metrics: Pick<SearchMetrics, "countDegradation" | "observeFirstHits" | "observeRanking">;
}

/** One search, from its plan to its summary. */
export class Searcher {
  readonly #parts: SearcherParts;
  readonly #plan: SearchPlan;
  readonly #timer: StepTimer;
  readonly #signal: AbortSignal;
  readonly #send: (response: SearchResponse) => void;
  readonly #highlighter: Highlighter | undefined;
  readonly #degradations: Degradation[] = [];
  #start: PageStart = { offset: 0, reranked: false };
  #queryCached = false;
  #hasHits = false;
  #queryVector: Float32Array | undefined;

  constructor(
    parts: SearcherParts,
    plan: SearchPlan,
    timer: StepTimer,
    signal: AbortSignal,
    send: (response: SearchResponse) => void,
  ) {
    this.#parts = parts;
    this.#plan = plan;
    this.#timer = timer;
    this.#signal = signal;
    this.#send = send;
    this.#highlighter = plan.highlight ? new Highlighter(plan.query) : undefined;
  }

  async run(): Promise<void> {
    const { rankings, retrieval } = this.#parts;
    const { pageToken, hash } = this.#plan;
    const index = await retrieval.active();
    const generation = index?.generation ?? "";
    if (pageToken !== "") this.#start = readPageToken(pageToken, hash, generation);
    const known = pageToken === "" ? undefined : rankings.get(hash, generation, this.#start.reranked);
    if (known) this.#sendRanking(known);
    const ranking = known ?? (await this.#rank(index));
    if (!known && index && ranking.passages.length > this.#plan.pageSize)
      rankings.set(hash, generation, ranking);
    if (!known && this.#isFirstPage) this.#parts.metrics.observeRanking(ranking);
    this.#sendSummary(ranking, generation);
  }

  async #rank(index: PassageIndex | undefined): Promise<Ranking> {
    const lists = index ? await this.#retrieve(index) : { lexical: [], vector: [], limit: 0 };
    const fused = await this.#timer.time("fuse", () => {
      const all = this.#fuse(lists);
      return this.#plan.groupByDocument ? bestOfEachDocument(all) : all;
    });
    const ranking: Ranking = { passages: fused.map(unranked), reranked: false };
    const { rerank, shed } = this.#plan;
    // A later page keeps the order of the first: where that was not reranked, this one is not.
    const asked = rerank && fused.length > 0 && (this.#start.offset === 0 || this.#start.reranked);
    const wanted = asked && !shed.has(Stage.RERANKED);
    if (asked && !wanted) this.#leaveOut(Stage.RERANKED, shedError(Stage.RERANKED));
    const stages = this.#plan.stages;
    const early = wanted && this.#isFirstPage && stages.has(Stage.FUSED);
    if (!wanted || early) this.#sendRanking(ranking);
    if (!wanted) return ranking;
    const reranked = await this.#rerank(ranking, rerank);
    if (reranked.reranked || !early) this.#sendRanking(reranked);
    return reranked;
  }

  #fuse(lists: RetrievedLists): FusedPassage[] {
    const { fusion, feedbackWeight } = this.#plan;
    const fused = fuse(lists, fusion);
    if (!this.#queryVector || !lists.vector) return fused;
    const refined = refine(this.#queryVector, lists.vector, fused, feedbackWeight);
    return refined ? fuse(lists, fusion, refined) : fused;
  }

  /**
   * Both lists at once; each is sent as soon as it is known. A list that fails is left out and told of. Under pressure the
   * vectors are left out where the words have found something.
   */
  async #retrieve(index: PassageIndex): Promise<RetrievedLists> {
    const { retrieval } = this.#parts;
    const { fusion, shed } = this.#plan;
    const { lexicalWeight } = fusion;
    const vector = async () => {
      const { hits, query, cached } = await retrieval.vector(index, this.#plan, this.#timer, this.#signal);
      this.#queryCached = cached;
      this.#queryVector = query;
      return hits;
    };
    const words =
      lexicalWeight > 0
        ? this.#list(Stage.LEXICAL, () => retrieval.lexical(index, this.#plan, this.#timer, this.#signal))
        : undefined;
    const found = shed.has(Stage.VECTOR) ? await words : undefined;
    const enough = found !== undefined && "hits" in found && found.hits.length > 0;
    if (enough) this.#leaveOut(Stage.VECTOR, shedError(Stage.VECTOR));
    const vectors = lexicalWeight < 1 && !enough ? this.#list(Stage.VECTOR, vector) : undefined;
    const searches = [words, vectors];
    const [lexical, nearest] = await Promise.all(searches);
    const failures = [lexical, nearest].flatMap((list) => (list && "error" in list ? [list] : []));
    const searched = searches.filter((search) => search !== undefined).length;
    if (failures.length === searched) throw failures[0]?.error;
    for (const { stage, error } of failures) this.#degrade(stage, error);
    return keepLatestVersions({
      lexical: lexical && "hits" in lexical ? lexical.hits : undefined,
      vector: nearest && "hits" in nearest ? nearest.hits : undefined,
      limit: this.#plan.candidates,
    });
  }

  async #list(
    stage: Stage,
    search: () => Promise<ScoredPassage[]>,
  ): Promise<{ hits: ScoredPassage[] } | { stage: Stage; error: unknown }> {
    try {
      const hits = await search();
      if (this.#isFirstPage && this.#plan.stages.has(stage)) {
        const shown = this.#plan.groupByDocument ? bestOfEachDocument(hits) : hits;
        this.#sendHits(stage, shown);
      }
      return { hits };
    } catch (thrown) {
      this.#signal.throwIfAborted();
      return { stage, error: thrown };
    }
  }

  async #rerank(ranking: Ranking, options: NonNullable<SearchPlan["rerank"]>): Promise<Ranking> {
    try {
      const { passages, complete } = await this.#timer.time("rerank", () =>
        this.#parts.reranker.rerank(this.#plan.query, ranking.passages, options, this.#signal),
      );
      if (!complete) this.#degrade(Stage.RERANKED, budgetExhausted());
      return { passages, reranked: true };
    } catch (thrown) {
      this.#signal.throwIfAborted();
      // Pages of one search must not mix two orders.
      if (this.#start.reranked) throw thrown;
      const error = HeadwaterError.from(thrown);
      this.#degrade(Stage.RERANKED, error.code === status.DEADLINE_EXCEEDED ? budgetExhausted() : error);
      return ranking;
    }
  }

  get #isFirstPage(): boolean {
    return this.#start.offset === 0;
  }

  #degrade(stage: Stage, thrown: unknown): void {
    const error = HeadwaterError.from(thrown);
    this.#leaveOut(stage, error);
    this.#parts.log.warn({ err: error, stage }, "search had to do without a stage");
  }

  /** Without a line in the log: under pressure it is most searches. */
  #leaveOut(stage: Stage, { reason, message }: HeadwaterError): void {
    const degradation: Degradation = { stage, reason, message };
    this.#degradations.push(degradation);
    this.#parts.metrics.countDegradation(degradation);
  }

  #sendRanking({ passages, reranked }: Ranking): void {
    this.#sendHits(
      reranked ? Stage.RERANKED : Stage.FUSED,
      passages.map((ranked) => ({
        passage: ranked.passage,
        score: ranked.finalScore,
        fused: ranked,
        rerankScore: ranked.rerankScore,
      })),
    );
  }

  #sendHits(stage: Stage, staged: readonly StagedPassage[]): void {
    const { offset } = this.#start;
    const page = staged.slice(offset, offset + this.#plan.pageSize);
    const hits = toHits(page, { offset, explain: this.#plan.explain, highlighter: this.#highlighter });
    const elapsedMs = this.#timer.elapsed();
    this.#timer.milliseconds["first_hits"] ??= elapsedMs;
    if (hits.length > 0 && !this.#hasHits) this.#parts.metrics.observeFirstHits(elapsedMs);
    this.#hasHits ||= hits.length > 0;
    this.#send({ event: { $case: "hits", value: { stage, hits, elapsedMs } } });
  }

  #sendSummary({ passages, reranked }: Ranking, generation: string): void {
    const next = this.#start.offset + this.#plan.pageSize;
    const more = next < passages.length;
    this.#timer.milliseconds["total"] = this.#timer.elapsed();
    this.#send({
      event: {
        $case: "summary",
        value: {
          nextPageToken: more ? writePageToken({ offset: next, reranked }, this.#plan.hash, generation) : "",
          milliseconds: this.#timer.milliseconds,
          finalStage: reranked ? Stage.RERANKED : Stage.FUSED,
          degradations: this.#degradations,
          candidates: passages.length,
          queryCached: this.#queryCached,
        },
      },
    });
  }
}
