import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { missingServers } from "../../support/real-servers.ts";
import type { Namespace } from "./cluster.ts";
import { chart, noCluster } from "./cluster.ts";

const release = "headwater";
const registry = process.env.HEADWATER_IMAGE_REGISTRY;

/** Why an installation with running containers cannot be tested; false where it can. */
export function missingForInstallation(): string | false {
  const missing = [
    ...(noCluster ? [noCluster] : []),
    ...(registry ? [] : ["HEADWATER_IMAGE_REGISTRY names no images that a node has"]),
    ...missingServers().map((name) => `${name} is not set`),
  ];
  return missing.length > 0 && missing.join("; ");
}

/** Values for the node that has the images, with small requests, as it has the stores beside it. @param replicas of each */
export function realNode(replicas: number) {
  const each = () => ({ replicas, resources: { requests: { cpu: "10m", memory: "128Mi" } } });
  return {
    image: { registry, tag: process.env.HEADWATER_IMAGE_TAG ?? "", pullPolicy: "Never" },
    placement: { nodeSelector: { type: "real" } },
    ingest: each(),
    embeddingWorker: each(),
    search: each(),
    generation: each(),
    gateway: each(),
  };
}

/** A release of the chart in a namespace. */
export interface Installation {
  /** Installs, or upgrades what is there, and waits until all is ready. @param changes flags such as "--set", "a=b" */
  upgrade(...changes: readonly string[]): Promise<void>;
  rollback(): Promise<void>;
  /** Runs the chart's own tests. @returns what their pods printed */
  test(): Promise<string>;
  uninstall(): Promise<void>;
  /** host:port of the gateway's ClusterIP, for who runs on a node. */
  gatewayAddress(): Promise<string>;
  /** The key that the chart made. */
  apiKey(): Promise<string>;
  /** Names of the pods of a component that run. */
  pods(component: string): Promise<string[]>;
}

/**
 * @param folder for the values file
 * @param profile such as values-try.yaml
 */
export async function prepareInstallation(
  namespace: Namespace,
  folder: string,
  profile: string,
  values: object,
): Promise<Installation> {
  // JSON is YAML.
  const file = join(folder, "values.json");
  await writeFile(file, JSON.stringify(values));
  const timeout = ["--wait", "--timeout", "5m"];
  return {
    async upgrade(...changes) {
      const files = ["--values", join(chart, profile), "--values", file];
      await namespace.helm("upgrade", "--install", release, chart, ...files, ...changes, ...timeout);
    },
    async rollback() {
      await namespace.helm("rollback", release, ...timeout);
    },
    test: () => namespace.helm("test", release, "--logs", "--timeout", "5m"),
    async uninstall() {
      await namespace.helm("uninstall", release, ...timeout);
    },
    async gatewayAddress() {
      const service = await namespace.get<{ spec: { clusterIP: string } }>("service", `${release}-gateway`);
      return `${service.spec.clusterIP}:8080`;
    },
    async apiKey() {
      const secret = await namespace.get<{ data: Record<string, string> }>("secret", `${release}-api-keys`);
      const entries = Buffer.from(secret.data["api-keys"] ?? "", "base64").toString();
      return entries.split(/\s/)[0] ?? "";
    },
    async pods(component) {
      const labels = `app.kubernetes.io/instance=${release},app.kubernetes.io/component=${component}`;
      const { items } = await namespace.get<{ items: { metadata: { name: string } }[] }>(
        "pods",
        "-l",
        labels,
      );
      return items.map(({ metadata }) => metadata.name);
    },
  };
}
