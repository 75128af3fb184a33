import { runService } from "@headwater/service";
import { readEmbeddingWorkerConfig } from "./config.ts";
import { startEmbeddingWorker } from "./server.ts";

await runService("embedding-worker", (telemetry) =>
  startEmbeddingWorker(readEmbeddingWorkerConfig(), telemetry),
);
