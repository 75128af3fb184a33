import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";
import type { Environment } from "@headwater/settings";
import { readIngestConfig } from "../config.ts";
import { describeModel } from "../embedding/embedding-model.ts";
import { textsToEmbed } from "../pipeline/passages.ts";
import { createDocumentProcessor } from "../processor/document-processor.ts";

/**
 * What ingest has embedded of each plain text: an embed-only run that is to be compared with ingest has to be given the
 * same, overlaps of passages included.
 */
export async function embeddedTexts(
  documents: readonly string[],
  client: RpcClient<EmbeddingServiceDefinition>,
  environment: Environment,
): Promise<string[][]> {
  const { signal } = new AbortController();
  const { tokenizerJson, maxTokens } = await describeModel(client, signal);
  const { chunking, limits } = readIngestConfig(environment);
  const processor = await createDocumentProcessor({ tokenizerJson, maxTokens, chunking, limits });
  try {
    const embedded: string[][] = [];
    for (const document of documents) {
      const content = new TextEncoder().encode(document);
      const result = await processor.process({ content, mediaType: "text/plain", name: "" }, signal);
      if (!result.ok) throw result.error;
      const texts = textsToEmbed("", result.document);
      embedded.push(Array.from({ length: texts.length }, (_, place) => texts.text(place)));
    }
    return embedded;
  } finally {
    await processor.close();
  }
}
