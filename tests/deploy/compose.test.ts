import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseEnv } from "node:util";
import { embeddingWorkerSettings, readEmbeddingWorkerConfig } from "@headwater/embedding-worker/config";
import { gatewaySettings } from "@headwater/gateway/config";
import { generationSettings, readGenerationConfig } from "@headwater/generation/config";
import { ingestSettings, readIngestConfig } from "@headwater/ingest/config";
import { readSearchConfig, searchSettings } from "@headwater/search/config";
import { processSettings } from "@headwater/service";
import { parse } from "yaml";

interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly args: Readonly<Record<string, string>> };
  readonly command?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly env_file?: string;
}

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const compose = parse(read("docker-compose.yml"), { merge: true }) as {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, unknown>>;
};
const settings = parseEnv(read("deploy/production.env")) as Record<string, string>;
const { version } = JSON.parse(read("package.json")) as { readonly version: string };
const services = ["ingest", "embedding-worker", "search", "generation", "gateway"];

test("all five services are there, each with its own image and the settings of one file", () => {
  for (const name of services) {
    const service = compose.services[name];
    assert.equal(service?.image, `headwater-${name}:${version}`);
    assert.deepEqual(service?.build, { context: ".", args: { COMPONENT: name } });
    assert.equal(service?.command, undefined);
    assert.equal(service?.env_file, "deploy/production.env");
  }
});

test("every container has a pinned image and a health check, and waits only for what has one", () => {
  for (const [name, { image, healthcheck, depends_on }] of Object.entries(compose.services)) {
    assert.match(image, /^[^:]+:v?[\w.-]*\d[\w.-]*$/, `${name}: ${image}`);
    assert(healthcheck && healthcheck.test.length > 1, name);
    for (const [other, { condition }] of Object.entries(depends_on ?? {})) {
      assert.equal(condition, "service_healthy", `${name} on ${other}`);
      assert(compose.services[other], `${name} waits for ${other}`);
    }
  }
});

test("ports are published on loopback only", () => {
  for (const { ports = [] } of Object.values(compose.services))
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
});

test("what keeps data keeps it in a volume", () => {
  for (const name of ["kafka", "elasticsearch", "qdrant", "postgres", "s3"]) {
    const [volume] = (compose.services[name]?.volumes ?? [""])[0]?.split(":") ?? [];
    assert(volume !== undefined && volume in compose.volumes, name);
  }
});

test("every setting is one that a service reads, and names a service or secret that is there", () => {
  const known = {
    ...processSettings,
    ...ingestSettings,
    ...embeddingWorkerSettings,
    ...searchSettings,
    ...generationSettings,
    ...gatewaySettings,
  };
  for (const [name, value] of Object.entries(settings)) {
    assert(name in known, `${name} is no setting`);
    if (name.endsWith("_FILE")) {
      assert(value.startsWith("/run/secrets/"), name);
      assert(value.slice("/run/secrets/".length) in compose.secrets, name);
    } else if (/_(ADDRESS|BROKERS|URL|ENDPOINT)$/.test(name) && !/PUBLIC|METRICS/.test(name)) {
      const host = /(?:\/\/(?:[^@/]*@)?)?([a-z0-9-]+):\d+/.exec(value)?.[1];
      assert(host !== undefined && host in compose.services, `${name}=${value}`);
    }
  }
});

test("the services accept the settings, and choose servers by them", () => {
  const config = readIngestConfig(settings);
  assert.equal(config.storeValues.HEADWATER_KAFKA_BROKERS, "kafka:9092");
  assert.equal(config.storeValues.HEADWATER_S3_BUCKET, "headwater");
  assert.equal(readSearchConfig(settings).indexValues.HEADWATER_QDRANT_URL, "http://qdrant:6333");
  readEmbeddingWorkerConfig(settings);
  readGenerationConfig(settings);
});
