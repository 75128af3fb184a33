import type { IngestConfig } from "@headwater/ingest/config";
import { readIngestConfig } from "@headwater/ingest/config";
import type { Environment } from "@headwater/settings";

/** Where the stores are, as ingest is told. This process serves nobody, so who may call it is not asked for. */
export function readStoreConfig(environment: Environment = process.env): IngestConfig {
  return readIngestConfig({
    ...environment,
    HEADWATER_TLS_DIR: undefined,
    HEADWATER_TLS_ALLOWED_CLIENTS: undefined,
  });
}
