import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import type { Values } from "./helm.ts";
import { chart, refusal, render, withoutHelm } from "./helm.ts";
import { servers } from "./options.ts";

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
}

const schema = JSON.parse(readFileSync(join(chart, "values.schema.json"), "utf8")) as Schema & {
  readonly definitions: Readonly<Record<string, Schema>>;
};
const values = parse(readFileSync(join(chart, "values.yaml"), "utf8")) as Record<string, unknown>;

/** A schema with what it refers to. */
function resolved(given: Schema): Schema {
  const name = given.$ref?.replace("#/definitions/", "");
  const own = name === undefined ? given : (schema.definitions[name] ?? {});
  return Object.assign({}, ...(own.allOf ?? []).map(resolved), own) as Schema;
}

describe("the schema of the values", () => {
  test("describes every field, and lets no other in", () => {
    const visit = (given: Schema, path: string) => {
      const { description, properties, additionalProperties } = resolved(given);
      if (path !== "") assert(description, `${path} has no description`);
      if (!properties) return;
      assert.equal(additionalProperties, false, `${path || "the top"} lets anything in`);
      for (const [name, field] of Object.entries(properties)) visit(field, `${path}.${name}`);
    };
    visit(schema, "");
  });

  test("has the fields of values.yaml, and values.yaml those of the schema", () => {
    const visit = (given: Schema, value: unknown, path: string) => {
      const { properties } = resolved(given);
      if (!properties || typeof value !== "object" || value === null) return;
      const fields = Object.keys(value);
      // Which of the two forms a peer or a reference has is its writer's choice.
      const open =
        fields.length === 0 ||
        /\.(prometheus|keda|issuerRef|existingSecrets|identities|scaleUp|scaleDown)$/.test(path);
      const missing = open
        ? []
        : Object.keys(properties).filter((name) => name !== "global" && !fields.includes(name));
      assert.deepEqual(missing, [], `values.yaml does not show ${path}`);
      for (const [name, field] of Object.entries(value))
        visit(properties[name] ?? {}, field, `${path}.${name}`);
    };
    visit(schema, values, "");
  });
});

describe("values that helm refuses", { skip: withoutHelm }, () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["ingest.replica", 2, /additional properties 'replica' not allowed/],
    ["ingest.replicas", "2", /ingest\/replicas.*got string, want integer/s],
    ["ingest.replicas", 0, /minimum/],
    ["image.tag", "latest", /image\/tag/],
    ["image.pullPolicy", "Sometimes", /pullPolicy/],
    ["search.image.digest", "abc", /does not match pattern/],
    ["autoscaling.mode", "magic", /autoscaling\/mode/],
    ["tls.mode", "some", /tls\/mode/],
    ["settings.PATH", "/bin", /PATH/],
    ["kafka.network.cidrs", ["kafka.example.com"], /cidrs/],
    ["search.autoscaling.target", 0, /target/],
    ["search.resources.limits", null, /limits/],
    ["gateway.service.type", "ExternalName", /type/],
    ["podDisruptionBudget.maxUnavailable", 0, /maxUnavailable/],
    ["search.drain.graceSeconds", 0, /graceSeconds/],
    ["redis.url", "http://redis", /redis\/url/],
    ["fullnameOverride", "Head Water", /fullnameOverride/],
  ];
  for (const [name, value, said] of wrong) {
    test(`by the schema: ${name}=${JSON.stringify(value)}`, async () => {
      assert.match(await refusal({ profiles: ["try"], set: { [name]: value } }), said);
    });
  }

  const impossible: readonly (readonly [string, Values, RegExp])[] = [
    [
      "no servers",
      {},
      /kafka\.brokers is not set.*elasticsearch\.url is not set.*qdrant\.url.*postgresql\.url.*s3\.bucket/s,
    ],
    [
      "a server and one in the cluster",
      { profiles: ["try"], set: { "qdrant.url": "http://qdrant:6333" } },
      /qdrant\.url and qdrant\.inCluster\.enabled are both set/,
    ],
    [
      "a password in an address",
      { profiles: ["production"], set: { ...servers, "postgresql.url": "postgres://a:b@postgres:5432/c" } },
      /postgresql\.url holds a password/,
    ],
    [
      "a user without a password",
      { profiles: ["production"], set: { ...servers, "kafka.existingSecret": "" } },
      /kafka\.username needs kafka\.existingSecret/,
    ],
    [
      "more readers than partitions",
      { profiles: ["production"], set: { ...servers, "kafka.partitions": 12 } },
      /ingest would have up to 32 replicas and kafka\.partitions is 12/,
    ],
    [
      "more readers than partitions, without an autoscaler",
      { profiles: ["try"], set: { "ingest.replicas": 9 } },
      /up to 9 replicas and kafka\.partitions is 8/,
    ],
    [
      "fewest above most",
      { profiles: ["try"], set: { "autoscaling.mode": "hpa", "search.autoscaling.minReplicas": 11 } },
      /search\.autoscaling: minReplicas 11 is above maxReplicas 10/,
    ],
    [
      "a service that nobody would find",
      { profiles: ["try"], set: { "autoscaling.mode": "keda", "search.autoscaling.minReplicas": 0 } },
      /search\.autoscaling\.minReplicas is 0: only ingest can go to zero/,
    ],
    [
      "to zero without KEDA",
      { profiles: ["try"], set: { "autoscaling.mode": "hpa", "ingest.autoscaling.minReplicas": 0 } },
      /only with autoscaling\.mode=keda/,
    ],
    [
      "a secret in the environment",
      { profiles: ["try"], set: { "generation.settings": { HEADWATER_OPENAI_API_KEY: "sk-1" } } },
      /settings\.HEADWATER_OPENAI_API_KEY: a secret does not belong into the environment/,
    ],
    [
      "certificates that are not named",
      { profiles: ["try"], set: { "tls.mode": "existingSecrets", "tls.existingSecrets": { ingest: "a" } } },
      /tls\.existingSecrets\.embeddingWorker is not set/,
    ],
    [
      "models that nothing looks at",
      { profiles: ["try"], set: { "embeddingWorker.model.volume": { emptyDir: {} } } },
      /neither model\.dir nor model\.rerankerDir/,
    ],
    [
      "half of a language model",
      { profiles: ["try"], set: { "generation.openai.model": "llama" } },
      /baseUrl and model go together/,
    ],
    [
      "an ingress to nowhere",
      { profiles: ["try"], set: { "ingress.enabled": true } },
      /needs ingress\.hosts/,
    ],
    [
      "routes of no Gateway",
      { profiles: ["try"], set: { "gatewayApi.enabled": true } },
      /needs gatewayApi\.parentRefs/,
    ],
    [
      "two routes on one host",
      {
        profiles: ["try"],
        set: {
          "gatewayApi.enabled": true,
          "gatewayApi.parentRefs": [{ name: "a" }],
          "gatewayApi.grpc.enabled": true,
        },
      },
      /cannot share a host/,
    ],
  ];
  for (const [name, given, said] of impossible) {
    test(`since they cannot work: ${name}`, async () => {
      assert.match(await refusal(given), said);
    });
  }

  test("and the same values, put right, are taken", async () => {
    await render({
      profiles: ["production"],
      set: { ...servers, "kafka.partitions": 12, "ingest.autoscaling.maxReplicas": 12 },
    });
    await render({
      profiles: ["try"],
      set: {
        "generation.openai": {
          baseUrl: "http://vllm:8000/v1",
          model: "llama",
          existingSecret: "",
          secretKey: "",
        },
      },
    });
  });
});
