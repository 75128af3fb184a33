import { randomUUID } from "node:crypto";
import { invalidArgument } from "@headwater/errors";
import type {
  CreateUploadRequest,
  PushDocument,
  PutUploadRequest,
} from "@headwater/proto/services/headwater/v1/ingest";

/** What the blob store's own address begins with; documents whose id starts with "direct" are uploaded to it. */
export const directUrl = "https://blobs.example.org/";
const expiresTime = new Date("2026-11-01T12:15:00Z");

/** Uploads of the ingest double, held in memory. */
export class UploadsDouble {
  readonly #owners = new Map<string, string>();
  readonly #stored = new Map<string, Buffer>();

  create({ tenant, documentId, withoutUrl }: CreateUploadRequest) {
    const upload = `uploads/${tenant}/${randomUUID()}`;
    this.#owners.set(upload, `${tenant}/${documentId}`);
    if (!documentId.startsWith("direct") || withoutUrl)
      return { upload, url: "", headers: {}, expiresTime, token: `token.${upload}` };
    return { upload, url: directUrl + upload, headers: { "if-none-match": "*" }, expiresTime, token: "" };
  }

  async put(requests: AsyncIterable<PutUploadRequest>) {
    let upload: string | undefined;
    const pieces: Buffer[] = [];
    for await (const { token, data } of requests) {
      upload ??= token.replace(/^token\./, "");
      pieces.push(Buffer.from(data));
    }
    if (upload === undefined || !this.#owners.has(upload))
      throw invalidArgument("HW_UPLOAD_TOKEN_INVALID", "There is no such upload.");
    this.#stored.set(upload, Buffer.concat(pieces));
    return { upload };
  }

  /** The bytes that a pushed document refers to; undefined where it refers to none that are its own. */
  contentOf({ tenant, id, upload }: PushDocument): Buffer | undefined {
    return this.#owners.get(upload) === `${tenant}/${id}` ? this.#stored.get(upload) : undefined;
  }
}
