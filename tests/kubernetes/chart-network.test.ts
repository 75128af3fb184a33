import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { refusal, render, withoutHelm } from "./helm.ts";
import type { Labels, Manifest, PolicyPeer, PolicyRule } from "./manifest.ts";
import { component, find, ofKind, podsOf, selects } from "./manifest.ts";
import { profiles, servers } from "./options.ts";

/** Who calls whom, as the services' code has it. */
const calls: readonly (readonly [string, string, number])[] = [
  ["gateway", "ingest", 7001],
  ["gateway", "embedding-worker", 7002],
  ["gateway", "search", 7003],
  ["gateway", "generation", 7004],
  ["generation", "ingest", 7001],
  ["generation", "embedding-worker", 7002],
  ["generation", "search", 7003],
  ["generation", "generation", 7004],
  ["search", "embedding-worker", 7002],
  ["ingest", "embedding-worker", 7002],
  ["scaler", "ingest", 7001],
  ["scaler", "embedding-worker", 7002],
  ["scaler", "search", 7003],
  ["scaler", "generation", 7004],
  ["scaler", "gateway", 7006],
];
const ports = [7001, 7002, 7003, 7004, 7005, 7006, 8080, 9464];
const services = ["ingest", "embedding-worker", "search", "generation", "gateway", "scaler"];

/** Judges policies as a cluster's network does: what no policy names is denied, on both ends. */
class Network {
  readonly #policies: Manifest[];
  readonly #labels: ReadonlyMap<string, Labels>;

  constructor(manifests: readonly Manifest[]) {
    this.#policies = ofKind(manifests, "NetworkPolicy");
    this.#labels = new Map(
      podsOf(manifests)
        .filter(({ manifest }) => manifest.kind !== "CronJob")
        .map(({ labels }) => [labels[component] ?? "", labels]),
    );
  }

  /** Between components of the release. */
  allows(from: string, to: string, port: number): boolean {
    const [source = {}, target = {}] = [this.#labels.get(from), this.#labels.get(to)];
    const inside = (peer: PolicyPeer, labels: Labels) =>
      peer.podSelector !== undefined &&
      peer.namespaceSelector === undefined &&
      selects(peer.podSelector.matchLabels, labels);
    const leaves = this.#rules(source, "Egress").some(
      (rule) => names(rule, port) && (!rule.to || rule.to.some((peer) => inside(peer, target))),
    );
    const enters = this.#rules(target, "Ingress").some(
      (rule) => names(rule, port) && (!rule.from || rule.from.some((peer) => inside(peer, source))),
    );
    return leaves && enters;
  }

  /** What lies outside of the release and a component may call, as `peer:port`. */
  exits(name: string): string[] {
    return this.#rules(this.#labels.get(name) ?? {}, "Egress").flatMap(({ to = [], ports = [] }) =>
      to.flatMap((peer) => {
        const where =
          peer.ipBlock?.cidr ??
          peer.namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"] ??
          (peer.podSelector?.matchLabels ? undefined : "own namespace");
        return where === undefined ? [] : ports.map(({ port, protocol }) => `${where}:${port}/${protocol}`);
      }),
    );
  }

  /** Who outside of the release may call a component, as `peer:port`. */
  entries(name: string): string[] {
    return this.#rules(this.#labels.get(name) ?? {}, "Ingress").flatMap(({ from, ports = [] }) =>
      (from ?? [undefined]).flatMap((peer) => {
        const where =
          peer === undefined
            ? "anybody"
            : peer.namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"];
        return where === undefined ? [] : ports.map(({ port }) => `${where}:${port}`);
      }),
    );
  }

  #rules(labels: Labels, direction: "Ingress" | "Egress"): PolicyRule[] {
    const policies = this.#policies.filter(
      ({ spec }) =>
        spec?.policyTypes?.includes(direction) === true && selects(spec.podSelector?.matchLabels, labels),
    );
    assert(policies.length > 0, `nothing denies ${direction}`);
    return policies.flatMap(({ spec }) => (direction === "Ingress" ? spec?.ingress : spec?.egress) ?? []);
  }
}

function names({ ports: named }: PolicyRule, port: number): boolean {
  return named === undefined || named.some((one) => one.port === port);
}

describe("network policies", { skip: withoutHelm }, () => {
  test("let through exactly the calls that the services make of each other", async () => {
    const network = new Network(await render(profiles["production"] ?? {}));
    for (const from of services) {
      for (const to of services) {
        for (const port of ports) {
          // Whoever may come to the gateway from anywhere may do so from within, if his own policy lets him out.
          const wanted = calls.some((call) => call[0] === from && call[1] === to && call[2] === port);
          assert.equal(network.allows(from, to, port), wanted, `${from} to ${to}:${port}`);
        }
      }
    }
  });

  test("let out to the stores that a service opens, and to names, and no further", async () => {
    const network = new Network(await render(profiles["production"] ?? {}));
    const dns = ["kube-system:53/UDP", "kube-system:53/TCP"];
    const engines = ["10.20.1.0/24:9200/TCP", "vectors:6333/TCP"];
    assert.deepEqual(
      network.exits("ingest").sort(),
      [...dns, ...engines, "10.20.0.0/24:9093/TCP", "own namespace:5432/TCP", "10.20.5.0/24:443/TCP"].sort(),
    );
    assert.deepEqual(network.exits("search").sort(), [...dns, ...engines].sort());
    assert.deepEqual(network.exits("embedding-worker").sort(), [...dns, "10.20.3.4/32:6380/TCP"].sort());
    assert.deepEqual(network.exits("generation").sort(), [...dns, "own namespace:5432/TCP"].sort());
    assert.deepEqual(network.exits("gateway").sort(), dns.sort());
    assert.deepEqual(network.exits("scaler").sort(), dns.sort());
  });

  test("let people to the gateway, KEDA to the scaler, and Prometheus to the metrics", async () => {
    const network = new Network(await render(profiles["production"] ?? {}));
    for (const name of ["ingest", "embedding-worker", "search", "generation"])
      assert.deepEqual(network.entries(name), ["monitoring:9464"], name);
    assert.deepEqual(network.entries("gateway"), ["anybody:8080", "monitoring:9464"]);
    assert.deepEqual(network.entries("scaler"), ["keda:7005", "monitoring:9464"]);
    const fenced = new Network(
      await render({
        profiles: ["try"],
        set: {
          "networkPolicy.gatewayFrom": [
            { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress" } } },
          ],
        },
      }),
    );
    assert.deepEqual(fenced.entries("gateway"), ["ingress:8080", "monitoring:9464"]);
  });

  test("find in-cluster stores by their pods, and let in who opens them", async () => {
    const network = new Network(await render(profiles["try"] ?? {}));
    for (const name of services.filter((service) => service !== "scaler"))
      assert.deepEqual(network.exits(name), ["kube-system:53/UDP", "kube-system:53/TCP"], name);
  });

  test("know where an address leads, whatever its form", async () => {
    const exits = async (set: Record<string, unknown>, name = "ingest") =>
      new Network(
        await render({ profiles: ["production"], set: { ...servers, "kafka.network.cidrs": [], ...set } }),
      ).exits(name);
    assert(
      (await exits({ "kafka.brokers": "kafka-0.kafka.streams.svc.cluster.local:9092" })).includes(
        "streams:9092/TCP",
      ),
    );
    assert((await exits({ "kafka.brokers": "kafka.streams.svc:9092" })).includes("streams:9092/TCP"));
    assert((await exits({ "kafka.brokers": "kafka:9094" })).includes("own namespace:9094/TCP"));
    assert(
      (await exits({ "kafka.brokers": "10.1.2.3:9092,10.1.2.4:9093" })).includes("10.1.2.4/32:9093/TCP"),
    );
    const ports = { cidrs: ["10.1.0.0/16"], ports: [9092, 19092] };
    const ranged = await exits({ "kafka.brokers": "kafka.example.com:9092", "kafka.network": ports });
    assert(ranged.includes("10.1.0.0/16:9092/TCP") && ranged.includes("10.1.0.0/16:19092/TCP"));
    const models = { baseUrl: "http://10.9.8.7:8000/v1", model: "llama", existingSecret: "", secretKey: "" };
    assert(
      (await exits({ "kafka.brokers": "kafka:1", "generation.openai": models }, "generation")).includes(
        "10.9.8.7/32:8000/TCP",
      ),
    );
    const collector = {
      "kafka.brokers": "kafka:1",
      "monitoring.otlpEndpoint": "http://collector.monitoring.svc:4317",
    };
    for (const name of services) assert((await exits(collector, name)).includes("monitoring:4317/TCP"), name);
  });

  test("ask where a name outside of the cluster is, as policies know no names", async () => {
    const said = await refusal({ profiles: ["production"], set: { ...servers, "kafka.network.cidrs": [] } });
    assert.match(
      said,
      /kafka: a network policy cannot tell where "kafka-0\.example\.com" is; set kafka\.network\.cidrs/,
    );
    const model = await refusal({
      profiles: ["try"],
      set: { "generation.models": { models: [{ name: "claude", provider: "anthropic", model: "claude" }] } },
    });
    assert.match(model, /set generation\.network\.cidrs/);
  });

  test("the Service that people come through leads neither to the load nor to the metrics", async () => {
    const manifests = await render(profiles["production"] ?? {});
    const { spec } = find(manifests, "Service", "headwater-gateway");
    assert.deepEqual(
      spec?.ports?.map(({ targetPort }) => targetPort),
      ["http", "http"],
    );
    const load = find(manifests, "Service", "headwater-gateway-load");
    assert.equal(load.spec?.clusterIP, "None");
    assert.deepEqual(
      load.spec?.ports?.map(({ port }) => port),
      [9464, 7006],
    );
  });
});
