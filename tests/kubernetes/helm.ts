import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import type { Manifest } from "./manifest.ts";

const run = promisify(execFile);

export const root = join(import.meta.dirname, "..", "..");
export const chart = join(root, "helm", "headwater");

/** Where the templates are tried; helm knows no version by itself where there is no cluster. */
export const kubeVersion = "1.36.3";

/** A reason to leave tests out, for node:test's `skip`. */
export const withoutHelm = missing("helm", "version");

/** @param argument makes the program say its version */
export function missing(program: string, argument: string): string | false {
  if (spawnSync(program, [argument]).error === undefined) return false;
  const reason = `LEFT OUT: there is no ${program} on the PATH (.ci/run builds it where Go is)`;
  process.stderr.write(`${reason}\n`);
  return reason;
}

/** What an operator gives to helm. */
export interface Values {
  /** Profiles of the chart, such as `production`. */
  readonly profiles?: readonly string[];
  /** On top of them, as in a values file. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly release?: string;
  readonly namespace?: string;
}

const rendered = new Map<string, Promise<Manifest[]>>();

/** The objects that `helm template` makes; the same values are rendered once. @throws with helm's words */
export function render(values: Values): Promise<Manifest[]> {
  const key = JSON.stringify(values);
  const known = rendered.get(key) ?? renderText(values).then(parseManifests);
  rendered.set(key, known);
  return known;
}

/** The same as text. @throws with helm's words */
export async function renderText(values: Values): Promise<string> {
  return helm(["template", values.release ?? "headwater", ...shared(values)]);
}

/** @throws with helm's words */
export async function lint(values: Values): Promise<string> {
  return helm(["lint", "--strict", ...shared(values, [])]);
}

/** What helm says of values that it refuses. */
export async function refusal(values: Values): Promise<string> {
  try {
    await render(values);
  } catch (thrown) {
    return String((thrown as { readonly stderr?: string }).stderr ?? thrown);
  }
  throw new Error(`helm took ${JSON.stringify(values)}`);
}

export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if ("errors" in document && document.errors.length > 0) throw document.errors[0];
    const value = document.toJS() as Manifest | null;
    return value === null ? [] : [value];
  });
}

function shared({ profiles = [], set = {}, namespace = "rag" }: Values, more: string[] = []): string[] {
  const files = profiles.flatMap((profile) => ["--values", join(chart, `values-${profile}.yaml`)]);
  const values = Object.entries(set).flatMap(([name, value]) => [
    "--set-json",
    `${name}=${JSON.stringify(value)}`,
  ]);
  return [chart, ...files, ...values, "--namespace", namespace, "--kube-version", kubeVersion, ...more];
}

async function helm(args: readonly string[]): Promise<string> {
  const { stdout } = await run("helm", args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
