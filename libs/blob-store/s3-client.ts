import { Agent } from "node:https";
import { S3Client } from "@aws-sdk/client-s3";
import { Dependency } from "@headwater/resilience";
import { fromS3, s3Action } from "./s3-error.ts";
import type { S3BlobStoreOptions } from "./s3-settings.ts";

/** How often the client itself tries a request that may pass. */
export const attempts = 3;
const connectTimeoutMs = 5000;
/** Connections of one client, as many as it would have of itself. */
const maxSockets = 50;

export function createS3Client(options: S3BlobStoreOptions): S3Client {
  const { endpoint, ca, region, pathStyle, credentials, timeoutMs } = options;
  return new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: pathStyle,
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: attempts,
    // Those that S3 asks for only: older servers refuse the newer checksums, and TLS protects the way.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      socketTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      // An agent, not its options: those the client forgets where it sends `Expect: 100-continue`.
      ...(ca === undefined ? {} : { httpsAgent: new Agent({ ca, keepAlive: true, maxSockets }) }),
    },
  });
}

/** What watches over the calls of such a client. */
export function createS3Dependency({ timeoutMs }: S3BlobStoreOptions): Dependency {
  return new Dependency({
    ...{ name: "S3", reason: "HW_S3_UNAVAILABLE", action: s3Action, toError: fromS3 },
    // The client tries by itself, and gives up a request that is silent for too long.
    timeoutMs: (attempts + 1) * (timeoutMs + connectTimeoutMs),
  });
}
