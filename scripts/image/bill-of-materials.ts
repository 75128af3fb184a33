import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import type { SystemPackage } from "./base.ts";
import type { Contents } from "./contents.ts";
import type { Build } from "./image-config.ts";
import { appFolder } from "./image-config.ts";
import { readLock } from "./packages.ts";

/** Where an image has its own. */
export const billPath = `${appFolder}/sbom.cdx.json`;

/** The part of CycloneDX 1.5 that npm writes and we choose from. */
export interface BillOfMaterials {
  readonly metadata: { readonly component: object };
  readonly components: readonly {
    readonly "bom-ref": string;
    readonly name: string;
    readonly version: string;
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** npm's own bill of the whole lock, from which each image's is cut. */
export function readWholeBill(root: string): BillOfMaterials {
  const { status, stdout, stderr, error } = spawnSync(
    "npm",
    ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx"],
    { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  if (error) throw error;
  if (status !== 0) throw new Error(`npm sbom: ${stderr}`);
  return JSON.parse(stdout);
}

/** Names every package in an image: of npm and ours, Node itself, those of the system, and the model. */
export function billOf(
  root: string,
  whole: BillOfMaterials,
  { component, sources, sharedPackages, packages, workspaces }: Contents,
  system: readonly SystemPackage[],
  build: Build,
): object {
  const lock = readLock(root);
  const refs = new Set(
    [...sharedPackages, ...packages, ...workspaces].map((folder) => {
      const locked = lock[folder];
      return `${locked?.name ?? folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length)}@${locked?.version}`;
    }),
  );
  const ofNpm = whole.components.filter((each) => refs.has(each["bom-ref"]));
  const missing = [...refs].filter((ref) => !ofNpm.some((each) => each["bom-ref"] === ref));
  if (missing.length > 0) throw new Error(`npm's bill of materials lacks ${missing.join(", ")}`);
  const others = [
    nodeComponent(),
    ...system.map(debianComponent),
    ...sources.files.filter((file) => file.endsWith(".onnx")).map((file) => modelComponent(root, file)),
  ];
  const self = `headwater-${component.name}@${build.version}`;
  const body = {
    components: [...ofNpm, ...others],
    dependencies: [
      { ref: self, dependsOn: [...refs, ...others.map((each) => each["bom-ref"])].sort() },
      ...whole.dependencies
        .filter(({ ref }) => refs.has(ref))
        .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((each) => refs.has(each)) })),
    ],
  };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([self, body]))}`,
    version: 1,
    metadata: {
      timestamp: build.created,
      component: {
        "bom-ref": self,
        ...{ type: "container", name: `headwater-${component.name}`, version: build.version },
      },
    },
    ...body,
  };
}

function nodeComponent() {
  const version = process.version.slice(1);
  return {
    "bom-ref": `node@${version}`,
    ...{ type: "platform", name: "node", version },
    purl: `pkg:generic/node@${version}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    licenses: [{ license: { id: "MIT" } }],
  };
}

function debianComponent({ name, version }: SystemPackage) {
  return {
    "bom-ref": `deb:${name}@${version}`,
    ...{ type: "library", name, version },
    purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}`,
  };
}

function modelComponent(root: string, file: string) {
  const name = posix.basename(posix.dirname(file));
  const content = createHash("sha256")
    .update(readFileSync(join(root, file)))
    .digest("hex");
  return {
    "bom-ref": `model:${name}`,
    ...{ type: "machine-learning-model", name, version: content.slice(0, 12) },
    hashes: [{ alg: "SHA-256", content }],
  };
}

/** A UUID (version 8, of our own making) that the same contents get each time. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
