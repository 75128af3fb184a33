import { randomBytes } from "node:crypto";
import { bareKafka } from "@headwater/document-log/bench";
import type { Environment } from "@headwater/settings";
import { findServers, makeDatabase, removeCollections, removeIndexes } from "./scratch.ts";

/** Setting, and the variable that the suites on real servers read. */
const needed = {
  HEADWATER_KAFKA_BROKERS: "KAFKA_BROKERS",
  HEADWATER_ELASTICSEARCH_URL: "ELASTICSEARCH_URL",
  HEADWATER_QDRANT_URL: "QDRANT_URL",
  HEADWATER_POSTGRES_URL: "POSTGRES_URL",
  HEADWATER_S3_ENDPOINT: "S3_ENDPOINT",
} as const;

/** A topic, indexes, a bucket and a database of a bench's own, on servers that may have others. */
export interface BenchServers {
  readonly environment: Record<string, string>;
  readonly brokers: string;
  readonly topic: string;
  /** Removes all of it, but for the bucket. */
  remove(): Promise<void>;
}

/** @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID where the environment does not name the servers */
export async function useBenchServers(environment: Environment): Promise<BenchServers> {
  const servers = findServers(environment, needed);
  const name = `bench-${randomBytes(5).toString("hex")}`;
  const database = await makeDatabase(servers.HEADWATER_POSTGRES_URL, name.replace("-", "_"));
  const brokers = servers.HEADWATER_KAFKA_BROKERS;
  return {
    ...{ brokers, topic: name },
    environment: {
      ...servers,
      HEADWATER_POSTGRES_URL: database.url,
      HEADWATER_KAFKA_TOPIC: name,
      // Of its own: where others got to in a shared one does not matter then.
      HEADWATER_INGEST_GROUP: name,
      HEADWATER_ELASTICSEARCH_PREFIX: name,
      HEADWATER_QDRANT_PREFIX: name,
      HEADWATER_S3_BUCKET: name,
      HEADWATER_S3_CREATE_BUCKET: "true",
    },
    async remove() {
      await bareKafka(brokers).removeTopics(name);
      await removeIndexes(servers.HEADWATER_ELASTICSEARCH_URL, name);
      await removeCollections(servers.HEADWATER_QDRANT_URL, name);
      await database.drop();
    },
  };
}
