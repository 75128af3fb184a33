import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import { render, withoutHelm } from "./helm.ts";
import type { Manifest } from "./manifest.ts";
import { find, ofKind } from "./manifest.ts";
import { matrix, profiles } from "./options.ts";

const callers: Readonly<Record<string, readonly string[]>> = {
  ingest: ["gateway", "generation", "scaler"],
  "embedding-worker": ["ingest", "search", "generation", "gateway", "scaler"],
  search: ["generation", "gateway", "scaler"],
  generation: ["gateway", "generation", "scaler"],
  scaler: ["keda"],
};

function environment(manifests: readonly Manifest[], service: string): Record<string, string | undefined> {
  const spec = find(manifests, "Deployment", `headwater-${service}`).spec?.template?.spec;
  return Object.fromEntries((spec?.containers?.[0]?.env ?? []).map(({ name, value }) => [name, value]));
}

describe("TLS between the services", { skip: withoutHelm }, () => {
  test("each is told who may call it, by the names in their certificates", async () => {
    const manifests = await render(profiles["production"] ?? {});
    for (const [service, names] of Object.entries(callers)) {
      const settings = environment(manifests, service);
      assert.equal(settings["HEADWATER_TLS_DIR"], "/run/secrets/headwater/tls", service);
      assert.equal(
        settings["HEADWATER_TLS_ALLOWED_CLIENTS"],
        names.map((name) => `headwater-${name}.rag.svc`).join(","),
        service,
      );
      for (const name of names)
        assert(
          find(manifests, "Certificate", `headwater-${name}-tls`).spec?.dnsNames?.includes(
            `headwater-${name}.rag.svc`,
          ),
        );
    }
  });

  test("without KEDA nobody is expected whom nobody deploys", async () => {
    const manifests = await render(profiles["try"] ?? {});
    assert.equal(
      environment(manifests, "search")["HEADWATER_TLS_ALLOWED_CLIENTS"],
      "headwater-generation.rag.svc,headwater-gateway.rag.svc",
    );
  });

  test("certificates name each address under which others call", async () => {
    const manifests = await render(profiles["production"] ?? {});
    const settings = find(manifests, "ConfigMap", "headwater-settings").data ?? {};
    const addresses = Object.entries(settings).filter(([name]) =>
      /^HEADWATER_(?!METRICS).*_ADDRESS$/.test(name),
    );
    assert(addresses.length >= 5);
    const names = ofKind(manifests, "Certificate").flatMap(({ spec }) => spec?.dnsNames ?? []);
    for (const [setting, address] of addresses) assert(names.includes(address.split(":")[0] ?? ""), setting);
  });

  test("without an issuer the release has a CA of its own, else the operator's signs", async () => {
    const own = await render(profiles["production"] ?? {});
    assert.deepEqual(
      ofKind(own, "Issuer")
        .map(({ metadata }) => metadata.name)
        .sort(),
      ["headwater-ca", "headwater-ca-root"],
    );
    const theirs = await render(matrix["production with tls of an issuer"] ?? {});
    assert.deepEqual(ofKind(theirs, "Issuer"), []);
    const issuer = { name: "internal", kind: "ClusterIssuer", group: "cert-manager.io" };
    for (const { spec } of ofKind(theirs, "Certificate")) assert.deepEqual(spec?.issuerRef, issuer);
  });

  test("existing secrets are mounted, and their identities allowed", async () => {
    const manifests = await render(matrix["production with tls of existing secrets"] ?? {});
    assert.deepEqual(ofKind(manifests, "Certificate"), []);
    assert.equal(
      environment(manifests, "ingest")["HEADWATER_TLS_ALLOWED_CLIENTS"],
      "spiffe://example.com/gateway,headwater-generation.rag.svc,headwater-scaler.rag.svc",
    );
    const volumes = find(manifests, "Deployment", "headwater-ingest").spec?.template?.spec.volumes ?? [];
    const secrets = volumes.flatMap(
      ({ projected }) => projected?.sources.map(({ secret }) => secret?.name) ?? [],
    );
    assert(secrets.includes("ingest-certificate"));
  });

  test("Helm itself makes certificates that hold: of one CA, with the names, for both sides", async () => {
    const manifests = await render(profiles["try"] ?? {});
    for (const service of Object.keys(callers).filter((name) => name !== "scaler")) {
      const { data } = find(manifests, "Secret", `headwater-${service}-tls`);
      const pem = (key: string) => Buffer.from(data?.[key] ?? "", "base64").toString();
      const [certificate, authority] = [
        new X509Certificate(pem("tls.crt")),
        new X509Certificate(pem("ca.crt")),
      ];
      assert(certificate.verify(authority.publicKey), service);
      assert(certificate.checkPrivateKey(createPrivateKey(pem("tls.key"))), service);
      assert.equal(certificate.checkHost(`headwater-${service}.rag.svc`), `headwater-${service}.rag.svc`);
      assert.deepEqual(certificate.keyUsage?.sort(), ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
      assert.equal(Object.keys(data ?? {}).includes("ca.key"), false);
    }
  });

  test("none: neither certificates nor settings", async () => {
    const manifests = await render(matrix["try with no tls"] ?? {});
    assert.equal(environment(manifests, "search")["HEADWATER_TLS_DIR"], undefined);
    assert.equal(
      ofKind(manifests, "Secret").some(({ metadata }) => metadata.name.endsWith("-tls")),
      false,
    );
  });
});
