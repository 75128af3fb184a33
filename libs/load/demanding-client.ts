import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";
import { estimateTokens } from "@headwater/text";
import type { EmbeddingDemand } from "./embedding-demand.ts";

/** Questions about the model hold no text, yet whoever asks them cannot go on without a worker. */
const questionTokens = 1;

/**
 * The same client, whose calls count as demand. Streams of passages do not: whoever sends them knows what else waits.
 */
export function demandingClient(
  client: RpcClient<EmbeddingServiceDefinition>,
  demand: EmbeddingDemand,
): RpcClient<EmbeddingServiceDefinition> {
  const { call } = client;
  return {
    ...client,
    call: {
      ...call,
      embedQuery: (request, options) =>
        demand.during("urgent", estimateTokens(request.text ?? ""), () => call.embedQuery(request, options)),
      rerank: (request, options) => {
        const texts = [request.query ?? "", ...(request.passages ?? [])];
        const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
        return demand.during("urgent", tokens, () => call.rerank(request, options));
      },
      describe: (request, options) =>
        demand.during("passages", questionTokens, () => call.describe(request, options)),
      getTokenizer: (request, options) =>
        demand.during("passages", questionTokens, () => call.getTokenizer(request, options)),
    },
  };
}
