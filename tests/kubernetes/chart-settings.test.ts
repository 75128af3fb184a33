import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseEnv } from "node:util";
import { embeddingWorkerSettings, readEmbeddingWorkerConfig } from "@headwater/embedding-worker/config";
import { gatewaySettings } from "@headwater/gateway/config";
import { generationSettings, readGenerationConfig } from "@headwater/generation/config";
import { ingestSettings, readIngestConfig } from "@headwater/ingest/config";
import { readScalerConfig, scalerSettings } from "@headwater/scaler/config";
import { readSearchConfig, searchSettings } from "@headwater/search/config";
import { processSettings } from "@headwater/service";
import { parse } from "yaml";
import { render, root, withoutHelm } from "./helm.ts";
import type { Container, Manifest } from "./manifest.ts";
import { find, ofKind, podsOf } from "./manifest.ts";
import { matrix, profiles } from "./options.ts";

const settingsOf: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ingest: ingestSettings,
  "embedding-worker": embeddingWorkerSettings,
  search: searchSettings,
  generation: generationSettings,
  gateway: gatewaySettings,
  scaler: scalerSettings,
};
const services = ["ingest", "embedding-worker", "search", "generation", "gateway"];
const known: Readonly<Record<string, unknown>> = Object.assign(
  {},
  processSettings,
  ...Object.values(settingsOf),
);
/** The `headwater` command's own, which stand with its options. */
const ofCommand = new Set(
  globSync("apps/cli/{*,commands/**/*,backup/**/*}.ts", { cwd: root }).flatMap(
    (file) => readFileSync(join(root, file), "utf8").match(/\bHEADWATER_[A-Z0-9_]+\b/g) ?? [],
  ),
);
const compose = parse(readFileSync(join(root, "docker-compose.yml"), "utf8"), { merge: true }) as {
  readonly services: Readonly<
    Record<string, { readonly image: string; readonly stop_grace_period?: string }>
  >;
};
const composed = parseEnv(readFileSync(join(root, "deploy", "production.env"), "utf8")) as Record<
  string,
  string
>;

function shared(manifests: readonly Manifest[]): Record<string, string> {
  return { ...find(manifests, "ConfigMap", "headwater-settings").data };
}

function own(container: Container | undefined): Record<string, string> {
  const settings = (container?.env ?? []).filter(({ name }) => name.startsWith("HEADWATER_"));
  return Object.fromEntries(settings.map(({ name, value = "" }) => [name, value]));
}

function containerOf(manifests: readonly Manifest[], service: string): Container | undefined {
  return find(manifests, "Deployment", `headwater-${service}`).spec?.template?.spec.containers?.[0];
}

/** All that a service is started with. */
function environment(manifests: readonly Manifest[], service: string): Record<string, string> {
  return { ...shared(manifests), ...own(containerOf(manifests, service)) };
}

/** Where an address leads, but for the host: `redis://redis:6379` and `redis://headwater-redis.rag.svc:6379` are alike. */
function withoutHost(address: string): string {
  return address.replace(/(^|\/\/|@)[a-z][a-z0-9.-]*(?=:\d)/, "$1…");
}

describe("settings of the chart", { skip: withoutHelm }, () => {
  for (const [name, values] of Object.entries(matrix)) {
    test(`are settings that services read: ${name}`, async () => {
      const manifests = await render(values);
      const configMap = ofKind(manifests, "ConfigMap").find(({ metadata }) =>
        metadata.name.endsWith("-settings"),
      );
      for (const setting of Object.keys(configMap?.data ?? {}))
        assert(setting in known, `${setting} is no setting`);
      for (const { owner, spec } of podsOf(manifests)) {
        for (const container of spec.containers ?? []) {
          const service = settingsOf[container.name];
          const read = { ...processSettings, ...(service ?? known) };
          for (const setting of Object.keys(own(container)))
            assert(
              setting in read || (!service && ofCommand.has(setting)),
              `${owner}: ${container.name} does not read ${setting}`,
            );
        }
      }
    });
  }

  for (const [name, values] of Object.entries(profiles)) {
    test(`are taken by the services, and lead to servers: ${name}`, async () => {
      const manifests = await render(values);
      const ingest = readIngestConfig(environment(manifests, "ingest"));
      for (const setting of [
        "HEADWATER_KAFKA_BROKERS",
        "HEADWATER_S3_BUCKET",
        "HEADWATER_POSTGRES_URL",
      ] as const)
        assert(ingest.storeValues[setting], setting);
      const { indexValues } = readSearchConfig(environment(manifests, "search"));
      assert(indexValues.HEADWATER_QDRANT_URL && indexValues.HEADWATER_ELASTICSEARCH_URL);
      assert(
        readEmbeddingWorkerConfig(environment(manifests, "embedding-worker")).cacheSettings
          .HEADWATER_REDIS_URL,
      );
      assert(readGenerationConfig(environment(manifests, "generation")).records.HEADWATER_POSTGRES_URL);
      if (ofKind(manifests, "ScaledObject").length > 0)
        assert.equal(readScalerConfig(environment(manifests, "scaler")).addresses.size, 5);
    });
  }

  test("name files that are mounted", async () => {
    for (const values of Object.values(matrix)) {
      const manifests = await render(values);
      for (const service of services) {
        const deployment = ofKind(manifests, "Deployment").find(({ metadata }) =>
          metadata.name.endsWith(`-${service}`),
        );
        const spec = deployment?.spec?.template?.spec;
        const mounted = (spec?.volumes ?? []).flatMap(({ projected }) =>
          (projected?.sources ?? []).flatMap(({ secret }) => secret?.items?.map(({ path }) => path) ?? []),
        );
        const configMap = ofKind(manifests, "ConfigMap").find(({ metadata }) =>
          metadata.name.endsWith("-settings"),
        );
        for (const [setting, file] of Object.entries({ ...configMap?.data, ...own(spec?.containers?.[0]) })) {
          if (!file.startsWith("/run/secrets/headwater/") || !(setting in (settingsOf[service] ?? {})))
            continue;
          const path = file.slice("/run/secrets/headwater/".length);
          assert(
            mounted.some((one) => one === path || one.startsWith(`${path}/`)),
            `${service}: ${setting}=${file}`,
          );
        }
      }
    }
  });

  test("are those of docker-compose.yml: same names, same values, but for hosts and folders of secrets", async () => {
    const manifests = await render({ profiles: ["try"] });
    const everywhere = Object.assign(
      {},
      shared(manifests),
      ...services.map((name) => own(containerOf(manifests, name))),
    );
    for (const [setting, value] of Object.entries(composed)) {
      // Reached from outside of the machine; in a cluster an operator has to say how.
      if (setting === "HEADWATER_S3_PUBLIC_ENDPOINT") continue;
      assert(setting in everywhere, `${setting} is in compose and not in the chart`);
      if (setting.endsWith("_FILE")) continue;
      assert.equal(withoutHost(everywhere[setting] ?? ""), withoutHost(value), setting);
    }
  });

  test("bring each service to the address that the others call", async () => {
    const manifests = await render(profiles["production"] ?? {});
    const settings = shared(manifests);
    const prefixes: Record<string, string> = {
      ingest: "INGEST",
      "embedding-worker": "EMBEDDING",
      search: "SEARCH",
      generation: "GENERATION",
    };
    for (const [service, prefix] of Object.entries(prefixes)) {
      const address = settings[`HEADWATER_${prefix}_ADDRESS`] ?? "";
      assert.equal(address.split(":")[0], `headwater-${service}.rag.svc`);
      const port = Number(address.split(":")[1]);
      assert.equal(settings[`HEADWATER_${prefix}_LISTEN`], `0.0.0.0:${port}`);
      assert(
        find(manifests, "Service", `headwater-${service}`).spec?.ports?.some((one) => one.port === port),
      );
      assert(containerOf(manifests, service)?.ports?.some(({ containerPort }) => containerPort === port));
    }
  });

  test("an operator's word wins over the chart's, for all and for one", async () => {
    const settings = { HEADWATER_LOG_LEVEL: "debug", HEADWATER_KAFKA_CREATE_TOPICS: false };
    const set = { settings, "search.settings": { HEADWATER_LOG_LEVEL: "warn" } };
    const manifests = await render({ profiles: ["try"], set });
    assert.equal(environment(manifests, "ingest")["HEADWATER_LOG_LEVEL"], "debug");
    assert.equal(environment(manifests, "ingest")["HEADWATER_KAFKA_CREATE_TOPICS"], "false");
    assert.equal(environment(manifests, "search")["HEADWATER_LOG_LEVEL"], "warn");
  });
});

describe("images of the chart", { skip: withoutHelm }, () => {
  test("are those of docker-compose.yml: services and stores, of the same versions", async () => {
    const rendered = podsOf(await render({ profiles: ["try"] })).flatMap(({ spec }) =>
      (spec.containers ?? []).map(({ image }) => image.split("@")[0]),
    );
    assert(Object.keys(compose.services).length >= 11);
    for (const { image } of Object.values(compose.services))
      assert(rendered.includes(image), `compose runs ${image}, the chart ${rendered.join(" ")}`);
  });

  test("let a service as much time to end as compose does, or more", async () => {
    for (const { metadata, spec } of ofKind(await render({ profiles: ["try"] }), "Deployment")) {
      const seconds = Number.parseInt(compose.services["search"]?.stop_grace_period ?? "", 10);
      assert((spec?.template?.spec.terminationGracePeriodSeconds ?? 0) >= seconds, metadata.name);
    }
  });
});
