import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { createAuthority } from "./certificates.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import type { TlsFrontOptions } from "./tls-front.ts";
import { startTlsFront } from "./tls-front.ts";

/** Where a client finds the server, and the setting of whom it is to trust: a file in PEM; empty: those that Node knows. */
export interface TlsPlace {
  readonly host: string;
  readonly port: number;
  readonly caFile: string;
}

export interface TlsSuiteOptions extends Pick<TlsFrontOptions, "address" | "begins"> {
  /** Connects there over TLS, writes and reads; closes what it opened. @throws what a caller would get */
  readonly use: (place: TlsPlace) => Promise<void>;
  /** Of the error where the server is not trusted. */
  readonly reason: string;
}

/** How each client of a store has to keep to TLS. The store itself may speak plain text: a front speaks TLS for it. */
export function tlsSuite(name: string, { use, reason, ...way }: TlsSuiteOptions): void {
  const host = "127.0.0.1";

  describe(`${name}: TLS`, () => {
    let caFile = "";

    before(async () => {
      caFile = join(await temporaryFolder(), "ca.crt");
    });

    test("a server whose authority a file names is trusted, and spoken to over TLS alone", async () => {
      const authority = await createAuthority("an authority");
      await writeFile(caFile, authority.certificate);
      await using front = await startTlsFront({ ...way, certificate: await authority.issue([host]) });
      await use({ host, port: front.port, caFile });
      assert.ok(front.handshakes > 0);
    });

    test("one whose authority is not known is refused", async () => {
      const authority = await createAuthority("an authority");
      await using front = await startTlsFront({ ...way, certificate: await authority.issue([host]) });
      await assert.rejects(use({ host, port: front.port, caFile: "" }), { reason });
      const other = await createAuthority("an authority");
      await writeFile(caFile, other.certificate);
      await assert.rejects(use({ host, port: front.port, caFile }), { reason }, "another of the same name");
    });

    test("one whose certificate names another is refused", async () => {
      const authority = await createAuthority("an authority");
      await writeFile(caFile, authority.certificate);
      await using front = await startTlsFront({
        ...way,
        certificate: await authority.issue(["elsewhere.test"]),
      });
      await assert.rejects(use({ host, port: front.port, caFile }), { reason });
    });

    test("one whose certificate has run out is refused", async () => {
      const authority = await createAuthority("an authority");
      await writeFile(caFile, authority.certificate);
      const certificate = await authority.issue([host], { toMs: -1000 });
      await using front = await startTlsFront({ ...way, certificate });
      await assert.rejects(use({ host, port: front.port, caFile }), { reason });
    });
  });
}
