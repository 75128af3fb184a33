import type { S3Client } from "@aws-sdk/client-s3";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { PresignedGet, PresignedPut, PresignGetOptions, PresignPutOptions } from "./blob-store.ts";
import type { S3BlobStoreOptions } from "./s3-settings.ts";

interface S3Object {
  readonly Bucket: string;
  readonly Key: string;
  readonly Metadata?: { key: string };
}

/** Makes addresses that carry the right to one request. Nothing is sent for that: the secret key signs. */
export class S3Presigner {
  readonly #client: S3Client;
  readonly #encryption: ReturnType<typeof encryptionOf>;

  /** @param client with the endpoint that people reach */
  constructor(client: S3Client, options: S3BlobStoreOptions) {
    this.#client = client;
    this.#encryption = encryptionOf(options);
  }

  /**
   * The size is signed, so that a client of HTTP has to send just so many bytes; so is the condition that nothing is
   * there yet, so that the address cannot change a blob that is in use.
   */
  async put(object: S3Object, { sizeBytes, expiresInSeconds }: PresignPutOptions): Promise<PresignedPut> {
    const { ServerSideEncryption, SSEKMSKeyId } = this.#encryption;
    const headers = {
      "if-none-match": "*",
      ...(ServerSideEncryption ? { "x-amz-server-side-encryption": ServerSideEncryption } : {}),
      ...(SSEKMSKeyId ? { "x-amz-server-side-encryption-aws-kms-key-id": SSEKMSKeyId } : {}),
      ...(object.Metadata ? { "x-amz-meta-key": object.Metadata.key } : {}),
    };
    const expires = expiry(expiresInSeconds);
    const command = new PutObjectCommand({
      ...{ ...object, ...this.#encryption, ContentLength: sizeBytes, IfNoneMatch: "*" },
    });
    const url = await getSignedUrl(this.#client, command, {
      expiresIn: expiresInSeconds,
      unhoistableHeaders: new Set(Object.keys(headers)),
    });
    return { url, headers, expires };
  }

  async get(
    object: S3Object,
    { expiresInSeconds, mediaType, fileName }: PresignGetOptions,
  ): Promise<PresignedGet> {
    const command = new GetObjectCommand({
      ...object,
      ResponseContentType: mediaType,
      // Never shown as a page: someone's document must not run scripts, of whatever origin.
      ResponseContentDisposition: `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}`,
    });
    const expires = expiry(expiresInSeconds);
    return { url: await getSignedUrl(this.#client, command, { expiresIn: expiresInSeconds }), expires };
  }

  close(): void {
    this.#client.destroy();
  }
}

/** How each new object is encrypted, in the words of a PutObject. */
export function encryptionOf({ encryption, kmsKey }: S3BlobStoreOptions): {
  ServerSideEncryption?: "AES256" | "aws:kms";
  SSEKMSKeyId?: string;
} {
  if (encryption === undefined) return {};
  return { ServerSideEncryption: encryption, ...(kmsKey === undefined ? {} : { SSEKMSKeyId: kmsKey }) };
}

function expiry(expiresInSeconds: number): Date {
  return new Date(Date.now() + expiresInSeconds * 1000);
}
