import { hash } from "node:crypto";
import type { Schemas } from "@qdrant/js-client-rest";
import type { GenerationDescription } from "./engine.ts";
import type { QdrantLayout } from "./qdrant-options.ts";

/** Of the points' payload and ids; a collection of another is passed over. */
const format = 1;

/** What stands in the metadata of a collection, so that the data and what it was made with cannot part. */
export interface CollectionMetadata extends GenerationDescription {
  readonly format: typeof format;
  /** Whose collection it is; undefined: the one of all other tenants. */
  readonly tenant?: string;
  /** Tenants of the generation with a collection of their own: readers and writers follow this, not their settings. */
  readonly largeTenants: readonly string[];
}

export function sharedCollection(prefix: string, generation: string): string {
  return `${prefix}-${generation}`;
}

/** A hash, as a tenant's name may hold what a collection's may not. */
export function tenantCollection(prefix: string, generation: string, tenant: string): string {
  return `${sharedCollection(prefix, generation)}--${hash("sha256", tenant).slice(0, 16)}`;
}

export function collectionName(prefix: string, { generation, tenant }: CollectionMetadata): string {
  return tenant === undefined
    ? sharedCollection(prefix, generation)
    : tenantCollection(prefix, generation, tenant);
}

/**
 * There is one graph, with further edges (payload_m) between points of a tenant, or in a tenant's own collection between
 * points that share an attribute: a filter then cuts no graph into pieces. As every search names a tenant, the graph of
 * all can be left out (m 0), which builds sooner where there are many tenants. That is not the default: on servers up to
 * 1.15 such graphs were seen to lose recall after much writing (qdrant/qdrant#7147).
 */
export function collectionConfig(
  { generation, fingerprint, dimensions }: GenerationDescription,
  layout: QdrantLayout,
  largeTenants: readonly string[],
  tenant?: string,
): Schemas["CreateCollection"] {
  const { hnswM, hnswEfConstruct: ef_construct, quantization, shards } = layout;
  const apart = tenant === undefined && layout.tenantGraphs;
  const metadata: CollectionMetadata = {
    ...{ format, generation, fingerprint, dimensions, largeTenants },
    ...(tenant !== undefined && { tenant }),
  };
  return {
    vectors: { size: dimensions, distance: "Cosine", on_disk: layout.vectorsOnDisk },
    hnsw_config: { m: apart ? 0 : hnswM, payload_m: hnswM, ef_construct },
    ...(quantization && {
      quantization_config: { scalar: { type: "int8", quantile: 0.99, always_ram: true } },
    }),
    ...(shards !== undefined && { shard_number: shards }),
    replication_factor: layout.replicas,
    write_consistency_factor: Math.min(layout.writeConsistency, layout.replicas),
    on_disk_payload: true,
    metadata: { headwater: metadata },
  };
}

/** What `collectionConfig` put there; undefined where the collection is not Headwater's, or of another format. */
export function readMetadata({ config }: Schemas["CollectionInfo"]): CollectionMetadata | undefined {
  const metadata = config.metadata?.["headwater"] as CollectionMetadata | undefined;
  return metadata?.format === format ? metadata : undefined;
}

/** Fields of the payload that filters name. Made before the first point, so that graphs know of them. */
export function payloadIndexes(
  own: boolean,
): readonly (readonly [field: string, schema: Schemas["PayloadSchemaParams"]])[] {
  const keyword = { type: "keyword", enable_hnsw: false } as const;
  const integer = { type: "integer", enable_hnsw: false } as const;
  return [
    ["tenant", own ? keyword : { type: "keyword", is_tenant: true }],
    ["documentId", keyword],
    ["attributes", { type: "keyword", enable_hnsw: own }],
    ["mediaType", keyword],
    ["observedAt", integer],
    ["revision", integer],
    ["visible", { type: "bool", enable_hnsw: false }],
  ];
}
