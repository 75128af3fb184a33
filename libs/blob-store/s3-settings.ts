import { choice, flag, integer, readPemFile, readSecret, text } from "@headwater/settings";

const isHttpUrl = (url: string) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);

/** A service spreads these into its settings. */
export const blobStoreSettings = {
  HEADWATER_S3_BUCKET: text()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "not the name of a bucket")
    .optional()
    .describe("Bucket for the originals of documents; unset: a folder under HEADWATER_DATA_DIR"),
  HEADWATER_S3_PREFIX: text()
    .regex(/^([A-Za-z0-9_-]+\/){0,8}$/, "must be parts of [A-Za-z0-9_-], each ended by /")
    .default("")
    .describe(
      "What every key in the bucket begins with, such as `headwater/`, so that others may use the bucket too",
    ),
  HEADWATER_S3_ENDPOINT: text()
    .refine(isHttpUrl, "not an http address")
    .optional()
    .describe("Address of a server that speaks S3, such as http://minio:9000; unset: AWS in the region"),
  HEADWATER_S3_PUBLIC_ENDPOINT: text()
    .refine(isHttpUrl, "not an http address")
    .optional()
    .describe(
      "Address of the same under which people reach it: they then send and fetch originals there, past the gateway (presigned addresses; browsers need a CORS rule on the bucket). Unset: all bytes go through the gateway",
    ),
  HEADWATER_S3_CA_FILE: text()
    .optional()
    .describe(
      "File with the authority (PEM) that signed the certificate of HEADWATER_S3_ENDPOINT; unset: those that Node knows",
    ),
  HEADWATER_S3_REGION: text().default("us-east-1").describe("Region of the bucket"),
  HEADWATER_S3_PATH_STYLE: flag()
    .optional()
    .describe("Name the bucket in the path and not in the host; unset: where HEADWATER_S3_ENDPOINT is set"),
  HEADWATER_S3_ACCESS_KEY_ID: text()
    .optional()
    .describe(
      "Access key; unset: as AWS's own tools find it (AWS_ACCESS_KEY_ID, shared files, web identity of the service account, instance)",
    ),
  HEADWATER_S3_SECRET_KEY: text().optional().describe("Secret of the access key"),
  HEADWATER_S3_SECRET_KEY_FILE: text().optional().describe("File with the secret of the access key"),
  HEADWATER_S3_CREATE_BUCKET: flag()
    .default(false)
    .describe("Make the bucket at the start where it is not there"),
  HEADWATER_S3_ENCRYPTION: choice(["bucket", "AES256", "aws:kms"])
    .default("bucket")
    .describe("Encryption at rest: as the bucket does by itself, or asked for with each blob"),
  HEADWATER_S3_KMS_KEY: text().optional().describe("Key for aws:kms; unset: the one of the account"),
  HEADWATER_S3_TIMEOUT_MS: integer(100, 600_000)
    .default(30_000)
    .describe("Longest silence of S3 in milliseconds; beyond it a call has failed and is tried again"),
};

/** The values of these settings, as `readSettings` gives them. */
export interface BlobStoreValues {
  readonly HEADWATER_S3_BUCKET?: string | undefined;
  readonly HEADWATER_S3_PREFIX: string;
  readonly HEADWATER_S3_ENDPOINT?: string | undefined;
  readonly HEADWATER_S3_PUBLIC_ENDPOINT?: string | undefined;
  readonly HEADWATER_S3_CA_FILE?: string | undefined;
  readonly HEADWATER_S3_REGION: string;
  readonly HEADWATER_S3_PATH_STYLE?: boolean | undefined;
  readonly HEADWATER_S3_ACCESS_KEY_ID?: string | undefined;
  readonly HEADWATER_S3_SECRET_KEY?: string | undefined;
  readonly HEADWATER_S3_SECRET_KEY_FILE?: string | undefined;
  readonly HEADWATER_S3_CREATE_BUCKET: boolean;
  readonly HEADWATER_S3_ENCRYPTION: "bucket" | "AES256" | "aws:kms";
  readonly HEADWATER_S3_KMS_KEY?: string | undefined;
  readonly HEADWATER_S3_TIMEOUT_MS: number;
}

export interface S3BlobStoreOptions {
  readonly bucket: string;
  /** What every key begins with; "" or ended by "/". */
  readonly prefix: string;
  /** Undefined: AWS. */
  readonly endpoint: string | undefined;
  /** For presigned addresses; undefined: none are made. */
  readonly publicEndpoint: string | undefined;
  /** PEM; undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  readonly region: string;
  readonly pathStyle: boolean;
  /** Undefined: AWS's chain of providers. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly createBucket: boolean;
  /** Undefined: as the bucket does by itself. */
  readonly encryption: "AES256" | "aws:kms" | undefined;
  readonly kmsKey: string | undefined;
  /** Milliseconds of silence. */
  readonly timeoutMs: number;
}

/** @throws HeadwaterError FAILED_PRECONDITION where the file of the secret or of the authority cannot be read */
export function readS3Options(bucket: string, values: BlobStoreValues): S3BlobStoreOptions {
  const accessKeyId = values.HEADWATER_S3_ACCESS_KEY_ID;
  const secretAccessKey = readSecret(values, "HEADWATER_S3_SECRET_KEY");
  const { HEADWATER_S3_ENDPOINT: endpoint, HEADWATER_S3_ENCRYPTION: encryption } = values;
  return {
    bucket,
    prefix: values.HEADWATER_S3_PREFIX,
    endpoint,
    publicEndpoint: values.HEADWATER_S3_PUBLIC_ENDPOINT,
    ca: readPemFile(values, "HEADWATER_S3_CA_FILE"),
    region: values.HEADWATER_S3_REGION,
    pathStyle: values.HEADWATER_S3_PATH_STYLE ?? endpoint !== undefined,
    credentials:
      accessKeyId === undefined ? undefined : { accessKeyId, secretAccessKey: secretAccessKey ?? "" },
    createBucket: values.HEADWATER_S3_CREATE_BUCKET,
    encryption: encryption === "bucket" ? undefined : encryption,
    kmsKey: values.HEADWATER_S3_KMS_KEY,
    timeoutMs: values.HEADWATER_S3_TIMEOUT_MS,
  };
}
