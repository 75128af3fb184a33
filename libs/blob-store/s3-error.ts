import { S3ServiceException } from "@aws-sdk/client-s3";
import { HeadwaterError, isTlsFault, status } from "@headwater/errors";

/** True where there is no such blob. Of a bucket that is gone S3 says the same to HEAD, which has no body. */
export function isMissing(thrown: unknown): boolean {
  return (
    thrown instanceof S3ServiceException &&
    thrown.$metadata.httpStatusCode === 404 &&
    thrown.name !== "NoSuchBucket"
  );
}

/** True for a range of an object without bytes. */
export function isEmptyRange(thrown: unknown): boolean {
  return thrown instanceof S3ServiceException && thrown.$metadata.httpStatusCode === 416;
}

/** What the client of S3 threw, as a HeadwaterError. What an operator can mend is UNAVAILABLE too: work goes on then. */
export function fromS3(thrown: unknown): HeadwaterError {
  if (thrown instanceof HeadwaterError) return thrown;
  const httpStatus = thrown instanceof S3ServiceException ? thrown.$metadata.httpStatusCode : undefined;
  const name = thrown instanceof Error ? thrown.name : "";
  if (name === "NoSuchBucket")
    return unavailable(
      "HW_S3_BUCKET_MISSING",
      "The bucket is not there.",
      "Make it, or set HEADWATER_S3_CREATE_BUCKET.",
      thrown,
    );
  if (httpStatus === 403 || httpStatus === 401 || name === "CredentialsProviderError") {
    const action =
      "Check the access key and its rights: get, put, delete and list, and to abort multipart uploads.";
    return unavailable("HW_S3_FORBIDDEN", "S3 refused the credentials, or there are none.", action, thrown);
  }
  if (httpStatus === 429 || name === "SlowDown") {
    return new HeadwaterError({
      ...{ code: status.RESOURCE_EXHAUSTED, reason: "HW_S3_BUSY", retryAfterMs: 1000, cause: thrown },
      ...{ message: "S3 asks for fewer requests.", action: "Try again." },
    });
  }
  // A request that S3 takes for wrong is a mistake in here.
  if (httpStatus !== undefined && httpStatus >= 400 && httpStatus < 500 && httpStatus !== 408) {
    return new HeadwaterError({
      ...{ code: status.INTERNAL, reason: "HW_S3_FAILED", cause: thrown },
      message: `S3 refused a request (${name}).`,
      action: "Look at the cause in the log; the server may lack a part of S3 that is needed.",
    });
  }
  if (isTlsFault(thrown)) {
    const action = "Check the server's certificate, HEADWATER_S3_ENDPOINT and HEADWATER_S3_CA_FILE.";
    return unavailable("HW_S3_TLS_FAILED", "TLS with S3 could not be set up.", action, thrown);
  }
  return unavailable("HW_S3_UNAVAILABLE", "S3 cannot be reached.", s3Action, thrown);
}

export const s3Action = "Check that it runs and that HEADWATER_S3_ENDPOINT is right; work goes on by itself.";

function unavailable(
  reason: `HW_${string}`,
  message: string,
  action: string,
  cause: unknown,
): HeadwaterError {
  return new HeadwaterError({ code: status.UNAVAILABLE, reason, message, action, cause });
}
