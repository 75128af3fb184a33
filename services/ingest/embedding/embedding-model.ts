import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";

/** What ingest has to know of the model that makes the vectors. */
export interface EmbeddingModel {
  readonly name: string;
  readonly fingerprint: string;
  readonly dimensions: number;
  readonly maxTokens: number;
  /** So that chunks are counted in the model's own tokens. */
  readonly tokenizerJson: Uint8Array;
}

/** Milliseconds for one of the two calls. */
const callTimeoutMs = 10_000;

/** @throws HeadwaterError UNAVAILABLE while the embedding-worker is not there */
export async function describeModel(
  client: RpcClient<EmbeddingServiceDefinition>,
  signal: AbortSignal,
): Promise<EmbeddingModel> {
  const description = await client.call.describe({}, inTime(signal));
  const tokenizer = await client.call.getTokenizer({}, inTime(signal));
  return {
    name: description.model,
    fingerprint: description.fingerprint,
    dimensions: description.dimensions,
    maxTokens: description.maxTokens,
    tokenizerJson: tokenizer.tokenizerJson,
  };
}

/** Fingerprint only: cheap enough to be asked before each stream. */
export async function describeFingerprint(
  client: RpcClient<EmbeddingServiceDefinition>,
  signal: AbortSignal,
): Promise<string> {
  const { fingerprint } = await client.call.describe({}, inTime(signal));
  return fingerprint;
}

function inTime(signal: AbortSignal): { signal: AbortSignal; deadline: Date } {
  return { signal, deadline: new Date(Date.now() + callTimeoutMs) };
}
