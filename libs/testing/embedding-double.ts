import { HeadwaterError, status } from "@headwater/errors";
import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcContext } from "@headwater/rpc";
import type { ServiceImplementation } from "nice-grpc";

const maxTokens = 16;

/** Vectors of two numbers, whose first is the length of the text in words as a share of 16; a word is a token. */
export function embeddingDouble(): ServiceImplementation<EmbeddingServiceDefinition, RpcContext> {
  const embeddingOf = (text: string) => {
    const tokens = text.split(/\s+/).length;
    const cosine = Math.min(tokens, maxTokens) / maxTokens;
    const vector = Float32Array.from([cosine, Math.sqrt(1 - cosine ** 2)]);
    const truncated = tokens > maxTokens;
    return {
      vector: Buffer.from(vector.buffer),
      tokens: Math.min(tokens, maxTokens),
      truncated,
      cached: false,
    };
  };
  const notCalled = async (): Promise<never> => {
    throw new HeadwaterError({
      code: status.UNIMPLEMENTED,
      reason: "HW_METHOD_UNKNOWN",
      message: "The double has no such method.",
      action: "",
    });
  };
  return {
    async *embed(requests) {
      for await (const { sequence, texts } of requests)
        yield { sequence, embeddings: texts.map(embeddingOf), timings: undefined };
    },
    async describe() {
      return { model: "tiny", fingerprint: "abc", dimensions: 2, maxTokens, reranker: "late-interaction" };
    },
    embedQuery: notCalled,
    rerank: notCalled,
    getTokenizer: notCalled,
  };
}
