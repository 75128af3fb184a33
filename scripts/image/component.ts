/** What becomes an image of its own: each service, and the `headwater` command for jobs, checks and backups. */
export interface Component {
  /** The image is `headwater-<name>`. */
  readonly name: string;
  /** Module that the image starts, from the root of the checkout. */
  readonly entry: string;
  readonly description: string;
  /** That it listens on in a cluster: its own, then the one for metrics and health. */
  readonly ports: readonly number[];
  /** Beside those of all images. */
  readonly environment: Readonly<Record<string, string>>;
}

const metricsPort = 9464;

function service(
  name: string,
  port: number,
  description: string,
  environment: Component["environment"] = {},
): Component {
  return { name, description, environment, entry: `services/${name}/main.ts`, ports: [port, metricsPort] };
}

export const components: readonly Component[] = [
  service("ingest", 7001, "Reads documents from the log, parses, chunks and indexes them"),
  service("embedding-worker", 7002, "Embeds and reranks passages with ONNX", {
    // What the measurement at a start finds on every CPU that was tried. It takes 1 to 2 s, and a container, which
    // keeps nothing, would repeat it at each start.
    HEADWATER_EMBEDDING_BATCH_TOKENS: "256",
  }),
  service("search", 7003, "Finds passages: BM25 and vectors side by side, fusion, rerank"),
  service("generation", 7004, "Writes cited answers, and keeps conversations, agents and jobs"),
  service("gateway", 8080, "HTTP, SSE, WebSocket, gRPC-Web and the page"),
  service("scaler", 7005, "Tells KEDA how many replicas the load needs"),
  {
    name: "cli",
    entry: "apps/cli/main.ts",
    description: "The headwater command: jobs, checks and backups inside a cluster",
    ports: [],
    environment: {},
  },
];

/**
 * Modules that no image holds, though code names them: the embedded stores, whose place servers take in a cluster, and
 * commands that run all of Headwater in one process. `importPart` says so where they are missing.
 */
export const leftOut: readonly string[] = [
  "libs/passage-index/lance-store.ts",
  "libs/record-store/pglite-record-store.ts",
  "apps/cli/stack/up.ts",
  "apps/cli/bench/bench.ts",
  "apps/cli/evaluation/evaluate.ts",
];

export function componentNamed(name: string): Component {
  const found = components.find((component) => component.name === name);
  if (found) return found;
  throw new Error(`no component "${name}": ${components.map((component) => component.name).join(", ")}`);
}
