import { join } from "node:path";
import type { BlobStoreValues } from "@headwater/blob-store";
import { blobStoreSettings } from "@headwater/blob-store";
import type { DocumentLogValues } from "@headwater/document-log";
import { documentLogSettings } from "@headwater/document-log";
import type { PassageIndexSettingValues } from "@headwater/passage-index";
import { passageIndexSettings } from "@headwater/passage-index";
import type { RecordStoreValues } from "@headwater/record-store";
import { recordStoreSettings } from "@headwater/record-store";
import type { RpcConfig, TlsConfig } from "@headwater/rpc";
import { readRpcConfig, readTlsConfig, rpcSettings, tlsSettings } from "@headwater/rpc";
import type { Environment } from "@headwater/settings";
import { address, integer, readSettings, text } from "@headwater/settings";
import type { ChunkingSettings, ProcessingLimits } from "./processor/document-processor.ts";
import {
  chunkingSettings,
  processingSettings,
  readChunkingSettings,
  readProcessingLimits,
} from "./processor/document-processor.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

export const ingestSettings = {
  HEADWATER_INGEST_LISTEN: address().default("127.0.0.1:7001").describe("host:port that ingest listens on"),
  HEADWATER_EMBEDDING_ADDRESS: address()
    .default("127.0.0.1:7002")
    .describe("host:port of the embedding-worker"),
  HEADWATER_DATA_DIR: text().default("./data").describe("Folder for everything that is kept"),
  HEADWATER_INGEST_GROUP: text()
    .regex(/^[A-Za-z0-9._-]{1,128}$/, "must be 1 to 128 of [A-Za-z0-9._-]")
    .default("ingest")
    .describe("Consumer group in the document log; another name reads the whole log again"),
  HEADWATER_INGEST_PARTITIONS: integer(1, 8192)
    .optional()
    .describe(
      "Partitions of a new document log, 8 where unset; an existing log keeps its number, and another is refused",
    ),
  HEADWATER_INGEST_MAX_DOCUMENT_BYTES: integer(1, 4096 * mebibyte)
    .default(64 * mebibyte)
    .describe("Largest original in bytes; a larger one is refused with HW_DOCUMENT_TOO_LARGE"),
  HEADWATER_INGEST_MAX_LAG: integer(1, 100_000_000)
    .default(1_000_000)
    .describe(
      "Events in the log and not yet done beyond which pushes wait; bounds the disk that a backlog takes",
    ),
  HEADWATER_INGEST_MAX_IN_FLIGHT_DOCUMENTS: integer(1, 100_000)
    .default(512)
    .describe(
      "Documents between the log and the indexes at one time; more make better batches and need memory",
    ),
  HEADWATER_INGEST_MAX_IN_FLIGHT_BYTES: integer(64 * kibibyte, 16_384 * mebibyte)
    .default(64 * mebibyte)
    .describe(
      "Bytes of originals between the log and the indexes at one time; memory is about five times as much. A larger document goes alone",
    ),
  HEADWATER_INGEST_EMBED_BATCH: integer(1, 512)
    .default(64)
    .describe("Passages in one request to the embedding-worker"),
  HEADWATER_INGEST_EMBED_REQUESTS: integer(1, 64)
    .default(4)
    .describe("Requests to the embedding-worker that may be unanswered at one time; with 1 the worker idles"),
  HEADWATER_INGEST_INDEX_BATCH: integer(1, 65_536)
    .default(1024)
    .describe("Passages in one commit to the indexes; a document is never split, so a large one goes beyond"),
  HEADWATER_INGEST_INDEX_LINGER_MS: integer(0, 60_000)
    .default(1000)
    .describe(
      "Longest wait in milliseconds for more documents before a commit to the indexes, while more are coming; a document that comes alone does not wait",
    ),
  ...chunkingSettings,
  ...processingSettings,
  ...documentLogSettings,
  ...passageIndexSettings,
  ...recordStoreSettings,
  ...blobStoreSettings,
  ...rpcSettings,
  ...tlsSettings,
};

/** Where the stores are. */
export type StoreValues = DocumentLogValues & PassageIndexSettingValues & RecordStoreValues & BlobStoreValues;

export interface PipelineSettings {
  readonly group: string;
  readonly maxInFlightDocuments: number;
  readonly maxInFlightBytes: number;
  readonly embedBatch: number;
  readonly embedRequests: number;
  readonly indexBatch: number;
  readonly indexLingerMs: number;
  /** Bytes; a blob that a producer put itself may be larger than what Push lets in. */
  readonly maxDocumentBytes: number;
}

export interface PushSettings {
  readonly maxDocumentBytes: number;
  readonly maxLag: number;
}

export interface IngestConfig {
  readonly listen: string;
  readonly rpc: RpcConfig;
  /** undefined: plain text. */
  readonly tls: TlsConfig | undefined;
  readonly embeddingAddress: string;
  /** Of the stores that have no server. */
  readonly folders: {
    readonly log: string;
    readonly index: string;
    readonly blobs: string;
    readonly records: string;
  };
  readonly storeValues: StoreValues;
  /** Undefined: as the log has them. */
  readonly partitions: number | undefined;
  readonly push: PushSettings;
  readonly pipeline: PipelineSettings;
  readonly chunking: ChunkingSettings;
  readonly limits: ProcessingLimits;
}

/** @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID */
export function readIngestConfig(env?: Environment): IngestConfig {
  const values = readSettings(ingestSettings, env);
  const data = values.HEADWATER_DATA_DIR;
  return {
    listen: values.HEADWATER_INGEST_LISTEN,
    rpc: readRpcConfig(values),
    tls: readTlsConfig(values),
    embeddingAddress: values.HEADWATER_EMBEDDING_ADDRESS,
    folders: {
      log: join(data, "log"),
      index: join(data, "index"),
      blobs: join(data, "blobs"),
      records: join(data, "ingest"),
    },
    storeValues: values,
    partitions: values.HEADWATER_INGEST_PARTITIONS,
    push: {
      maxDocumentBytes: values.HEADWATER_INGEST_MAX_DOCUMENT_BYTES,
      maxLag: values.HEADWATER_INGEST_MAX_LAG,
    },
    pipeline: {
      group: values.HEADWATER_INGEST_GROUP,
      maxInFlightDocuments: values.HEADWATER_INGEST_MAX_IN_FLIGHT_DOCUMENTS,
      maxInFlightBytes: values.HEADWATER_INGEST_MAX_IN_FLIGHT_BYTES,
      embedBatch: values.HEADWATER_INGEST_EMBED_BATCH,
      embedRequests: values.HEADWATER_INGEST_EMBED_REQUESTS,
      indexBatch: values.HEADWATER_INGEST_INDEX_BATCH,
      indexLingerMs: values.HEADWATER_INGEST_INDEX_LINGER_MS,
      maxDocumentBytes: values.HEADWATER_INGEST_MAX_DOCUMENT_BYTES,
    },
    chunking: readChunkingSettings(values),
    limits: readProcessingLimits(values),
  };
}
