import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { chart, lint, render, renderText, withoutHelm } from "./helm.ts";
import { ofKind } from "./manifest.ts";
import { matrix, profiles } from "./options.ts";

describe("the chart", { skip: withoutHelm }, () => {
  for (const [name, values] of Object.entries(matrix)) {
    test(`renders: ${name}`, async () => {
      const manifests = await render(values);
      const names = manifests.map(
        ({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`,
      );
      assert.deepEqual(
        names.filter((one, index) => names.indexOf(one) !== index),
        [],
        "two objects of one name",
      );
      for (const { kind, metadata } of manifests) {
        assert.equal(
          metadata.namespace,
          undefined,
          `${kind} ${metadata.name}: the release has the namespace`,
        );
        assert(metadata.name.length <= 63, metadata.name);
        assert.equal(
          metadata.labels?.["app.kubernetes.io/instance"],
          values.release ?? "headwater",
          metadata.name,
        );
        assert.equal(metadata.labels?.["app.kubernetes.io/managed-by"], "Helm", metadata.name);
      }
    });
  }

  for (const [name, values] of Object.entries(profiles)) {
    test(`has nothing to lint: ${name}`, async () => {
      assert.match(await lint(values), /1 chart\(s\) linted, 0 chart\(s\) failed/);
    });
  }

  test("profiles are all tried", () => {
    const files = globSync("values-*.yaml", { cwd: chart }).map((file) =>
      file.slice("values-".length, -".yaml".length),
    );
    const tried = new Set(Object.values(profiles).flatMap((values) => values.profiles ?? []));
    assert.deepEqual(
      files.filter((profile) => !tried.has(profile)),
      [],
    );
  });

  test("no template names a namespace of its own", () => {
    for (const file of globSync("templates/**/*.yaml", { cwd: chart }))
      assert.doesNotMatch(readFileSync(join(chart, file), "utf8"), /^ {2}namespace:/m, file);
  });

  test("names stay within 63 characters under the longest release name", async () => {
    const manifests = await render({ profiles: ["try"], release: `headwater-${"a".repeat(43)}` });
    for (const { metadata } of manifests) assert(metadata.name.length <= 63, metadata.name);
  });

  test("what is rendered twice is the same, but for secrets that are made", async () => {
    const production = matrix["production with tls of an issuer"] ?? {};
    const set = { ...production.set, "gateway.apiKeys.existingSecret": "keys" };
    assert.equal(await renderText({ ...production, set }), await renderText({ ...production, set }));
  });

  test("a change of settings starts the pods anew, a change of the replicas does not", async () => {
    const checksums = async (set: Record<string, unknown>) =>
      ofKind(await render({ profiles: ["try"], set }), "Deployment").map(
        ({ spec }) => spec?.template?.metadata,
      );
    const before = await checksums({});
    const after = await checksums({ logLevel: "debug" });
    for (const [index, metadata] of before.entries()) assert.notDeepEqual(after[index], metadata);
    assert.deepEqual(await checksums({ "search.replicas": 3 }), before);
  });
});
