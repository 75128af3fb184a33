import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readSettings } from "@headwater/settings";
import { ElasticConnection } from "../elastic-connection.ts";
import type { ElasticOptions } from "../elastic-options.ts";
import { elasticSettings, readElasticOptions } from "../elastic-options.ts";

export interface ElasticRequest {
  readonly path: string;
  /** Of a bulk request: its lines. */
  readonly lines: readonly string[];
}

export interface ElasticAnswer {
  readonly status?: number;
  readonly body: unknown;
}

/** Answers as a test says, in the form of Elasticsearch: for what a real one does only when it is in trouble. */
export class ScriptedElastic {
  readonly requests: ElasticRequest[] = [];
  readonly connection: ElasticConnection;
  readonly options: ElasticOptions;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(server: ReturnType<typeof createServer>, options: ElasticOptions) {
    this.#server = server;
    this.options = options;
    this.connection = new ElasticConnection(options);
  }

  /** @param answer undefined: none ever comes */
  static async start(
    answer: (request: ElasticRequest, number: number) => ElasticAnswer | undefined,
  ): Promise<ScriptedElastic> {
    const server = createServer(async (request, response) => {
      const body = (await Array.fromAsync(request)).join("");
      const asked = { path: request.url ?? "", lines: body.split("\n").filter((line) => line !== "") };
      scripted.requests.push(asked);
      const answered = answer(asked, scripted.requests.length);
      if (!answered) return;
      const headers = { "content-type": "application/json", "x-elastic-product": "Elasticsearch" };
      response.writeHead(answered.status ?? 200, headers).end(JSON.stringify(answered.body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = readElasticOptions(readSettings(elasticSettings, { HEADWATER_ELASTICSEARCH_URL: url }));
    if (!options) throw new TypeError("an address was given");
    const scripted = new ScriptedElastic(server, options);
    return scripted;
  }

  async stop(): Promise<void> {
    await this.connection.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
