import type { PromptShare, PromptVariable } from "@headwater/client";
import { percent } from "./format.ts";

/** Names of the variables in a text, in order, each once; as the server reads them. */
export function variablesIn(text: string): string[] {
  const places = text.matchAll(/\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}/g);
  return [...new Set(Array.from(places, ([, name = ""]) => name))];
}

/** What is wrong with the variables of a text; empty: nothing. `allowed` empty: any. */
export function variableFaults(text: string, allowed: readonly PromptVariable[]): string[] {
  const used = variablesIn(text);
  if (allowed.length === 0) return [];
  return [
    ...used
      .filter((name) => !allowed.some((variable) => variable.name === name))
      .map((name) => `{{${name}}} is not known.`),
    ...allowed
      .filter(({ name, required }) => required && !used.includes(name))
      .map(({ name }) => `{{${name}}} is missing.`),
  ];
}

/** "version 2", or of a split "version 2 50%, version 3 50%". */
export function sharesText(shares: readonly PromptShare[]): string {
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  if (shares.length === 1) return versionName(shares[0]?.version ?? 0);
  return shares.map(({ version, weight }) => `${versionName(version)} ${percent(weight / total)}`).join(", ");
}

export function versionName(version: number): string {
  return version === 0 ? "built in" : `version ${version}`;
}

export type DiffKind = "added" | "removed" | "place" | "same";

/** Lines of a unified diff without its head, each with what became of it. */
export function diffLines(diff: string): { kind: DiffKind; text: string }[] {
  const lines = diff.split("\n");
  const first = lines.findIndex((line) => line.startsWith("@@"));
  if (first < 0) return [];
  return lines
    .slice(first)
    .filter((line, index, all) => line !== "" || index < all.length - 1)
    .map((text) => ({ kind: kinds[text.slice(0, 1)] ?? "same", text }));
}

const kinds: Readonly<Record<string, DiffKind>> = { "+": "added", "-": "removed", "@": "place" };
