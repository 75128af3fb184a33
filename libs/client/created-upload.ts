import type { Client } from "@connectrpc/connect";
import type {
  CreateUploadResponse,
  IngestService,
  PutUploadRequest,
} from "@headwater/proto/connect/headwater/v1/ingest";
import type { CallOptions } from "./call.ts";
import { connectOptions, unary } from "./call.ts";
import { toDate } from "./document.ts";
import { cut } from "./push.ts";

/** Where the bytes of an original go that is uploaded apart from its push. */
export interface CreatedUpload {
  /** For `NewDocument.upload`. */
  readonly upload: string;
  /** Takes the bytes by PUT, without credentials, once; undefined where the blob store cannot be reached from outside. */
  readonly url: string | undefined;
  /** To be sent with that PUT, as they are. */
  readonly headers: Readonly<Record<string, string>>;
  /** Until when the bytes are taken. */
  readonly expiresTime: Date | undefined;
  /** For `putUpload`; set where there is no `url`. Whoever has it may write this upload. */
  readonly token: string | undefined;
}

export function toCreatedUpload(response: CreateUploadResponse): CreatedUpload {
  const { upload, url, headers, expiresTime, token } = response;
  return {
    upload,
    url: url || undefined,
    headers: { ...headers },
    expiresTime: toDate(expiresTime),
    token: token || undefined,
  };
}

/** @returns the upload, for `NewDocument.upload` */
export async function putUpload(
  ingest: Client<typeof IngestService>,
  token: string,
  content: AsyncIterable<Uint8Array>,
  options: CallOptions,
): Promise<string> {
  const { upload } = await unary(ingest.putUpload(requests(token, content), connectOptions(options)));
  return upload;
}

async function* requests(
  token: string,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Pick<PutUploadRequest, "token" | "data">> {
  // On its own: a token that is refused is refused before any byte is read.
  yield { token, data: new Uint8Array() };
  for await (const bytes of content) for (const data of cut(bytes)) yield { token: "", data };
}
