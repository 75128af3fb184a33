import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { components } from "../../scripts/image/component.ts";

interface Skaffold {
  readonly build: {
    readonly artifacts: readonly {
      readonly image: string;
      readonly docker: { readonly dockerfile: string; readonly buildArgs: { readonly COMPONENT: string } };
    }[];
  };
  readonly deploy: {
    readonly helm: {
      readonly releases: readonly {
        readonly chartPath: string;
        readonly valuesFiles: readonly string[];
        readonly setValueTemplates: Readonly<Record<string, string>>;
      }[];
    };
  };
}

const root = join(import.meta.dirname, "../..");
const skaffold = parse(readFileSync(join(root, "skaffold.yaml"), "utf8")) as Skaffold;
const [release] = skaffold.deploy.helm.releases;

test("skaffold builds every image that there is, each by its own argument", () => {
  assert.deepEqual(
    skaffold.build.artifacts.map(({ image }) => image).sort(),
    components.map(({ name }) => `headwater-${name}`).sort(),
  );
  for (const { image, docker } of skaffold.build.artifacts) {
    assert.equal(`headwater-${docker.buildArgs.COMPONENT}`, image);
    assert.match(readFileSync(join(root, docker.dockerfile), "utf8"), /^ARG COMPONENT/m);
  }
});

test("skaffold tells the chart the tag of each, under a name that the chart's values have", () => {
  assert(release);
  const values = parse(readFileSync(join(root, release.chartPath, "values.yaml"), "utf8")) as Record<
    string,
    { readonly image?: { readonly tag?: string } }
  >;
  for (const { image } of skaffold.build.artifacts) {
    const tag = `{{.IMAGE_TAG_${image.replaceAll("-", "_")}}}`;
    const names = Object.keys(release.setValueTemplates);
    const key: string = names.find((name) => release.setValueTemplates[name] === tag) ?? "";
    const component: string = key.replace(/\.image\.tag$/, "");
    assert.equal(values[component]?.image?.tag, "", `${image}: ${key}`);
    const kebab = component.replaceAll(/[A-Z]/g, (letter: string) => `-${letter.toLowerCase()}`);
    assert.equal(`headwater-${kebab}`, image);
  }
  for (const file of release.valuesFiles) assert(existsSync(join(root, file)), file);
});
