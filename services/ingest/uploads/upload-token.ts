import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { invalidArgument } from "@headwater/errors";
import type { Queries } from "@headwater/record-store";
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

/** Signs grants, so that nobody can write what was not granted. */
export class UploadTokens {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** With the secret of all processes on these records: the bytes may come to another than the one that granted them. */
  static async open(records: Queries): Promise<UploadTokens> {
    await records.query("INSERT INTO upload_secret (secret) VALUES ($1) ON CONFLICT DO NOTHING", [
      randomBytes(32).toString("base64url"),
    ]);
    const [row] = await records.query<{ secret: string }>("SELECT secret FROM upload_secret");
    if (!row) throw new Error("the upload secret is gone");
    return new UploadTokens(row.secret);
  }

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
        "The upload's token was not given out by this server.",
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
