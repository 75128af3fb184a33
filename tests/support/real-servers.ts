import { randomBytes } from "node:crypto";
import type { QdrantDouble } from "@headwater/passage-index/qdrant-double";
import { startQdrantDouble } from "@headwater/passage-index/qdrant-double";
import { openRecordStore, recordStoreSettings } from "@headwater/record-store";
import { readSettings } from "@headwater/settings";
import { Kafka, logLevel } from "kafkajs";

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
    // One that other tests were in would share its partitions with them.
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
      await removeTopics(address("KAFKA_BROKERS"), prefix);
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

async function makeDatabase(
  server: string,
  name: string,
): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const administer = async (sql: string) => {
    const values = readSettings(recordStoreSettings, { HEADWATER_POSTGRES_URL: server });
    const store = await openRecordStore(values, { folder: "", schema: "public" });
    try {
      await store.query(sql);
    } finally {
      await store.close();
    }
  };
  await administer(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(`DROP DATABASE ${name} WITH (FORCE)`) };
}

async function removeTopics(brokers: string, prefix: string): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } finally {
    await admin.disconnect();
  }
}

/** One by one: servers refuse to delete by a pattern. */
async function removeIndexes(url: string, prefix: string): Promise<void> {
  const response = await fetch(`${url}/_cat/indices/${prefix}*?h=index&format=json`);
  for (const { index } of (await response.json()) as { index: string }[])
    await fetch(`${url}/${index}`, { method: "DELETE" });
}
