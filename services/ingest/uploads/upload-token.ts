import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { invalidArgument } from "@headwater/errors";
import { z } from "zod";

const grant = z.object({ upload: z.string(), sizeBytes: z.number(), expiresAt: z.number() });

/** The right to write one upload. */
export interface UploadGrant {
  readonly upload: string;
  /** That the upload must have. */
  readonly sizeBytes: number;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/**
 * Signs grants, so that nobody can write what was not granted. The secret lives as long as the process: tokens are for
 * the store that has one process, a folder.
 */
export class UploadTokens {
  readonly #secret = randomBytes(32);

  sign({ upload, sizeBytes, expiresAt }: UploadGrant): string {
    const said = Buffer.from(JSON.stringify({ upload, sizeBytes, expiresAt })).toString("base64url");
    return `${said}.${this.#seal(said).toString("base64url")}`;
  }

  /** @throws HeadwaterError INVALID_ARGUMENT, HW_UPLOAD_TOKEN_INVALID or HW_UPLOAD_EXPIRED */
  read(token: string): UploadGrant {
    const [said = "", seal = ""] = token.split(".");
    const given = Buffer.from(seal, "base64url");
    const expected = this.#seal(said);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw invalidArgument(
        "HW_UPLOAD_TOKEN_INVALID",
        "The upload's token was not given out by this server since it was started.",
        "Create the upload again.",
      );
    }
    const granted = grant.parse(JSON.parse(Buffer.from(said, "base64url").toString("utf8")));
    if (granted.expiresAt < Date.now())
      throw invalidArgument("HW_UPLOAD_EXPIRED", "The bytes came too late.", "Create the upload again.");
    return granted;
  }

  #seal(said: string): Buffer {
    return createHmac("sha256", this.#secret).update(said).digest();
  }
}
