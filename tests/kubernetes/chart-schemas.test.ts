import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { kubeVersion, missing, renderText, withoutHelm } from "./helm.ts";
import { matrix } from "./options.ts";

interface Verdict {
  readonly resources: readonly {
    readonly kind: string;
    readonly name: string;
    readonly status: string;
    readonly msg: string;
  }[];
  readonly summary: {
    readonly valid: number;
    readonly invalid: number;
    readonly errors: number;
    readonly skipped: number;
  };
}

/** Judges objects by the schemas of a real API server, see schemas/README.md. */
function kubeconform(manifests: string): Verdict {
  const schemas = join(import.meta.dirname, "schemas", "{{.ResourceKind}}{{.KindSuffix}}.json");
  const args = [
    "-strict",
    "-summary",
    "-output",
    "json",
    "-kubernetes-version",
    kubeVersion,
    "-schema-location",
    schemas,
  ];
  const { stdout, error } = spawnSync("kubeconform", [...args, "-"], {
    input: manifests,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) throw error;
  return JSON.parse(stdout) as Verdict;
}

describe("an API server's schemas", { skip: withoutHelm || missing("kubeconform", "-v") }, () => {
  test("know every field of every profile and choice", async () => {
    // One run over all of them: what takes its time is reading the schemas.
    const rendered: string[] = [];
    for (const values of Object.values(matrix)) rendered.push(await renderText(values));
    const { resources, summary } = kubeconform(rendered.join("\n---\n"));
    assert.deepEqual(resources, []);
    assert(summary.valid > 20 * rendered.length);
    assert.deepEqual({ ...summary, valid: 0 }, { valid: 0, invalid: 0, errors: 0, skipped: 0 });
  });

  test("refuse a field that nobody knows", async () => {
    const wrong = (await renderText(matrix["try"] ?? {})).replaceAll(
      "revisionHistoryLimit:",
      "revisionHistory:",
    );
    assert.match(kubeconform(wrong).resources[0]?.msg ?? "", /revisionHistory/);
  });
});
