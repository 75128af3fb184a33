import type {
  DeepPartial,
  Hit,
  SearchRequest,
  SearchResponse,
} from "@headwater/proto/services/headwater/v1/search";
import { SearchServiceDefinition, Stage } from "@headwater/proto/services/headwater/v1/search";
import type { RpcServer } from "@headwater/rpc";
import { startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import type { CallContext } from "nice-grpc";

/** For tests: a search service that finds what it was given, whatever is asked. */
export interface SearchDouble {
  readonly address: string;
  /** Requests as they came in. */
  readonly requests: SearchRequest[];
  passages: readonly DeepPartial<Hit>[];
  /** Called in place of an answer where it is set. */
  instead: ((signal: AbortSignal) => Promise<void>) | undefined;
  close(): Promise<void>;
}

export async function startSearchDouble(address = "127.0.0.1:0"): Promise<SearchDouble> {
  const double: Omit<SearchDouble, "address" | "close"> = { requests: [], passages: [], instead: undefined };
  const server: RpcServer = await startRpcServer({
    address,
    definition: SearchServiceDefinition,
    implementation: {
      async *search(
        request: SearchRequest,
        context: CallContext,
      ): AsyncGenerator<DeepPartial<SearchResponse>> {
        double.requests.push(request);
        await double.instead?.(context.signal);
        const hits = double.passages.slice(0, request.pageSize);
        yield { event: { $case: "hits", value: { stage: Stage.FUSED, hits: hits.toReversed() } } };
        yield { event: { $case: "hits", value: { stage: Stage.RERANKED, hits } } };
        yield { event: { $case: "summary", value: { finalStage: Stage.RERANKED, candidates: hits.length } } };
      },
    },
    telemetry: silentTelemetry("search"),
    checkReadiness: async () => {},
  });
  return Object.assign(double, { address: server.address, close: () => server.close(200) });
}

/** A passage that starts at `start` of its document's text. */
export function passage(id: string, text: string, start = 0): DeepPartial<Hit> {
  return {
    passageId: `default/${id}/1/0`,
    text,
    document: { id, version: 1, title: `Title of ${id}` },
    location: { range: { start, end: start + text.length }, page: 2, headingPath: ["Part"] },
    score: 0.9,
  };
}
