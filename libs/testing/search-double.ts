import { HeadwaterError } from "@headwater/errors";
import type {
  DeepPartial,
  SearchRequest,
  SearchResponse,
} from "@headwater/proto/services/headwater/v1/search";
import { Stage } from "@headwater/proto/services/headwater/v1/search";
import type { DoubleContext as Context } from "./double-call.ts";
import { hit, summary } from "./found-passage.ts";
import type { Seen } from "./misbehaviour.ts";
import { broken, endless, misbehave, note } from "./misbehaviour.ts";

export function searchDouble(seen: Seen) {
  return {
    async *search(request: SearchRequest, context: Context): AsyncGenerator<DeepPartial<SearchResponse>> {
      note(seen, request.tenant, context);
      seen.searchRequest = request;
      await misbehave(seen, request.query, context);
      const hits = (stage: Stage, padding = ""): DeepPartial<SearchResponse> => {
        const found = hit(request);
        return {
          event: {
            $case: "hits",
            value: { stage, hits: [{ ...found, text: found.text + padding }], elapsedMs: 3 },
          },
        };
      };
      if (request.query === "endless" || request.query === "flood") {
        const padding = request.query === "flood" ? "x".repeat(64 * 1024) : "";
        for await (const _ of endless(seen, request.query, context)) yield hits(Stage.LEXICAL, padding);
      }
      yield hits(Stage.LEXICAL);
      if (request.query === "break") throw new HeadwaterError(broken);
      yield hits(Stage.FUSED);
      yield hits(Stage.RERANKED);
      yield { event: { $case: "summary", value: summary } };
    },
  };
}
