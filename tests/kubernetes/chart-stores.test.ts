import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { render, root, withoutHelm } from "./helm.ts";
import type { Manifest, Pod } from "./manifest.ts";
import { component, find, ofKind, podsOf, selects } from "./manifest.ts";
import { profiles } from "./options.ts";

const compose = parse(readFileSync(join(root, "docker-compose.yml"), "utf8"), { merge: true }) as {
  readonly services: Readonly<Record<string, { readonly image: string }>>;
};

/** The chart's name of a store, and that of docker-compose.yml. */
const stores: Readonly<Record<string, string>> = {
  kafka: "kafka",
  elasticsearch: "elasticsearch",
  qdrant: "qdrant",
  redis: "redis",
  postgresql: "postgres",
  s3: "s3",
};

function podOf(manifests: readonly Manifest[], name: string): Pod {
  const pod = podsOf(manifests).find(({ labels }) => labels[component] === name);
  assert(pod, `there is no pod of ${name}`);
  return pod;
}

/** Secrets that a pod mounts, by the paths of their files. */
function secretsOf({ spec }: Pod): Record<string, string> {
  const sources = (spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  return Object.fromEntries(
    sources.flatMap(({ secret }) =>
      (secret?.items ?? []).map(({ path, key }) => [path, `${secret?.name}/${key}`]),
    ),
  );
}

const annotation = ({ metadata }: Manifest, name: string) => metadata.annotations?.[`helm.sh/${name}`];

describe("in-cluster stores", { skip: withoutHelm }, () => {
  test("run the images of docker-compose.yml, or one that is named by its digest", async () => {
    const manifests = await render(profiles["try"] ?? {});
    for (const [name, service] of Object.entries(stores)) {
      const [container] =
        find(manifests, "StatefulSet", `headwater-${name}`).spec?.template?.spec.containers ?? [];
      assert.equal(container?.image, compose.services[service]?.image, name);
    }
    const digest = `sha256:${"0".repeat(64)}`;
    const image = { repository: "registry.internal/kafka", tag: "4.1.0", digest };
    const pinned = await render({ profiles: ["try"], set: { "kafka.inCluster.image": image } });
    assert.equal(podOf(pinned, "kafka").spec.containers?.[0]?.image, `registry.internal/kafka@${digest}`);
  });

  test("are found by the settings, under names that their Services have, on ports that they serve", async () => {
    const manifests = await render(profiles["try"] ?? {});
    const { data = {} } = find(manifests, "ConfigMap", "headwater-settings");
    for (const [name, setting] of Object.entries({
      kafka: "KAFKA_BROKERS",
      elasticsearch: "ELASTICSEARCH_URL",
      qdrant: "QDRANT_URL",
      redis: "REDIS_URL",
      postgresql: "POSTGRES_URL",
      s3: "S3_ENDPOINT",
    })) {
      const { spec } = find(manifests, "Service", `headwater-${name}`);
      const [port] = spec?.ports ?? [];
      assert.match(
        data[`HEADWATER_${setting}`] ?? "",
        new RegExp(`headwater-${name}\\.rag\\.svc:${port?.port}`),
      );
      const pod = podOf(manifests, name);
      assert(selects(spec?.selector, pod.labels), name);
      const served = pod.spec.containers?.[0]?.ports?.find(({ name: own }) => own === port?.targetPort);
      assert.equal(served?.containerPort, port?.port, name);
    }
  });

  test("have passwords of their own as files, unless a secret is given", async () => {
    const manifests = await render(profiles["try"] ?? {});
    const made: Record<string, string> = {
      qdrant: "api-key",
      redis: "password",
      postgresql: "password",
      s3: "secret-key",
    };
    for (const [name, key] of Object.entries(made)) {
      const { data = {} } = find(manifests, "Secret", `headwater-${name}`);
      assert.deepEqual(Object.keys(data), [key]);
      assert.match(Buffer.from(data[key] ?? "", "base64").toString(), /^[A-Za-z0-9]{32}$/);
    }
    const given = await render({ profiles: ["try"], set: { "postgresql.existingSecret": "mine" } });
    assert.equal(
      ofKind(given, "Secret").filter(({ metadata }) => metadata.name === "headwater-postgresql").length,
      0,
    );
    assert.equal(secretsOf(podOf(given, "generation"))["postgresql/password"], "mine/password");
    assert.match(JSON.stringify(podOf(given, "postgresql").spec.volumes), /"secretName":"mine"/);
  });

  test("are there only where they were asked for", async () => {
    const manifests = await render(profiles["production"] ?? {});
    assert.deepEqual(ofKind(manifests, "StatefulSet"), []);
    for (const name of Object.keys(stores))
      assert(!manifests.some(({ metadata }) => metadata.name === `headwater-${name}`), name);
  });

  test("keep data in a volume of the size that was given, or in the pod", async () => {
    const claims = (manifests: readonly Manifest[]) =>
      ofKind(manifests, "StatefulSet")
        .filter(({ spec }) => "volumeClaimTemplates" in (spec ?? {}))
        .map(({ metadata }) => metadata.name.replace("headwater-", ""))
        .sort();
    // Redis is a cache.
    const kept = Object.keys(stores).filter((name) => name !== "redis");
    assert.deepEqual(claims(await render(profiles["try"] ?? {})), kept.sort());
    const set = Object.fromEntries(kept.map((name) => [`${name}.inCluster.storage.size`, ""]));
    assert.deepEqual(claims(await render({ profiles: ["try"], set })), []);
  });
});

describe("the hook that prepares", { skip: withoutHelm }, () => {
  const hookOf = (manifests: readonly Manifest[]) => find(manifests, "Job", "headwater-prepare");

  test("runs before a release whose stores are outside, and after one that brings a store", async () => {
    const outside = await render(profiles["production"] ?? {});
    assert.equal(annotation(hookOf(outside), "hook"), "pre-install,pre-upgrade");
    const inside = await render(profiles["try"] ?? {});
    assert.equal(annotation(hookOf(inside), "hook"), "post-install,post-upgrade");
    // A cache has nothing to prepare.
    const cached = await render({
      ...profiles["production"],
      set: { ...profiles["production"]?.set, "redis.url": "", "redis.inCluster.enabled": true },
    });
    assert.equal(annotation(hookOf(cached), "hook"), "pre-install,pre-upgrade");
  });

  test("brings what it runs with, before it, and takes it away again", async () => {
    for (const profile of Object.values(profiles)) {
      const manifests = await render(profile);
      const job = hookOf(manifests);
      const names = new Set(["ServiceAccount", "ConfigMap", "NetworkPolicy"]);
      for (const kind of names) {
        const part = find(manifests, kind, "headwater-prepare");
        assert.equal(annotation(part, "hook"), annotation(job, "hook"), kind);
        assert(Number(annotation(part, "hook-weight")) < Number(annotation(job, "hook-weight")), kind);
        assert.equal(annotation(part, "hook-delete-policy"), "before-hook-creation,hook-succeeded", kind);
      }
      // What a release makes is not there before it: nothing of it may be named.
      const { serviceAccountName, initContainers = [], containers = [] } = job.spec?.template?.spec ?? {};
      assert.equal(serviceAccountName, "headwater-prepare");
      for (const { envFrom = [] } of [...initContainers, ...containers])
        assert.deepEqual(envFrom, [{ configMapRef: { name: "headwater-prepare" } }]);
    }
  });

  test("sees the settings of the services and the secrets of their stores, or others in their place", async () => {
    const set = { ...profiles["production"]?.set, "ingest.settings": { HEADWATER_CHUNK_TOKENS: 128 } };
    const manifests = await render({ profiles: ["production"], set });
    const { data = {} } = find(manifests, "ConfigMap", "headwater-prepare");
    const { data: settings = {} } = find(manifests, "ConfigMap", "headwater-settings");
    for (const name of ["KAFKA_BROKERS", "ELASTICSEARCH_URL", "QDRANT_URL", "POSTGRES_URL", "S3_BUCKET"])
      assert.equal(data[`HEADWATER_${name}`], settings[`HEADWATER_${name}`], name);
    assert.equal(data["HEADWATER_CHUNK_TOKENS"], "128");
    assert.equal(data["HEADWATER_REDIS_URL"], undefined);
    const files = secretsOf(podOf(manifests, "prepare"));
    for (const [name, value] of Object.entries(data))
      if (name.endsWith("_FILE"))
        assert(files[value.replace("/run/secrets/headwater/", "")], `${name}=${value} is not mounted`);

    const owner = await render({
      profiles: ["production"],
      set: {
        ...set,
        "hooks.prepare.existingSecrets": { postgresql: "owner" },
        "hooks.prepare.settings": { HEADWATER_POSTGRES_URL: "postgres://owner@postgres:5432/headwater" },
      },
    });
    assert.equal(secretsOf(podOf(owner, "prepare"))["postgresql/password"], "owner/password");
    assert.equal(secretsOf(podOf(owner, "ingest"))["postgresql/password"], "postgresql/password");
    const url = (name: string) =>
      find(owner, "ConfigMap", `headwater-${name}`).data?.["HEADWATER_POSTGRES_URL"];
    assert.match(url("prepare") ?? "", /owner@/);
    assert.match(url("settings") ?? "", /headwater@/);
  });

  test("asks an embedding-worker in its own pod, of the same image and model as the services'", async () => {
    const model = {
      dir: "/models/e5",
      rerankerDir: "",
      volume: { persistentVolumeClaim: { claimName: "models" } },
    };
    const manifests = await render({ profiles: ["try"], set: { "embeddingWorker.model": model } });
    const [worker] = hookOf(manifests).spec?.template?.spec.initContainers ?? [];
    assert.equal(worker?.image, podOf(manifests, "embedding-worker").spec.containers?.[0]?.image);
    assert((worker as { restartPolicy?: string } | undefined)?.restartPolicy === "Always");
    assert(worker?.volumeMounts?.some(({ mountPath }) => mountPath === "/models"));
    const { data = {} } = find(manifests, "ConfigMap", "headwater-prepare");
    assert.equal(data["HEADWATER_EMBEDDING_MODEL_DIR"], "/models/e5");
    assert.equal(data["HEADWATER_EMBEDDING_ADDRESS"], "127.0.0.1:7002");
    assert(!Object.keys(data).some((name) => name.startsWith("HEADWATER_TLS_")));
  });

  test("is left out where it is not wanted, and so is the test", async () => {
    const set = { "hooks.prepare.enabled": false, "hooks.smokeTest.enabled": false };
    for (const { metadata } of await render({ profiles: ["try"], set }))
      assert(!/prepare|smoke/.test(metadata.name), metadata.name);
  });
});

describe("helm test", { skip: withoutHelm }, () => {
  test("goes by Kafka and the gateway, with the first key of the gateway or one of its own", async () => {
    const manifests = await render(profiles["production"] ?? {});
    const pod = podOf(manifests, "smoke-test");
    assert.equal(annotation(pod.manifest, "hook"), "test");
    const [container] = pod.spec.containers ?? [];
    assert.deepEqual((container as { args?: string[] } | undefined)?.args?.slice(0, 1), ["smoke-test"]);
    const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
    assert.equal(env["HEADWATER_SERVER"], "http://headwater-gateway.rag.svc:8080");
    assert.equal(env["HEADWATER_TENANT"], "default");
    const files = secretsOf(pod);
    assert.equal(files["api-key"], "headwater-api-keys/api-keys");
    assert.equal(files["kafka/password"], "kafka/password");
    assert(!Object.keys(files).some((path) => path.startsWith("postgresql/")));

    const own = { existingSecret: "tester", secretKey: "key", tenant: "acme" };
    const set = Object.fromEntries(
      Object.entries(own).map(([name, value]) => [`hooks.smokeTest.${name}`, value]),
    );
    const named = podOf(await render({ profiles: ["try"], set }), "smoke-test");
    assert.equal(secretsOf(named)["api-key"], "tester/key");
    assert.equal(
      named.spec.containers?.[0]?.env?.find(({ name }) => name === "HEADWATER_TENANT")?.value,
      "acme",
    );
  });

  test("reaches the gateway also where only some may", async () => {
    const from = [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress" } } }];
    const manifests = await render({ profiles: ["try"], set: { "networkPolicy.gatewayFrom": from } });
    const rule = find(manifests, "NetworkPolicy", "headwater-gateway").spec?.ingress?.find(({ ports = [] }) =>
      ports.some(({ port }) => port === 8080),
    );
    const { labels } = podOf(manifests, "smoke-test");
    assert(rule?.from?.some(({ podSelector }) => podSelector && selects(podSelector.matchLabels, labels)));
  });
});
