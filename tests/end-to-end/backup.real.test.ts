import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { BlobStore } from "@headwater/blob-store";
import { blobStoreSettings, openBlobStore } from "@headwater/blob-store";
import { readSettings } from "@headwater/settings";
import { temporaryFolder } from "@headwater/testing";
import { missingServers, useRealServers } from "../support/real-servers.ts";
import { backupSuite } from "./backup-suite.ts";

const missing = missingServers();
if (missing.length > 0) test(`LEFT OUT: ${missing.join(", ")} not set`, { skip: true }, () => {});
else
  backupSuite("Kafka, Elasticsearch, Qdrant, PostgreSQL and S3", async () => {
    const bucket = `backups-${randomBytes(5).toString("hex")}`;
    const openBucket = (environment: Record<string, string>): Promise<BlobStore> =>
      openBlobStore(readSettings(blobStoreSettings, environment), { folder: "" });
    let s3: Record<string, string> = {};
    return {
      destination: `s3://${bucket}/headwater/`,
      openDestination: () =>
        openBucket({ ...s3, HEADWATER_S3_BUCKET: bucket, HEADWATER_S3_PREFIX: "headwater/" }),
      online: true,
      servers: ["PostgreSQL", "S3", "Kafka", "lag", "Elasticsearch and Qdrant", "backup"],
      async newPlace() {
        const servers = await useRealServers();
        s3 = servers.environment;
        return {
          dataFolder: await temporaryFolder(),
          environment: servers.environment,
          async destroy() {
            await servers.stop();
            const originals = await openBucket(servers.environment);
            for (const key of await Array.fromAsync(originals.list(""))) await originals.delete(key);
            await originals.close();
          },
        };
      },
    };
  });
