import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { render, withoutHelm } from "./helm.ts";
import type { Container, Manifest, Pod } from "./manifest.ts";
import { component, find, ofKind, podsOf, selects } from "./manifest.ts";
import { matrix, profiles } from "./options.ts";

/** Bytes, or cores. */
function quantity(text: string): number {
  const [, number = "", unit = ""] = /^([\d.]+)(.*)$/.exec(String(text)) ?? [];
  const factors: Record<string, number> = { "": 1, m: 1e-3, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };
  return Number(number) * (factors[unit] ?? Number.NaN);
}

/** What Pod Security "restricted" asks for, and what we ask for beyond it. */
function checkSecurity({ owner, spec }: Pod): void {
  const security = spec.securityContext ?? {};
  assert.equal(security.runAsNonRoot, true, owner);
  assert.equal(security.seccompProfile?.type, "RuntimeDefault", owner);
  assert(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, owner);
  assert.equal(spec.automountServiceAccountToken, false, `${owner}: a token is mounted`);
  assert.equal(spec.enableServiceLinks, false, `${owner}: services become variables`);
  for (const volume of spec.volumes ?? []) {
    assert.equal(volume.hostPath, undefined, `${owner}: ${volume.name}`);
    if (volume.emptyDir) assert(volume.emptyDir.sizeLimit, `${owner}: ${volume.name} may fill the node`);
  }
}

function checkContainer(owner: string, container: Container): void {
  const what = `${owner}, ${container.name}`;
  const security = container.securityContext ?? {};
  assert.equal(security.allowPrivilegeEscalation, false, what);
  assert.equal(security.readOnlyRootFilesystem, true, what);
  assert.notEqual(security.privileged, true, what);
  assert.deepEqual(security.capabilities, { drop: ["ALL"] }, what);
  assert.match(
    container.image,
    /^[^\s:@]+(:\d+\/[^\s:@]+)?(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/,
    what,
  );
  for (const name of ["cpu", "memory"]) {
    const { requests = {}, limits = {} } = container.resources ?? {};
    assert(requests[name] !== undefined && limits[name] !== undefined, `${what}: ${name} is not bounded`);
    assert(quantity(requests[name]) <= quantity(limits[name]), `${what}: ${name}`);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    assert(
      !JSON.stringify(valueFrom ?? {}).includes("secretKeyRef"),
      `${what}: ${name} is a secret in the environment`,
    );
    if (/(PASSWORD|SECRET|TOKEN|KEY|KEYS)$/.test(name)) assert.equal(value, undefined, `${what}: ${name}`);
  }
  for (const { secretRef } of container.envFrom ?? []) assert.equal(secretRef, undefined, what);
}

const serves = (pod: Pod) => ["Deployment", "StatefulSet"].includes(pod.manifest.kind);

/** What a pod that serves needs beside. */
function checkServing(pod: Pod, manifests: readonly Manifest[]): void {
  const [main] = pod.spec.containers ?? [];
  assert(main, pod.owner);
  assert(main.readinessProbe && main.livenessProbe && main.startupProbe, `${pod.owner}: a probe is missing`);
  const budgets = ofKind(manifests, "PodDisruptionBudget");
  assert.equal(
    budgets.filter(({ spec }) => selects(spec?.selector?.matchLabels, pod.labels)).length,
    1,
    pod.owner,
  );
}

function checkPolicies({ owner, labels }: Pod, manifests: readonly Manifest[]): void {
  const policies = ofKind(manifests, "NetworkPolicy").filter(({ spec }) =>
    selects(spec?.podSelector?.matchLabels, labels),
  );
  const closed = policies.filter(
    ({ spec }) => spec?.policyTypes?.includes("Egress") && !spec.egress && !spec.ingress,
  );
  assert.equal(closed.length, 1, `${owner}: no policy denies by default`);
  assert(policies.length > closed.length, `${owner}: no policy of its own`);
}

describe("every pod", { skip: withoutHelm }, () => {
  for (const [name, values] of Object.entries(matrix)) {
    test(`is safe: ${name}`, async () => {
      const manifests = await render(values);
      const pods = podsOf(manifests);
      assert(pods.length >= 5);
      for (const pod of pods) {
        checkSecurity(pod);
        for (const container of [...(pod.spec.initContainers ?? []), ...(pod.spec.containers ?? [])])
          checkContainer(pod.owner, container);
      }
      for (const account of ofKind(manifests, "ServiceAccount"))
        assert.equal(account.automountServiceAccountToken, false, account.metadata.name);
    });
  }

  for (const [name, values] of Object.entries(profiles)) {
    test(`is watched, kept and fenced: ${name}`, async () => {
      const manifests = await render(values);
      const pods = podsOf(manifests);
      for (const pod of pods.filter(serves)) checkServing(pod, manifests);
      for (const pod of pods) checkPolicies(pod, manifests);
    });
  }
});

test("an air-gapped installation takes every image from the registry inside", {
  skip: withoutHelm,
}, async () => {
  for (const name of ["airgapped production", "airgapped try"]) {
    const pods = podsOf(await render(profiles[name] ?? {}));
    for (const { owner, spec } of pods)
      for (const { image } of [...(spec.initContainers ?? []), ...(spec.containers ?? [])])
        assert.match(image, /^registry\.internal\//, `${name}: ${owner}`);
  }
});

describe("a service's Deployment", { skip: withoutHelm }, () => {
  const services = ["ingest", "embedding-worker", "search", "generation", "gateway"];
  const containerOf = (manifests: readonly Manifest[], name: string) => {
    const [container] =
      find(manifests, "Deployment", `headwater-${name}`).spec?.template?.spec.containers ?? [];
    assert(container);
    return container;
  };

  test("has an account of its own, its Service and no command: the image knows it", async () => {
    const manifests = await render(profiles["production"] ?? {});
    for (const name of [...services, "scaler"]) {
      const deployment = find(manifests, "Deployment", `headwater-${name}`);
      assert.equal(deployment.spec?.template?.spec.serviceAccountName, `headwater-${name}`);
      find(manifests, "ServiceAccount", `headwater-${name}`);
      const container = containerOf(manifests, name);
      assert(!("command" in container) && !("args" in container), name);
      assert.equal(container.image, `headwater-${name}:0.1.0`);
      const service = find(manifests, "Service", `headwater-${name}`);
      assert(
        selects(
          service.spec?.selector as Record<string, string>,
          deployment.spec?.template?.metadata.labels ?? {},
        ),
      );
      for (const { targetPort } of service.spec?.ports ?? [])
        assert(
          container.ports?.some((port) => port.name === targetPort),
          `${name}: ${targetPort}`,
        );
      assert.equal(service.spec?.clusterIP, name === "gateway" ? undefined : "None", name);
    }
  });

  test("never has fewer pods than before while they are replaced, and spreads them", async () => {
    for (const { metadata, spec } of ofKind(await render(profiles["production"] ?? {}), "Deployment")) {
      assert.equal(spec?.strategy?.rollingUpdate?.maxUnavailable, 0, metadata.name);
      assert.equal(spec?.template?.spec.topologySpreadConstraints?.length, 2, metadata.name);
    }
  });

  test("gives a pod the time to drain that its settings speak of, after the sleep", async () => {
    const manifests = await render({
      profiles: ["try"],
      set: { "search.drain": { preStopSeconds: 7, graceSeconds: 33 } },
    });
    const spec = find(manifests, "Deployment", "headwater-search").spec?.template?.spec;
    const container = containerOf(manifests, "search");
    assert.equal(spec?.terminationGracePeriodSeconds, 45);
    assert.equal(container.lifecycle?.preStop?.sleep?.seconds, 7);
    assert.equal(container.env?.find(({ name }) => name === "HEADWATER_SHUTDOWN_GRACE_MS")?.value, "33000");
  });

  test("is probed over gRPC in plain text, and over HTTP where gRPC has TLS", async () => {
    const plain = await render({ profiles: ["try"], set: { "tls.mode": "none" } });
    const secure = await render({ profiles: ["try"], set: { "tls.mode": "generated" } });
    const ports: Record<string, number> = {
      ingest: 7001,
      "embedding-worker": 7002,
      search: 7003,
      generation: 7004,
    };
    for (const [name, port] of Object.entries(ports)) {
      const { startupProbe, livenessProbe, readinessProbe } = containerOf(plain, name);
      assert.deepEqual(startupProbe?.grpc, { port, service: "liveness" });
      assert.deepEqual(livenessProbe?.grpc, { port, service: "liveness" });
      assert.deepEqual(readinessProbe?.grpc, { port, service: "" });
      assert.deepEqual(containerOf(secure, name).livenessProbe?.httpGet, {
        path: "/health/live",
        port: "metrics",
      });
      assert.deepEqual(containerOf(secure, name).readinessProbe?.httpGet, {
        path: "/health/ready",
        port: "metrics",
      });
    }
  });

  test("sees the secrets of its own stores alone", async () => {
    const manifests = await render({ ...profiles["production"], release: "headwater" });
    const seen = (name: string) =>
      (find(manifests, "Deployment", `headwater-${name}`).spec?.template?.spec.volumes ?? [])
        .flatMap(({ projected }) => projected?.sources ?? [])
        .map(({ secret }) => secret?.name)
        .sort();
    assert.deepEqual(seen("ingest"), [
      "elasticsearch",
      "headwater-ingest-tls",
      "kafka",
      "postgresql",
      "qdrant",
      "s3",
    ]);
    assert.deepEqual(seen("embedding-worker"), ["headwater-embedding-worker-tls", "redis"]);
    assert.deepEqual(seen("search"), ["elasticsearch", "headwater-search-tls", "qdrant"]);
    assert.deepEqual(seen("generation"), ["headwater-generation-tls", "postgresql"]);
    assert.deepEqual(seen("gateway"), ["headwater-api-keys", "headwater-gateway-tls"]);
    assert.deepEqual(seen("scaler"), ["headwater-scaler-tls"]);
  });

  test("mounts another model where its settings look for it", async () => {
    const container = containerOf(await render(matrix["try with another model"] ?? {}), "embedding-worker");
    const value = (wanted: string) => container.env?.find(({ name }) => name === wanted)?.value;
    assert.equal(value("HEADWATER_EMBEDDING_MODEL_DIR"), "/models/e5");
    assert.equal(value("HEADWATER_EMBEDDING_RERANKER_DIR"), "/models/reranker");
    assert(container.volumeMounts?.some(({ mountPath, readOnly }) => mountPath === "/models" && readOnly));
  });

  test("takes an operator's own variables, volumes, labels and placement", async () => {
    const extended = find(
      await render(matrix["try with hooks of operators"] ?? {}),
      "Deployment",
      "headwater-search",
    );
    const template = extended.spec?.template;
    const [container] = template?.spec.containers ?? [];
    assert.equal(container?.image, `registry.example.com/team/headwater-search@sha256:${"a".repeat(64)}`);
    assert(container?.env?.some(({ name }) => name === "NODE_OPTIONS"));
    assert(
      container?.env?.some(({ name, value }) => name === "HEADWATER_SEARCH_CANDIDATES" && value === "200"),
    );
    assert(container?.volumeMounts?.some(({ mountPath }) => mountPath === "/more"));
    assert.equal(template?.metadata.labels?.["tier"], "back");
    assert.equal(template?.metadata.labels?.[component], "search");
    const placed = await render(matrix["try with placement"] ?? {});
    const spec = (name: string) =>
      find(placed, "Deployment", name).spec?.template?.spec as Record<string, unknown>;
    assert.deepEqual(spec("headwater-search")["nodeSelector"], { pool: "search" });
    assert.deepEqual(spec("headwater-ingest")["nodeSelector"], { "kubernetes.io/arch": "amd64" });
    assert.equal(spec("headwater-ingest")["priorityClassName"], "high");
  });
});
