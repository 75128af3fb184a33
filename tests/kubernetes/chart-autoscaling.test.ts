import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { render, withoutHelm } from "./helm.ts";
import { find, ofKind } from "./manifest.ts";
import { matrix, profiles, servers } from "./options.ts";

const services = ["embedding-worker", "gateway", "generation", "ingest", "search"];

describe("who sets the number of pods", { skip: withoutHelm }, () => {
  for (const mode of ["keda", "hpa", "none"]) {
    test(`is one only: ${mode}`, async () => {
      const manifests = await render({ profiles: ["try"], set: { "autoscaling.mode": mode } });
      const targets = (kind: string) =>
        ofKind(manifests, kind)
          .map(({ spec }) => spec?.scaleTargetRef?.name)
          .sort();
      const all = services.map((name) => `headwater-${name}`);
      assert.deepEqual(targets("ScaledObject"), mode === "keda" ? all : []);
      assert.deepEqual(targets("HorizontalPodAutoscaler"), mode === "hpa" ? all : []);
      for (const name of all) {
        const { spec } = find(manifests, "Deployment", name);
        // A number in the chart would undo the autoscaler's at each upgrade.
        assert.equal(spec?.replicas, mode === "none" ? 1 : undefined, name);
      }
      const scalers = ofKind(manifests, "Deployment").filter(
        ({ metadata }) => metadata.name === "headwater-scaler",
      );
      assert.deepEqual(
        scalers.map(({ spec }) => spec?.replicas),
        mode === "keda" ? [2] : [],
      );
    });
  }
});

describe("KEDA's triggers", { skip: withoutHelm }, () => {
  test("ingest: the lag of its group, from the start of the log, with sign-in and TLS, never more than partitions", async () => {
    const manifests = await render(profiles["production"] ?? {});
    const { spec } = find(manifests, "ScaledObject", "headwater-ingest");
    const [trigger] = spec?.triggers ?? [];
    assert.deepEqual(trigger, {
      type: "kafka",
      metadata: {
        bootstrapServers: servers["kafka.brokers"],
        topic: "headwater.documents",
        consumerGroup: "ingest",
        lagThreshold: "200",
        offsetResetPolicy: "earliest",
        allowIdleConsumers: "false",
        limitToPartitionsWithLag: "true",
        tls: "enable",
        sasl: "scram_sha512",
      },
      authenticationRef: { name: "headwater-ingest" },
    });
    assert.equal(spec?.maxReplicaCount, 32);
    const authentication = find(manifests, "TriggerAuthentication", "headwater-ingest").spec;
    assert.deepEqual(authentication?.secretTargetRef, [
      { parameter: "ca", name: "kafka", key: "ca.crt" },
      { parameter: "cert", name: "kafka", key: "tls.crt" },
      { parameter: "key", name: "kafka", key: "tls.key" },
      { parameter: "password", name: "kafka", key: "password" },
    ]);
    const settings = find(manifests, "ConfigMap", "headwater-settings").data ?? {};
    assert.equal(settings["HEADWATER_KAFKA_USERNAME"], "headwater");
    assert.equal(settings["HEADWATER_INGEST_GROUP"], trigger.metadata["consumerGroup"]);
    assert.equal(settings["HEADWATER_KAFKA_TOPIC"], trigger.metadata["topic"]);
    assert.equal(settings["HEADWATER_INGEST_PARTITIONS"], "32");
  });

  test("ingest without sign-in needs no authentication, and may go to zero", async () => {
    const manifests = await render(matrix["try with to zero"] ?? {});
    const { spec } = find(manifests, "ScaledObject", "headwater-ingest");
    assert.equal(spec?.minReplicaCount, 0);
    assert.equal(spec?.triggers?.[0]?.authenticationRef, undefined);
    const [gateway] =
      find(manifests, "Deployment", "headwater-gateway").spec?.template?.spec.containers ?? [];
    const without = gateway?.env?.find(({ name }) => name === "HEADWATER_GATEWAY_READY_WITHOUT");
    assert.equal(without?.value, "ingest", "the gateway would wait for a service that is at zero");
    assert.equal(
      ofKind(manifests, "TriggerAuthentication").some(({ metadata }) => metadata.name.endsWith("ingest")),
      false,
    );
  });

  test("the others: our scaler, with the certificates of KEDA", async () => {
    const manifests = await render(profiles["production"] ?? {});
    const address = { scalerAddress: "headwater-scaler.rag.svc:7005", enableTLS: "true" };
    const expected: Record<string, Record<string, string>> = {
      "embedding-worker": { workload: "embedding-worker", target: "5" },
      search: { workload: "search", target: "8", latencySeconds: "1" },
      generation: { workload: "generation", target: "32" },
      gateway: { workload: "gateway", target: "200" },
    };
    for (const [name, metadata] of Object.entries(expected)) {
      const { spec } = find(manifests, "ScaledObject", `headwater-${name}`);
      assert.deepEqual(spec?.triggers, [
        {
          type: "external-push",
          metadata: { ...address, ...metadata },
          authenticationRef: { name: "headwater-scaler" },
        },
      ]);
      assert((spec?.minReplicaCount ?? 0) >= 2, name);
    }
    const secret = "headwater-keda-tls";
    assert.deepEqual(find(manifests, "TriggerAuthentication", "headwater-scaler").spec?.secretTargetRef, [
      { parameter: "caCert", name: secret, key: "ca.crt" },
      { parameter: "tlsClientCert", name: secret, key: "tls.crt" },
      { parameter: "tlsClientKey", name: secret, key: "tls.key" },
    ]);
    assert.equal(find(manifests, "Certificate", secret).spec?.secretName, secret);
  });

  test("in plain text need neither", async () => {
    const manifests = await render(matrix["production with no tls"] ?? {});
    const [trigger] = find(manifests, "ScaledObject", "headwater-search").spec?.triggers ?? [];
    assert.equal(trigger?.metadata["enableTLS"], undefined);
    assert.equal(trigger?.authenticationRef, undefined);
  });
});
