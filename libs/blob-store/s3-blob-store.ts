import { Readable } from "node:stream";
import type { BucketLocationConstraint, GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { HeadwaterError, status } from "@headwater/errors";
import type { CallOptions, Dependency } from "@headwater/resilience";
import { blobGone, checkKey } from "./blob-key.ts";
import type { BlobStore, PresignGetOptions, PresignPutOptions } from "./blob-store.ts";
import { piecesOf } from "./pieces.ts";
import { attempts, createS3Client, createS3Dependency } from "./s3-client.ts";
import { fromS3, isEmptyRange, isMissing } from "./s3-error.ts";
import { keyFromMetadata, keyOfName, longKeysFolder, namePrefix, s3Key } from "./s3-key.ts";
import { encryptionOf, S3Presigner } from "./s3-presigner.ts";
import type { S3BlobStoreOptions } from "./s3-settings.ts";
import { WatchedSource } from "./watched-source.ts";

const mebibyte = 1024 * 1024;
/** Of a multipart upload, which has at most 10,000 parts; memory is twice as much. What is smaller goes in one request. */
const partBytes = 8 * mebibyte;
const partsAtOnce = 2;
/** What `get` fetches before anybody reads: most documents whole, in the one request that tells that they are there. */
const firstBytes = mebibyte;
/** Milliseconds for what may take long and is watched for silence instead. */
const unlimitedMs = 2 ** 31 - 1;

/**
 * The production blob store: a bucket of S3, or of what speaks like it. Parts of uploads that a killed process left are
 * the bucket's to remove (a lifecycle rule with AbortIncompleteMultipartUpload).
 *
 * @throws HeadwaterError UNAVAILABLE where the bucket cannot be used
 */
export async function openS3BlobStore(options: S3BlobStoreOptions): Promise<BlobStore> {
  const store = new S3BlobStore(options);
  try {
    await store.findBucket();
    return store;
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

class S3BlobStore implements BlobStore {
  readonly #options: S3BlobStoreOptions;
  readonly #client: S3Client;
  readonly #presigner: S3Presigner | undefined;
  readonly #s3: Dependency;

  constructor(options: S3BlobStoreOptions) {
    this.#options = options;
    this.#client = createS3Client(options);
    const { publicEndpoint } = options;
    this.#presigner =
      publicEndpoint === undefined
        ? undefined
        : new S3Presigner(createS3Client({ ...options, endpoint: publicEndpoint }), options);
    this.#s3 = createS3Dependency(options);
  }

  /** @internal */
  async findBucket(): Promise<void> {
    const Bucket = this.#options.bucket;
    const isThere = await this.#call(async () => {
      try {
        await this.#client.send(new HeadBucketCommand({ Bucket }));
        return true;
      } catch (thrown) {
        if (isMissing(thrown)) return false;
        throw thrown;
      }
    });
    if (isThere) return;
    if (!this.#options.createBucket) throw bucketMissing(Bucket);
    const { region } = this.#options;
    await this.#call(async () => {
      try {
        // The region where S3 began is the one that must not be named.
        const LocationConstraint = region === "us-east-1" ? undefined : (region as BucketLocationConstraint);
        const place = LocationConstraint && { CreateBucketConfiguration: { LocationConstraint } };
        await this.#client.send(new CreateBucketCommand({ Bucket, ...place }));
      } catch (thrown) {
        // Another process was first.
        if (!(thrown instanceof Error && thrown.name === "BucketAlreadyOwnedByYou")) throw thrown;
      }
    });
  }

  async put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const target = { ...this.#objectOf(key), ...encryptionOf(this.#options) };
    if (content instanceof Uint8Array) {
      const request = { ...target, Body: content, ContentLength: content.byteLength };
      await this.#call(() => this.#client.send(new PutObjectCommand(request)));
      return;
    }
    const source = new WatchedSource(content);
    await this.#call(
      async () => {
        const Body = Readable.from(source, { highWaterMark: 1 });
        const upload = new Upload({
          ...{ client: this.#client, params: { ...target, Body } },
          ...{ partSize: partBytes, queueSize: partsAtOnce, leavePartsOnError: false },
        });
        try {
          await upload.done();
        } catch (thrown) {
          // S3 is not to blame.
          if (!source.failure) throw thrown;
        } finally {
          Body.destroy();
        }
      },
      { timeoutMs: unlimitedMs },
    );
    if (source.failure) throw source.failure.thrown;
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const object = this.#objectOf(key);
    const range = { Range: `bytes=0-${firstBytes - 1}` };
    const first = await this.#call(
      async () => {
        try {
          const answer = await this.#client.send(new GetObjectCommand({ ...object, ...range }));
          return { bytes: await bytesOf(answer), size: sizeFromRange(answer) };
        } catch (thrown) {
          if (isEmptyRange(thrown)) return { bytes: new Uint8Array(), size: 0 };
          if (isMissing(thrown)) return undefined;
          throw thrown;
        }
      },
      // What the client does not try again: an answer that breaks off.
      { attempts },
    );
    if (!first) return undefined;
    // Asked for when it is first read: an answer that nobody reads holds no connection. Whole, and not from where the
    // first bytes end: the blob may have been replaced meanwhile.
    return first.bytes.length >= first.size ? yielded(first.bytes) : this.#readWhole(object);
  }

  async size(key: string): Promise<number | undefined> {
    const object = this.#objectOf(key);
    return await this.#call(async () => {
      try {
        return (await this.#client.send(new HeadObjectCommand(object))).ContentLength ?? 0;
      } catch (thrown) {
        if (isMissing(thrown)) return undefined;
        throw thrown;
      }
    });
  }

  async delete(key: string): Promise<void> {
    const { Bucket, Key } = this.#objectOf(key);
    await this.#call(() => this.#client.send(new DeleteObjectCommand({ Bucket, Key })));
  }

  async *list(prefix: string): AsyncGenerator<string> {
    for await (const name of this.#names(namePrefix(prefix))) {
      const key = keyOfName(name);
      if (key?.startsWith(prefix)) yield key;
    }
    for await (const name of this.#names(longKeysFolder)) {
      const key = await this.#longKey(name);
      if (key?.startsWith(prefix)) yield key;
    }
  }

  async presignPut(key: string, options: PresignPutOptions) {
    return await this.#presigner?.put(this.#objectOf(key), options);
  }

  async presignGet(key: string, options: PresignGetOptions) {
    const { Bucket, Key } = this.#objectOf(key);
    return await this.#presigner?.get({ Bucket, Key }, options);
  }

  async checkHealth(): Promise<void> {
    const { bucket: Bucket } = this.#options;
    await this.#call(() => this.#client.send(new HeadBucketCommand({ Bucket })));
  }

  async close(): Promise<void> {
    this.#client.destroy();
    this.#presigner?.close();
  }

  async *#readWhole(object: { Bucket: string; Key: string }): AsyncGenerator<Uint8Array> {
    const { Body } = await this.#call(async () => {
      try {
        return await this.#client.send(new GetObjectCommand(object));
      } catch (thrown) {
        throw isMissing(thrown) ? blobGone(thrown) : thrown;
      }
    });
    try {
      for await (const bytes of Body as Readable) yield* piecesOf(bytes as Uint8Array);
    } catch (thrown) {
      throw fromS3(thrown);
    }
  }

  async *#names(prefix: string): AsyncGenerator<string> {
    const { bucket: Bucket, prefix: own } = this.#options;
    let ContinuationToken: string | undefined;
    do {
      const request = { Bucket, Prefix: own + prefix, ...(ContinuationToken ? { ContinuationToken } : {}) };
      const page = await this.#call(() => this.#client.send(new ListObjectsV2Command(request)));
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key.slice(own.length);
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken);
  }

  async #longKey(name: string): Promise<string | undefined> {
    const object = { Bucket: this.#options.bucket, Key: this.#options.prefix + name };
    return await this.#call(async () => {
      try {
        const { Metadata } = await this.#client.send(new HeadObjectCommand(object));
        return Metadata?.["key"] === undefined ? undefined : keyFromMetadata(Metadata["key"]);
      } catch (thrown) {
        // Deleted since it was listed.
        if (isMissing(thrown)) return undefined;
        throw thrown;
      }
    });
  }

  #objectOf(key: string) {
    checkKey(key);
    const { bucket, prefix } = this.#options;
    const { name, keyInMetadata } = s3Key(key, prefix.length);
    const metadata = keyInMetadata === undefined ? {} : { Metadata: { key: keyInMetadata } };
    return { Bucket: bucket, Key: prefix + name, ...metadata };
  }

  /** The client tries again by itself; what this adds is to fail at once while S3 is known to be away. */
  #call<T>(work: () => Promise<T>, options: CallOptions = {}): Promise<T> {
    return this.#s3.run(work, { attempts: 1, ...options });
  }
}

async function bytesOf({ Body }: GetObjectCommandOutput): Promise<Uint8Array> {
  return (await Body?.transformToByteArray()) ?? new Uint8Array();
}

/** Of the whole object, which "bytes 0-99/1234" tells; a server that ignores ranges sends all of it. */
function sizeFromRange({ ContentRange, ContentLength }: GetObjectCommandOutput): number {
  const total = /\/(\d+)$/.exec(ContentRange ?? "")?.[1];
  return total === undefined ? (ContentLength ?? 0) : Number(total);
}

async function* yielded(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* piecesOf(bytes);
}

function bucketMissing(bucket: string): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_S3_BUCKET_MISSING",
    message: `There is no bucket ${bucket}.`,
    action: "Make it, or set HEADWATER_S3_CREATE_BUCKET.",
  });
}
