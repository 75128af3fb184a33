import type { BlobStore } from "@headwater/blob-store";
import { blobStoreSettings, openBlobStore, openFolderBlobStore } from "@headwater/blob-store";
import type { Environment } from "@headwater/settings";
import { choice, flag, integer, invalidSetting, readSettings, text } from "@headwater/settings";

const s3Form = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(([A-Za-z0-9_-]+\/){0,8}))?$/;

/** What the commands `backup`, `backups` and `restore` read beside the settings of the stores. */
export const backupSettings = {
  HEADWATER_BACKUP_DESTINATION: text()
    .refine(
      (value) => s3Form.test(value) || !value.includes("://"),
      "must be a folder, or s3://bucket/ or s3://bucket/some/prefix/",
    )
    .optional()
    .describe(
      "Where backups are: a folder, or s3://bucket/prefix/, apart from the installation itself; one installation a destination",
    ),
  HEADWATER_BACKUP_RETENTION: integer(1, 10_000)
    .default(14)
    .describe(
      "Backups that are kept; older ones go once a newer one has succeeded, with the originals that only they need",
    ),
  HEADWATER_BACKUP_S3_ENDPOINT: blobStoreSettings.HEADWATER_S3_ENDPOINT.describe(
    "Address of the server of a destination s3://…; unset: as HEADWATER_S3_ENDPOINT",
  ),
  HEADWATER_BACKUP_S3_CA_FILE: text()
    .optional()
    .describe(
      "File with the authority (PEM) that signed its certificate; unset: as HEADWATER_S3_CA_FILE where the server is the same, else those that Node knows",
    ),
  HEADWATER_BACKUP_S3_REGION: text()
    .optional()
    .describe("Region of that bucket; unset: as HEADWATER_S3_REGION"),
  HEADWATER_BACKUP_S3_PATH_STYLE: flag()
    .optional()
    .describe("Name that bucket in the path and not in the host; unset: where its endpoint is set"),
  HEADWATER_BACKUP_S3_ACCESS_KEY_ID: text()
    .optional()
    .describe("Access key for that bucket; unset: as the originals are reached"),
  HEADWATER_BACKUP_S3_SECRET_KEY: text().optional().describe("Secret of that access key"),
  HEADWATER_BACKUP_S3_SECRET_KEY_FILE: text().optional().describe("File with the secret of that access key"),
  HEADWATER_BACKUP_S3_ENCRYPTION: choice(["bucket", "AES256", "aws:kms"])
    .default("bucket")
    .describe("Encryption at rest of backups: as their bucket does by itself, or asked for with each blob"),
  HEADWATER_BACKUP_S3_KMS_KEY: text()
    .optional()
    .describe("Key for aws:kms of backups; unset: the one of the account"),
};

export interface BackupConfig {
  /** As people name it. */
  readonly destination: string;
  readonly retention: number;
  openDestination(): Promise<BlobStore>;
}

/** What the command line says instead of the environment. */
export interface GivenBackupOptions {
  readonly destination?: string | undefined;
  readonly retention?: string | undefined;
}

/** @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID */
export function readBackupConfig(
  given: GivenBackupOptions,
  environment: Environment = process.env,
): BackupConfig {
  const env = {
    ...environment,
    ...(given.destination === undefined ? {} : { HEADWATER_BACKUP_DESTINATION: given.destination }),
    ...(given.retention === undefined ? {} : { HEADWATER_BACKUP_RETENTION: given.retention }),
  };
  const values = readSettings({ ...blobStoreSettings, ...backupSettings }, env);
  const { HEADWATER_BACKUP_DESTINATION: destination, HEADWATER_BACKUP_RETENTION: retention } = values;
  if (destination === undefined)
    throw invalidSetting(
      "HEADWATER_BACKUP_DESTINATION",
      "required: a folder or s3://bucket/prefix/, here or as --destination",
    );
  const s3 = s3Form.exec(destination);
  const endpoint = values.HEADWATER_BACKUP_S3_ENDPOINT ?? values.HEADWATER_S3_ENDPOINT;
  const isElsewhere = values.HEADWATER_BACKUP_S3_ENDPOINT !== undefined;
  const hasOwnKey = values.HEADWATER_BACKUP_S3_ACCESS_KEY_ID !== undefined;
  const place = {
    ...values,
    HEADWATER_S3_BUCKET: s3?.[1],
    HEADWATER_S3_PREFIX: s3?.[2] ?? "",
    HEADWATER_S3_ENDPOINT: endpoint,
    HEADWATER_S3_PUBLIC_ENDPOINT: undefined,
    HEADWATER_S3_CA_FILE:
      values.HEADWATER_BACKUP_S3_CA_FILE ?? (isElsewhere ? undefined : values.HEADWATER_S3_CA_FILE),
    HEADWATER_S3_REGION: values.HEADWATER_BACKUP_S3_REGION ?? values.HEADWATER_S3_REGION,
    HEADWATER_S3_PATH_STYLE: values.HEADWATER_BACKUP_S3_PATH_STYLE ?? endpoint !== undefined,
    HEADWATER_S3_ENCRYPTION: values.HEADWATER_BACKUP_S3_ENCRYPTION,
    HEADWATER_S3_KMS_KEY: values.HEADWATER_BACKUP_S3_KMS_KEY,
    ...(hasOwnKey && {
      HEADWATER_S3_ACCESS_KEY_ID: values.HEADWATER_BACKUP_S3_ACCESS_KEY_ID,
      HEADWATER_S3_SECRET_KEY: values.HEADWATER_BACKUP_S3_SECRET_KEY,
      HEADWATER_S3_SECRET_KEY_FILE: values.HEADWATER_BACKUP_S3_SECRET_KEY_FILE,
    }),
  };
  // Plain files, which may lie on a network file system and be copied by any tool.
  const openFolder = () => openFolderBlobStore({ folder: destination });
  const openBucket = () => openBlobStore(place, { folder: destination });
  return { destination, retention, openDestination: s3 ? openBucket : openFolder };
}
