import { importPart } from "@headwater/errors";
import { invalidSetting } from "@headwater/settings";
import type { ElasticSettingValues } from "./elastic-options.ts";
import { elasticSettings, readElasticOptions } from "./elastic-options.ts";
import { openElasticStore } from "./elastic-store.ts";
import { PairedStore } from "./paired-store.ts";
import type { PassageIndexStore } from "./passage-index.ts";
import type { QdrantSettingValues } from "./qdrant-options.ts";
import { qdrantSettings, readQdrantOptions } from "./qdrant-options.ts";
import { openQdrantStore } from "./qdrant-store.ts";

/** For a service to spread into its settings. */
export const passageIndexSettings = { ...elasticSettings, ...qdrantSettings };

export type PassageIndexSettingValues = ElasticSettingValues & QdrantSettingValues;

export interface PassageIndexStoreOptions {
  /** Of the embedded index. */
  readonly folder: string;
  /** True: writes are refused. */
  readonly readOnly?: boolean;
  /** Told of what went wrong in the background and is tried again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Elasticsearch and Qdrant as one index where both have an address, else LanceDB in the process.
 *
 * @throws HeadwaterError FAILED_PRECONDITION: HW_SETTINGS_INVALID where only one of them has an address,
 *   HW_LEFT_OUT where none has and this is an image without LanceDB
 */
export async function openPassageIndexStore(
  values: PassageIndexSettingValues,
  { folder, readOnly = false, onError }: PassageIndexStoreOptions,
): Promise<PassageIndexStore> {
  const elastic = readElasticOptions(values);
  const qdrant = readQdrantOptions(values);
  if (!elastic && !qdrant) {
    const { openLancePassageIndexStore } = await importPart(
      "The embedded index",
      () => import("./lance-store.ts"),
      "Set HEADWATER_ELASTICSEARCH_URL and HEADWATER_QDRANT_URL.",
    );
    return openLancePassageIndexStore({ folder, readOnly, onError });
  }
  if (!elastic) throw alone("HEADWATER_ELASTICSEARCH_URL", "HEADWATER_QDRANT_URL");
  if (!qdrant) throw alone("HEADWATER_QDRANT_URL", "HEADWATER_ELASTICSEARCH_URL");
  return new PairedStore({
    ...{ lexical: openElasticStore(elastic), vector: openQdrantStore(qdrant), readOnly, onError },
  });
}

function alone(missing: string, present: string) {
  return invalidSetting(
    missing,
    `unset, while ${present} is set: the index needs both, or neither for the embedded one`,
  );
}
