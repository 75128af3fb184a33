import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";

const textsPerRequest = 64;

/** Embeds texts over one stream, and leaves the cache alone. */
export async function embedOnly(
  client: RpcClient<EmbeddingServiceDefinition>,
  texts: readonly string[],
): Promise<void> {
  const requests = async function* () {
    for (let at = 0; at < texts.length; at += textsPerRequest) {
      yield { sequence: at, texts: texts.slice(at, at + textsPerRequest), skipCache: true };
    }
  };
  for await (const _ of client.call.embed(requests()));
}
