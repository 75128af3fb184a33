import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SecureContext, SecureContextOptions } from "node:tls";
import { createSecureContext } from "node:tls";
import { HeadwaterError, status } from "@headwater/errors";
import { subjectNames } from "./subject-names.ts";

/** What the three files hold, checked. */
export interface TlsCertificate {
  /** For servers, which take them in this form. */
  readonly options: SecureContextOptions;
  /** For clients. */
  readonly context: SecureContext;
  /** DNS and URI names of the own certificate. */
  readonly names: readonly string[];
  /** When the own certificate ends. */
  readonly expires: Date;
  /** When the first of the authorities ends. */
  readonly authorityExpires: Date;
}

/** The three files as they are, PEM. */
export interface TlsFiles {
  readonly "tls.crt": string;
  readonly "tls.key": string;
  readonly "ca.crt": string;
}

/**
 * Reads tls.crt, tls.key and ca.crt, as cert-manager and secrets of the type kubernetes.io/tls name them.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_TLS_FILE_UNREADABLE
 */
export function readTlsFiles(folder: string): TlsFiles {
  const read = (name: keyof TlsFiles) => {
    try {
      return readFileSync(join(folder, name), "utf8");
    } catch (cause) {
      throw problem(
        "HW_TLS_FILE_UNREADABLE",
        `${join(folder, name)} cannot be read.`,
        "HEADWATER_TLS_DIR has to name a folder with tls.crt, tls.key and ca.crt that this process may read.",
        cause,
      );
    }
  };
  return { "tls.crt": read("tls.crt"), "tls.key": read("tls.key"), "ca.crt": read("ca.crt") };
}

export function sameFiles(one: TlsFiles, other: TlsFiles): boolean {
  return (["tls.crt", "tls.key", "ca.crt"] as const).every((name) => one[name] === other[name]);
}

/** @throws HeadwaterError FAILED_PRECONDITION, HW_TLS_…, with the file at fault */
export function checkTlsFiles(folder: string, files: TlsFiles): TlsCertificate {
  const chain = parseCertificates(folder, "tls.crt", files["tls.crt"]);
  const authorities = parseCertificates(folder, "ca.crt", files["ca.crt"]);
  const [own] = chain;
  if (!own.checkPrivateKey(parseKey(folder, files["tls.key"]))) {
    throw problem(
      "HW_TLS_KEY_MISMATCH",
      `The key in ${join(folder, "tls.key")} is not that of the certificate in tls.crt.`,
      "Put both files of one pair there.",
    );
  }
  checkDates(folder, own);
  const options = {
    // As they were read here: OpenSSL would pass over a certificate that begins on the line where another ends.
    cert: chain.map(String).join(""),
    key: files["tls.key"],
    ca: authorities.map(String),
    minVersion: "TLSv1.3",
  } as const;
  return {
    options,
    context: toContext(folder, options),
    names: subjectNames(own.subjectAltName),
    expires: own.validToDate,
    authorityExpires: new Date(Math.min(...authorities.map(({ validToDate }) => validToDate.getTime()))),
  };
}

/** @returns at least one */
function parseCertificates(
  folder: string,
  name: keyof TlsFiles,
  pem: string,
): [X509Certificate, ...X509Certificate[]] {
  const begun = pem.match(/-----BEGIN /g)?.length ?? 0;
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length < begun)
    throw invalid(folder, name, "is cut short, or holds something else than certificates");
  try {
    const [first, ...others] = blocks.map((block) => new X509Certificate(block));
    if (first) return [first, ...others];
  } catch (cause) {
    throw invalid(folder, name, "holds a certificate that cannot be read", cause);
  }
  throw invalid(folder, name, "holds no certificate");
}

function parseKey(folder: string, pem: string) {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw invalid(folder, "tls.key", "holds no private key, or one with a password", cause);
  }
}

function checkDates(folder: string, { validFromDate, validToDate }: X509Certificate): void {
  const now = Date.now();
  if (now >= validFromDate.getTime() && now < validToDate.getTime()) return;
  const when =
    now < validFromDate.getTime()
      ? `is not valid before ${validFromDate.toISOString()}`
      : `expired at ${validToDate.toISOString()}`;
  throw problem(
    "HW_TLS_CERTIFICATE_EXPIRED",
    `The certificate in ${join(folder, "tls.crt")} ${when}.`,
    "Renew it, or look why it was not renewed; or check the clock.",
  );
}

function toContext(folder: string, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    throw invalid(folder, "tls.crt", "cannot be used for TLS", cause);
  }
}

function invalid(folder: string, name: keyof TlsFiles, what: string, cause?: unknown): HeadwaterError {
  return problem(
    "HW_TLS_FILE_INVALID",
    `${join(folder, name)} ${what}.`,
    "Put a PEM file there, whole and of the right kind.",
    cause,
  );
}

function problem(reason: `HW_TLS_${string}`, message: string, action: string, cause?: unknown) {
  return new HeadwaterError({ code: status.FAILED_PRECONDITION, reason, message, action, cause });
}
