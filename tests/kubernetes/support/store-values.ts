import type { RealServers } from "../../support/real-servers.ts";
import type { Namespace } from "./cluster.ts";

/** Key of the secret that `storeValues` makes. */
const secretName = "stores";

/**
 * Values of the chart that point an installation at stores outside of the cluster, in a corner of its own of each.
 *
 * @param environment addresses as pods reach them: not loopback
 */
export async function storeValues(
  namespace: Namespace,
  environment: RealServers["environment"],
): Promise<Record<string, object>> {
  const setting = (name: string) => environment[`HEADWATER_${name}`] ?? "";
  await namespace.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: secretName },
    stringData: {
      "secret-key": setting("S3_SECRET_KEY"),
      // The servers of tests ask for none, and take any.
      password: setting("POSTGRES_PASSWORD") || "any",
    },
  });
  const outside = { inCluster: { enabled: false } };
  return {
    kafka: {
      ...outside,
      brokers: setting("KAFKA_BROKERS"),
      topic: setting("KAFKA_TOPIC"),
      consumerGroup: setting("INGEST_GROUP"),
      partitions: 4,
    },
    elasticsearch: { ...outside, url: setting("ELASTICSEARCH_URL") },
    qdrant: { ...outside, url: setting("QDRANT_URL") },
    redis: { ...outside, url: setting("REDIS_URL") },
    postgresql: { ...outside, url: setting("POSTGRES_URL"), existingSecret: secretName },
    s3: {
      ...outside,
      endpoint: setting("S3_ENDPOINT"),
      bucket: setting("S3_BUCKET"),
      createBucket: true,
      accessKeyId: setting("S3_ACCESS_KEY_ID"),
      existingSecret: secretName,
    },
    settings: {
      HEADWATER_ELASTICSEARCH_PREFIX: setting("ELASTICSEARCH_PREFIX"),
      HEADWATER_QDRANT_PREFIX: setting("QDRANT_PREFIX"),
      HEADWATER_REDIS_PREFIX: setting("REDIS_PREFIX"),
    },
  };
}
