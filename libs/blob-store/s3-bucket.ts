import type { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { Dependency } from "@headwater/resilience";
import { createS3Client, createS3Dependency } from "./s3-client.ts";
import { fromS3, isMissing } from "./s3-error.ts";
import type { BlobStoreValues, S3BlobStoreOptions } from "./s3-settings.ts";
import { readS3Options } from "./s3-settings.ts";

/** An object as a listing tells of it. */
export interface BucketObject {
  readonly key: string;
  /** Changes with the content; without quotes. */
  readonly etag: string;
}

/** An object that is being read. */
export interface BucketObjectContent {
  readonly etag: string;
  /** As whoever wrote it declared; may be empty. */
  readonly mediaType: string;
  readonly modified: Date | undefined;
  readonly content: AsyncIterable<Uint8Array>;
}

/** A page of a listing. */
export interface BucketPage {
  readonly objects: readonly BucketObject[];
  /** For the next page; undefined: this was the last. */
  readonly next: string | undefined;
}

/** Reads a bucket that belongs to others: unlike the blob store it has their keys, and writes nothing. */
export class S3Bucket {
  readonly #name: string;
  readonly #client: S3Client;
  readonly #s3: Dependency;

  constructor(options: S3BlobStoreOptions) {
    this.#name = options.bucket;
    this.#client = createS3Client(options);
    this.#s3 = createS3Dependency(options);
  }

  /**
   * Objects whose keys start with the prefix, a thousand at a time, in order of key.
   *
   * @param next of the page before
   * @throws HeadwaterError
   */
  async listPage(prefix: string, next: string | undefined, signal: AbortSignal): Promise<BucketPage> {
    const request = { Bucket: this.#name, Prefix: prefix, ...(next ? { ContinuationToken: next } : {}) };
    const send = (abortSignal: AbortSignal) =>
      this.#client.send(new ListObjectsV2Command(request), { abortSignal });
    const {
      Contents = [],
      IsTruncated,
      NextContinuationToken,
    } = await this.#s3.run(send, {
      ...{ signal, attempts: 1 },
    });
    return {
      objects: Contents.flatMap(({ Key, ETag }) =>
        Key === undefined ? [] : { key: Key, etag: withoutQuotes(ETag) },
      ),
      next: IsTruncated ? NextContinuationToken : undefined,
    };
  }

  /**
   * @returns undefined where there is no such object
   * @throws HeadwaterError also while the content is read
   */
  async read(key: string, signal: AbortSignal): Promise<BucketObjectContent | undefined> {
    const request = new GetObjectCommand({ Bucket: this.#name, Key: key });
    const send = async () => {
      try {
        // Not the signal of the attempt: it fires when the attempt is over, and the content is yet to be read.
        return await this.#client.send(request, { abortSignal: signal });
      } catch (thrown) {
        if (isMissing(thrown)) return undefined;
        throw thrown;
      }
    };
    const answer = await this.#s3.run(send, { signal, attempts: 1 });
    if (!answer) return undefined;
    return {
      etag: withoutQuotes(answer.ETag),
      mediaType: answer.ContentType ?? "",
      modified: answer.LastModified,
      content: contentOf(answer.Body as Readable),
    };
  }

  close(): void {
    this.#client.destroy();
  }
}

/** @throws HeadwaterError FAILED_PRECONDITION where the file of the secret cannot be read */
export function openS3Bucket(bucket: string, values: BlobStoreValues): S3Bucket {
  return new S3Bucket(readS3Options(bucket, values));
}

async function* contentOf(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (thrown) {
    throw fromS3(thrown);
  }
}

function withoutQuotes(etag: string | undefined): string {
  return (etag ?? "").replaceAll('"', "");
}
