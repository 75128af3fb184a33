import { openBlobStore } from "@headwater/blob-store";
import { openDocumentLog } from "@headwater/document-log";
import { BackupLedger } from "@headwater/ingest/backup";
import { openPassageIndexStore } from "@headwater/passage-index";
import { openRecordStore } from "@headwater/record-store";
import { readStoreConfig } from "../store-config.ts";
import type { Finding } from "./finding.ts";
import { failedCheck, healthy } from "./finding.ts";

export interface ServerChecks {
  /** Hours after which the last backup is too old; undefined: its age is told and not judged. */
  readonly maxBackupAge: number | undefined;
}

const hourMs = 3_600_000;
/** What goes wrong in the background shows in the check itself. */
const ignore = () => {};

/**
 * Each server that keeps something, from here: it may answer the services and not this pod, or the other way round, and
 * then a policy or a secret differs. Embedded stores belong to the processes that have them open, and are left out.
 */
export async function checkServers({ maxBackupAge }: ServerChecks): Promise<Finding[]> {
  const { storeValues: values, partitions, pipeline } = readStoreConfig();
  const checks: [string, string | undefined, () => Promise<Finding[]>][] = [
    [
      "PostgreSQL",
      values.HEADWATER_POSTGRES_URL,
      () =>
        using(openRecordStore(values, { folder: "", schema: "ingest", onError: ignore }), async (store) => {
          await store.checkHealth();
          return [healthy("PostgreSQL", "answers"), await checkBackup(new BackupLedger(store), maxBackupAge)];
        }),
    ],
    [
      "S3",
      values.HEADWATER_S3_BUCKET,
      () =>
        using(openBlobStore(values, { folder: "" }), async (store) => {
          await store.checkHealth();
          return [healthy("S3", `bucket ${values.HEADWATER_S3_BUCKET} answers`)];
        }),
    ],
    [
      "Kafka",
      values.HEADWATER_KAFKA_BROKERS,
      () =>
        using(openDocumentLog(values, { folder: "", partitions, onError: ignore }), async (log) => {
          await log.checkHealth();
          const lag = await log.lag(pipeline.group);
          const behind = lag.map((one) => one.endOffset - one.committedOffset);
          const sum = behind.reduce((total, one) => total + one, 0);
          const most = Math.max(...behind);
          return [
            healthy("Kafka", `${lag.length} partitions`),
            healthy(
              "lag",
              `${sum} events of group ${pipeline.group} wait${sum > 0 ? `, at most ${most} in one partition` : ""}`,
            ),
          ];
        }),
    ],
    [
      "Elasticsearch and Qdrant",
      values.HEADWATER_ELASTICSEARCH_URL,
      () =>
        using(openPassageIndexStore(values, { folder: "", onError: ignore }), async (store) => {
          await store.checkHealth();
          return [healthy("Elasticsearch and Qdrant", "answer")];
        }),
    ],
  ];
  const findings = await Promise.all(
    checks.map(async ([name, address, check]) => {
      if (address === undefined) return [];
      try {
        return await check();
      } catch (thrown) {
        return [failedCheck(name, thrown)];
      }
    }),
  );
  return findings.flat();
}

async function checkBackup(ledger: BackupLedger, maxAge: number | undefined): Promise<Finding> {
  try {
    const last = await ledger.lastSuccess();
    const hours = last && (Date.now() - last.at) / hourMs;
    const isFine = maxAge === undefined || (hours !== undefined && hours <= maxAge);
    return {
      check: "backup",
      healthy: isFine,
      message: last ? `${last.name}, ${hours?.toFixed(1)} hours ago` : "none was ever taken",
      action: isFine ? "" : "Look at the last jobs of the backup's CronJob, or run `headwater backup`.",
    };
  } catch (thrown) {
    return failedCheck("backup", thrown);
  }
}

async function using<Store extends { close(): Promise<void> }, T>(
  opening: Promise<Store>,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await opening;
  return await work(store).finally(() => store.close());
}
