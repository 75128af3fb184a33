import type { Registry } from "@headwater/telemetry";

/**
 * The metrics of several registries as one page in Prometheus' text format. Services of one process have metrics of
 * the same name, told apart by their `service` label; the format wants each name's samples together, under one HELP
 * and TYPE, which prom-client's own merge refuses.
 */
export async function exposition(registries: readonly Registry[]): Promise<string> {
  const families = new Map<string, string[]>();
  for (const registry of registries) {
    for (const block of (await registry.metrics()).split(/\n(?=# HELP )/)) {
      const [help = "", type = "", ...samples] = block.trim().split("\n");
      if (help === "") continue;
      const header = `${help}\n${type}`;
      const known = families.get(header);
      if (known) known.push(...samples);
      else families.set(header, samples);
    }
  }
  return [...families].map(([header, samples]) => `${[header, ...samples].join("\n")}\n`).join("\n");
}
