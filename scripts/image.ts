/**
 * Makes container images without Docker: `npm run image -- search --out DIR` (or `all`) writes a layout of OCI images
 * and each one's bill of materials; `--tar` writes the layout to standard output as one archive instead, for
 * `ctr images import -`. The Dockerfile makes the same: its build stage runs this with `--layers DIR`, which only lays
 * out the folders that become layers.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { billOf, billPath, readWholeBill } from "./image/bill-of-materials.ts";
import { addCompileCache } from "./image/compile-cache.ts";
import { componentNamed, components } from "./image/component.ts";
import type { Contents } from "./image/contents.ts";
import { findContents } from "./image/contents.ts";
import type { Build } from "./image/image-config.ts";
import { imageConfig, versionOf } from "./image/image-config.ts";
import type { Layers } from "./image/layers.ts";
import { layerNames, layersBelow, layOutOwn, layOutShared } from "./image/layers.ts";
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
const targets = [values.out, values.layers, values.tar || undefined].filter((each) => each !== undefined);
if (chosen.length === 0 || targets.length !== 1 || (values.layers !== undefined && chosen.length > 1)) {
  process.stderr.write(
    "npm run image -- COMPONENT…|all --out DIR | --tar | --layers DIR (one component) [--tag TAG] [--registry HOST/PATH]\n" +
      `components: ${components.map(({ name }) => name).join(", ")}\n`,
  );
  process.exit(2);
}

const build: Build = { version: values.tag, ...commit() };
const contents = await findContents(root);
const wholeBill = readWholeBill(root);
const scratch = mkdtempSync(join(tmpdir(), "headwater-image-"));
try {
  const shared = layersBelow(values.layers ?? join(scratch, "shared"));
  const system = layOutShared(root, shared, contents.values());
  const layOut = (found: Contents, layers: Layers) => {
    layOutOwn(root, layers, found);
    addCompileCache(layers, found);
    const bill = billOf(root, wholeBill, found, system, build);
    writeFileSync(join(layers.code, billPath), `${JSON.stringify(bill, null, 2)}\n`);
    return bill;
  };
  if (values.layers !== undefined) layOut(contentsOf(chosen[0]?.name), shared);
  else await makeImages(values.out ?? join(scratch, "images"), shared, layOut);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function makeImages(
  folder: string,
  shared: Layers,
  layOut: (found: Contents, layers: Layers) => object,
): Promise<void> {
  const layout = new OciLayout(folder);
  const sharedLayers = [await layout.addLayer(shared.base), await layout.addLayer(shared["shared-packages"])];
  for (const component of chosen) {
    const own = join(scratch, component.name);
    const layers = { ...layersBelow(own), base: shared.base, "shared-packages": shared["shared-packages"] };
    const bill = layOut(contentsOf(component.name), layers);
    const added = [...sharedLayers];
    for (const layer of layerNames.slice(added.length)) added.push(await layout.addLayer(layers[layer]));
    const name = `${values.registry}/headwater-${component.name}:${values.tag}`;
    const digest = layout.addImage(name, imageConfig(component, build), added, build.created);
    writeFileSync(join(folder, `headwater-${component.name}.cdx.json`), JSON.stringify(bill, null, 2));
    rmSync(own, { recursive: true });
    const sizes = layerNames.map((layer, index) => `${layer} ${megabytes(added[index]?.size ?? 0)}`);
    const whole = megabytes(added.reduce((sum, { size }) => sum + size, 0));
    process.stderr.write(`${name}@${digest}\n  ${whole} MB: ${sizes.join(", ")}\n`);
  }
  layout.close();
  if (values.tar) {
    const what = ["oci-layout", "index.json", "blobs"];
    const { status, error } = spawnSync("tar", ["--create", "--directory", folder, ...what], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    if (error) throw error;
    if (status !== 0) throw new Error(`tar ended with ${status}`);
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function contentsOf(name: string | undefined): Contents {
  const found = name === undefined ? undefined : contents.get(name);
  if (found) return found;
  throw new Error(`nothing was found for ${name}`);
}

/** Of the checkout; where that has no history, as in a Dockerfile, the environment says it. */
function commit(): Pick<Build, "revision" | "created"> {
  const { HEADWATER_REVISION: revision, HEADWATER_CREATED: created } = process.env;
  if (revision !== undefined && created !== undefined) return { revision, created };
  const { status, stdout } = spawnSync("git", ["log", "-1", "--format=%H %cI"], {
    cwd: root,
    encoding: "utf8",
  });
  const [hash = "", time = 0] = status === 0 ? stdout.trim().split(" ") : [];
  return { revision: hash, created: new Date(time).toISOString() };
}
