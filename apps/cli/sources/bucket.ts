import type { S3Bucket } from "@headwater/blob-store";
import { blobStoreSettings, openS3Bucket } from "@headwater/blob-store";
import { invalidArgument } from "@headwater/errors";
import { readSettings } from "@headwater/settings";
import { sourceAttribute } from "../librarian/holdings.ts";
import type { Patiently } from "../librarian/patience.ts";
import type { Source, SourceItem } from "../librarian/source.ts";
import type { IgnoreRules } from "./ignore-rules.ts";

/** The attribute that holds what S3 tells a content by, so that objects need not be read to be compared. */
const etagAttribute = "etag";
/** What S3 says of objects that were written without a type. */
const unspecificType = "binary/octet-stream";

export interface BucketSourceOptions {
  readonly ignore: IgnoreRules;
  readonly patiently: Patiently;
}

/** True for what names a bucket and not a folder. */
export function isBucketAddress(place: string): boolean {
  return place.startsWith("s3://");
}

/**
 * A prefix of a bucket as a source. Ids are addresses: `s3://bucket/prefix/plan.md`.
 *
 * @param address s3://bucket or s3://bucket/prefix
 * @throws HeadwaterError INVALID_ARGUMENT
 */
export function openBucketPrefix(address: string, options: BucketSourceOptions): Source {
  const [, name, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(address) ?? [];
  if (name === undefined) {
    throw invalidArgument(
      "HW_BUCKET_ADDRESS_INVALID",
      `${address} is not the address of a bucket.`,
      "Write it as s3://bucket or s3://bucket/prefix.",
    );
  }
  return new BucketSource(openS3Bucket(name, readSettings(blobStoreSettings)), name, prefix, options);
}

class BucketSource implements Source {
  readonly name: string;
  readonly idPrefix: string;
  /** Nobody tells of changes in a bucket: a listing of ten thousand objects takes ten requests. */
  readonly intervalSeconds = 60;
  readonly #bucket: S3Bucket;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #options: BucketSourceOptions;

  constructor(bucket: S3Bucket, name: string, prefix: string, options: BucketSourceOptions) {
    this.#bucket = bucket;
    this.#origin = `s3://${name}/`;
    this.#prefix = prefix;
    this.#options = options;
    this.name = this.#origin + prefix;
    this.idPrefix = this.name;
  }

  async *list(signal: AbortSignal): AsyncGenerator<SourceItem> {
    const { ignore, patiently } = this.#options;
    let next: string | undefined;
    do {
      const from = next;
      const page = await patiently(() => this.#bucket.listPage(this.#prefix, from, signal));
      for (const { key, etag } of page.objects) {
        // Consoles write an empty object for each folder that somebody makes.
        if (!key.endsWith("/") && !ignore.matches(key)) yield this.#itemOf(key, etag);
      }
      next = page.next;
    } while (next !== undefined);
  }

  async close(): Promise<void> {
    this.#bucket.close();
  }

  #itemOf(key: string, etag: string): SourceItem {
    const id = this.#origin + key;
    return {
      id,
      version: etag,
      isSame: async ({ attributes }) => attributes[etagAttribute] === etag,
      open: async (signal) => {
        const found = await this.#bucket.read(key, signal);
        if (!found) return undefined;
        const { content, mediaType, modified } = found;
        return {
          ...{ id, content, uri: id },
          ...(mediaType === "" || mediaType === unspecificType ? {} : { mediaType }),
          ...(modified === undefined ? {} : { observedTime: modified }),
          attributes: { [sourceAttribute]: this.name, [etagAttribute]: found.etag },
        };
      },
    };
  }
}
