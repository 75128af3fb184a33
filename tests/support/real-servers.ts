import { randomBytes } from "node:crypto";
import { makeDatabase, removeIndexes } from "@headwater/cli/bench/scratch";
import { bareKafka } from "@headwater/document-log/bench";
import type { QdrantDouble } from "@headwater/passage-index/qdrant-double";
import { startQdrantDouble } from "@headwater/passage-index/qdrant-double";

/** An installation's place on real servers, shared with nobody. */
export interface RealServers {
  /** As people would call it: "Kafka, Elasticsearch, a Qdrant double, …". */
  readonly name: string;
  /** Settings that point every store at them. */
  readonly environment: Record<string, string>;
  /** Undefined where there is an address of another. */
  readonly qdrantDouble: QdrantDouble | undefined;
  /** Removes what was made there, but for S3's bucket. */
  stop(): Promise<void>;
}

const variables = ["KAFKA_BROKERS", "ELASTICSEARCH_URL", "REDIS_URL", "POSTGRES_URL", "S3_ENDPOINT"] as const;
type Variable = (typeof variables)[number];

/** Servers that a whole installation needs, and the environment does not name. */
export function missingServers(): Variable[] {
  return variables.filter((variable) => !process.env[variable]);
}

/**
 * @param qdrantUrl undefined: a double in this process
 * @throws Error where a server is missing
 */
export async function useRealServers(qdrantUrl = process.env["QDRANT_URL"]): Promise<RealServers> {
  const prefix = `test-${randomBytes(5).toString("hex")}`;
  const qdrantDouble = qdrantUrl ? undefined : await startQdrantDouble();
  const database = await makeDatabase(address("POSTGRES_URL"), prefix.replace("-", "_"));
  const environment = {
    HEADWATER_KAFKA_BROKERS: address("KAFKA_BROKERS"),
    HEADWATER_KAFKA_TOPIC: prefix,
    // Of its own: where others got to in a shared one does not matter then.
    HEADWATER_INGEST_GROUP: prefix,
    HEADWATER_ELASTICSEARCH_URL: address("ELASTICSEARCH_URL"),
    HEADWATER_ELASTICSEARCH_PREFIX: prefix,
    HEADWATER_QDRANT_URL: qdrantDouble?.url ?? qdrantUrl ?? "",
    HEADWATER_QDRANT_PREFIX: prefix,
    HEADWATER_REDIS_URL: address("REDIS_URL"),
    HEADWATER_REDIS_PREFIX: `${prefix}:`,
    HEADWATER_POSTGRES_URL: database.url,
    HEADWATER_S3_ENDPOINT: address("S3_ENDPOINT"),
    HEADWATER_S3_BUCKET: prefix,
    HEADWATER_S3_CREATE_BUCKET: "true",
    HEADWATER_S3_ACCESS_KEY_ID: process.env["AWS_ACCESS_KEY_ID"] ?? "test",
    HEADWATER_S3_SECRET_KEY: process.env["AWS_SECRET_ACCESS_KEY"] ?? "test",
  };
  return {
    name: `Kafka, Elasticsearch, ${qdrantDouble ? "a Qdrant double" : "Qdrant"}, Redis, PostgreSQL, S3`,
    environment,
    qdrantDouble,
    async stop() {
      await bareKafka(address("KAFKA_BROKERS")).removeTopics(prefix);
      await removeIndexes(address("ELASTICSEARCH_URL"), prefix);
      await qdrantDouble?.stop();
      await database.drop();
    },
  };
}

function address(variable: Variable): string {
  const value = process.env[variable];
  if (!value) throw new Error(`${variable} is not set`);
  return value;
}
