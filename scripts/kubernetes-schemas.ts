/**
 * Writes tests/kubernetes/schemas: JSON schemas of the kinds that the chart makes, cut out of what a real API server
 * publishes, strict and without descriptions. Run on a cluster that has the CRDs of KEDA, cert-manager, the Gateway API
 * and the Prometheus operator: `kubectl get --raw /openapi/v2 | node scripts/kubernetes-schemas.ts`.
 */
import { globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { json } from "node:stream/consumers";

interface Schema {
  readonly [keyword: string]: unknown;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

interface OpenApi {
  readonly info: { readonly version: string };
  readonly definitions: Readonly<Record<string, Schema>>;
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const wanted = new Set([
  ...["v1 ConfigMap", "v1 PersistentVolumeClaim", "v1 Pod", "v1 Secret", "v1 Service", "v1 ServiceAccount"],
  ...["apps/v1 Deployment", "apps/v1 StatefulSet", "batch/v1 CronJob", "batch/v1 Job"],
  ...["autoscaling/v2 HorizontalPodAutoscaler", "policy/v1 PodDisruptionBudget"],
  ...["networking.k8s.io/v1 Ingress", "networking.k8s.io/v1 NetworkPolicy"],
  ...["rbac.authorization.k8s.io/v1 Role", "rbac.authorization.k8s.io/v1 RoleBinding"],
  ...["keda.sh/v1alpha1 ScaledObject", "keda.sh/v1alpha1 TriggerAuthentication"],
  ...["cert-manager.io/v1 Certificate", "cert-manager.io/v1 Issuer"],
  ...["gateway.networking.k8s.io/v1 GRPCRoute", "gateway.networking.k8s.io/v1 HTTPRoute"],
  ...["monitoring.coreos.com/v1 PodMonitor", "monitoring.coreos.com/v1 PrometheusRule"],
  "monitoring.coreos.com/v1 ServiceMonitor",
]);
const kept = [
  "type",
  "required",
  "enum",
  "pattern",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
];
const folder = join(import.meta.dirname, "..", "tests", "kubernetes", "schemas");
const { info, definitions } = (await json(process.stdin)) as OpenApi;
const used = new Map<string, object>();

for (const file of globSync("*.json", { cwd: folder })) rmSync(join(folder, file));
mkdirSync(folder, { recursive: true });
for (const [name, definition] of Object.entries(definitions)) {
  const kinds = definition["x-kubernetes-group-version-kind"] as readonly GroupVersionKind[] | undefined;
  for (const { group, version, kind } of kinds ?? []) {
    const apiVersion = group === "" ? version : `${group}/${version}`;
    if (!wanted.delete(`${apiVersion} ${kind}`)) continue;
    use(name);
    const schema = {
      $schema: "http://json-schema.org/draft-07/schema#",
      allOf: [{ $ref: `definitions.json#/definitions/${name}` }],
      required: ["apiVersion", "kind", "metadata"],
      properties: { apiVersion: { const: apiVersion }, kind: { const: kind } },
    };
    // As kubeconform names them: {{.ResourceKind}}{{.KindSuffix}}
    const suffix = group === "" ? version : `${group.split(".")[0]}-${version}`;
    write(`${kind.toLowerCase()}-${suffix}.json`, schema);
  }
}
if (wanted.size > 0) throw new Error(`this cluster does not know ${[...wanted].join(", ")}`);
write("definitions.json", {
  $comment: `From a Kubernetes ${info.version} API server by scripts/kubernetes-schemas.ts; see README.md.`,
  definitions: Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1))),
});

function write(file: string, content: object): void {
  writeFileSync(join(folder, file), `${JSON.stringify(content)}\n`);
}

/** Takes a definition, and those that it names, along. */
function use(name: string): void {
  if (used.has(name)) return;
  used.set(name, {});
  used.set(name, strict(definitions[name] ?? {}));
}

function strict(schema: Schema): object {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace("#/definitions/", "");
    if (name.endsWith(".util.intstr.IntOrString")) return { type: ["string", "integer"] };
    if (name.endsWith(".api.resource.Quantity")) return { type: ["string", "number"] };
    use(name);
    return { $ref: `definitions.json#/definitions/${name}` };
  }
  if (schema["x-kubernetes-int-or-string"] === true || schema["format"] === "int-or-string")
    return { type: ["string", "integer"] };
  const cut: Record<string, unknown> = Object.fromEntries(
    kept.flatMap((keyword) => (keyword in schema ? [[keyword, schema[keyword]]] : [])),
  );
  if (schema.items) cut["items"] = strict(schema.items);
  if (schema.properties) {
    cut["properties"] = Object.fromEntries(
      Object.entries(schema.properties).map(([property, of]) => [property, strict(of)]),
    );
    cut["additionalProperties"] = schema["x-kubernetes-preserve-unknown-fields"] === true;
  } else if (typeof schema.additionalProperties === "object")
    cut["additionalProperties"] = strict(schema.additionalProperties);
  return cut;
}
