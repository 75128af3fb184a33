import { HeadwaterError, status } from "@headwater/errors";
import type {
  EmbeddingServiceImplementation,
  EmbedRequest,
} from "@headwater/proto/services/headwater/v1/embedding";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcServer } from "@headwater/rpc";
import { startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";

export const fakeDimensions = 4;

/** Stands for the embedding-worker over real gRPC; vectors tell which text they belong to. */
export class FakeEmbeddingWorker {
  fingerprint = "model-1";
  tokenizerJson: Uint8Array = Buffer.from("{}");
  /** Texts that were embedded, in order. */
  readonly embedded: string[] = [];
  /** Sizes of the requests that were answered. */
  readonly requests: number[] = [];
  /** Told of each request before it is answered; may wait, or throw to break the stream. */
  onRequest: (request: EmbedRequest) => Promise<void> | void = () => {};
  #server: RpcServer | undefined;
  #address: string;

  /** @param address host:port to listen on */
  constructor(address = "127.0.0.1:0") {
    this.#address = address;
  }

  get address(): string {
    return this.#address;
  }

  /** On the address that it had before, if it was started before. */
  async start(): Promise<void> {
    this.#server = await startRpcServer({
      address: this.#address,
      definition: EmbeddingServiceDefinition,
      implementation: this.#implementation(),
      telemetry: silentTelemetry("embedding-worker"),
      checkReadiness: async () => {},
    });
    this.#address = this.#server.address;
  }

  async stop(): Promise<void> {
    await this.#server?.close(0);
  }

  #implementation(): EmbeddingServiceImplementation {
    const worker = this;
    const unused = async (): Promise<never> => {
      throw new HeadwaterError({
        code: status.UNIMPLEMENTED,
        reason: "HW_METHOD_UNKNOWN",
        message: "Not faked.",
      });
    };
    return {
      async *embed(requests) {
        for await (const request of requests) {
          await worker.onRequest(request);
          worker.embedded.push(...request.texts);
          worker.requests.push(request.texts.length);
          yield {
            sequence: request.sequence,
            embeddings: request.texts.map((text) => ({ vector: vectorOf(text) })),
          };
        }
      },
      embedQuery: unused,
      rerank: unused,
      describe: async () => ({
        ...{ model: "fake", fingerprint: worker.fingerprint },
        ...{ dimensions: fakeDimensions, maxTokens: 512 },
      }),
      getTokenizer: async () => ({ tokenizerJson: worker.tokenizerJson, fingerprint: worker.fingerprint }),
    };
  }
}

function vectorOf(text: string): Uint8Array {
  return new Uint8Array(Float32Array.from([text.length, text.charCodeAt(0) || 0, 0, 1]).buffer);
}
