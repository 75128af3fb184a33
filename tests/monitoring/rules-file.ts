import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const root = join(import.meta.dirname, "..", "..");
export const rulesPath = join(root, "deploy", "prometheus", "rules.yaml");

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

export function readRules(): Rule[] {
  const { groups } = parse(readFileSync(rulesPath, "utf8")) as { groups: readonly RuleGroup[] };
  return groups.flatMap(({ rules }) => rules);
}
