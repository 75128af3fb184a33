import "reflect-metadata";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const { subtle } = cryptoProvider.get();
const hourMs = 3_600_000;

/** What the folder of HEADWATER_TLS_DIR holds. */
export interface CertificateFiles {
  readonly "tls.crt": string;
  readonly "tls.key": string;
  readonly "ca.crt": string;
}

/** From now on, in milliseconds. */
export interface Validity {
  /** Default: an hour ago. */
  readonly fromMs?: number;
  /** Default: in an hour. */
  readonly toMs?: number;
}

/** A certificate authority of a test's own. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** @param names DNS names, IP addresses and URIs that the certificate bears */
  issue(names: readonly string[], validity?: Validity): Promise<CertificateFiles>;
}

/**
 * Two authorities may have one name, as one that was renewed has: certificates say by which key they were signed, as those
 * of cert-manager, Helm and OpenSSL do. Without it OpenSSL tries the first authority of that name alone.
 */
export async function createAuthority(name: string): Promise<Authority> {
  const keys = await subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const authority = await X509CertificateGenerator.createSelfSigned({
    ...{ name: [{ CN: [name] }], keys, signingAlgorithm: algorithm },
    ...datesOf({}),
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const certificate = authority.toString("pem");
  return {
    certificate,
    async issue(names, validity = {}) {
      const own = await subtle.generateKey(algorithm, true, ["sign", "verify"]);
      const issued = await X509CertificateGenerator.create({
        ...{ subject: "CN=a service", issuer: authority.subject, signingAlgorithm: algorithm },
        ...{ publicKey: own.publicKey, signingKey: keys.privateKey },
        ...datesOf(validity),
        extensions: [
          new SubjectAlternativeNameExtension(names.map(toGeneralName)),
          await AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ],
      });
      const key = Buffer.from(await subtle.exportKey("pkcs8", own.privateKey));
      return {
        "tls.crt": issued.toString("pem"),
        "tls.key": `-----BEGIN PRIVATE KEY-----\n${key.toString("base64")}\n-----END PRIVATE KEY-----\n`,
        "ca.crt": certificate,
      };
    },
  };
}

function datesOf({ fromMs = -hourMs, toMs = hourMs }: Validity) {
  return { notBefore: new Date(Date.now() + fromMs), notAfter: new Date(Date.now() + toMs) };
}

function toGeneralName(name: string) {
  if (name.includes("://")) return { type: "url", value: name } as const;
  return { type: isIP(name) === 0 ? "dns" : "ip", value: name } as const;
}

let generation = 0;

/** Puts the files into a folder as a kubelet does: a folder of their own, and a link to it that changes at once. */
export async function mountCertificates(folder: string, files: CertificateFiles): Promise<void> {
  generation += 1;
  const version = `..version-${generation}`;
  await mkdir(join(folder, version), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, version, name), content);
  await symlink(version, join(folder, "..data-new"));
  await rename(join(folder, "..data-new"), join(folder, "..data"));
  for (const name of Object.keys(files)) {
    await symlink(join("..data", name), join(folder, name)).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== "EEXIST") throw thrown;
    });
  }
}
