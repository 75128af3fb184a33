/**
 * Makes container images without Docker: `npm run image -- search --out DIR` (or `all`) writes an OCI layout, and `--tar`
 * writes it to standard output as one archive, for `ctr images import -`. The Dockerfile makes the same: its build stage
 * runs this with `--layers DIR`, which only lays out the folders that become layers.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { addCompileCache } from "./image/compile-cache.ts";
import type { Component } from "./image/component.ts";
import { componentNamed, components } from "./image/component.ts";
import type { Build } from "./image/image-config.ts";
import { imageConfig, versionOf } from "./image/image-config.ts";
import type { Contents } from "./image/layers.ts";
import { findContents, layerNames, layOutLayers } from "./image/layers.ts";
import { OciLayout } from "./image/oci-layout.ts";

const root = join(import.meta.dirname, "..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string" },
    layers: { type: "string" },
    tar: { type: "boolean", default: false },
    tag: { type: "string", default: versionOf(root) },
    registry: { type: "string", default: "localhost" },
  },
});
const chosen = positionals.includes("all") ? components : positionals.map(componentNamed);
const contents = await findContents(root);
const build: Build = { version: values.tag, ...commit() };
const created = new Date(build.createdAt * 1000).toISOString();

const scratch = mkdtempSync(join(tmpdir(), "headwater-image-"));
try {
  if (values.layers !== undefined) for (const component of chosen) layOut(component, values.layers);
  else await makeImages(values.out ?? join(scratch, "images"));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function makeImages(folder: string): Promise<void> {
  const layout = new OciLayout(folder);
  for (const component of chosen) {
    const started = Date.now();
    const layers = join(scratch, component.name);
    layOut(component, layers);
    const added = [];
    for (const layer of layerNames) added.push(await layout.addLayer(join(layers, layer)));
    rmSync(layers, { recursive: true });
    const name = `${values.registry}/headwater-${component.name}:${values.tag}`;
    const digest = layout.addImage(name, imageConfig(component, build), added, created);
    const megabytes = added.reduce((sum, { size }) => sum + size, 0) / 1e6;
    const seconds = (Date.now() - started) / 1000;
    process.stderr.write(`${name}@${digest}  ${megabytes.toFixed(1)} MB, ${seconds.toFixed(1)} s\n`);
  }
  layout.close();
  if (values.tar) run("tar", ["--create", "--directory", folder, "oci-layout", "index.json", "blobs"]);
}

function layOut(component: Component, folder: string): void {
  const found = contents.get(component) as Contents;
  mkdirSync(folder, { recursive: true });
  layOutLayers(root, folder, component, contents);
  addCompileCache(folder, component, found.sources);
}

/** Of the checkout; a build without one, as in a Dockerfile, is told by its environment. */
function commit(): Pick<Build, "revision" | "createdAt"> {
  const { HEADWATER_REVISION: revision, SOURCE_DATE_EPOCH: epoch } = process.env;
  if (revision !== undefined || epoch !== undefined)
    return { revision: revision ?? "", createdAt: Number(epoch ?? 0) };
  const { status, stdout } = spawnSync("git", ["log", "-1", "--format=%H %ct"], {
    cwd: root,
    encoding: "utf8",
  });
  const [hash = "", time = "0"] = status === 0 ? stdout.trim().split(" ") : [];
  return { revision: hash, createdAt: Number(time) };
}

function run(command: string, options: readonly string[]): void {
  const { status, error, signal } = spawnSync(command, options, { stdio: ["ignore", "inherit", "inherit"] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status ?? signal}`);
}
