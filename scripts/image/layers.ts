import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import type { SystemPackage } from "./base.ts";
import { layOutBase } from "./base.ts";
import type { Contents } from "./contents.ts";
import { appFolder } from "./image-config.ts";
import { filesOfPackage, isNative } from "./packages.ts";

/**
 * An image is these folders, one upon the other, from what changes least to what changes most: Node and the system's
 * libraries; packages that all images hold; the component's other packages; the model; our code. The first two are the
 * same in all images of a build, and a node keeps and fetches them once.
 */
export const layerNames = ["base", "shared-packages", "packages", "model", "code"] as const;
export type LayerName = (typeof layerNames)[number];

/** Where the layers are laid out. */
export type Layers = Readonly<Record<LayerName, string>>;

export function layersBelow(folder: string): Layers {
  const folderOf = (name: LayerName) => join(folder, name);
  return {
    base: folderOf("base"),
    "shared-packages": folderOf("shared-packages"),
    packages: folderOf("packages"),
    model: folderOf("model"),
    code: folderOf("code"),
  };
}

/**
 * Lays out the layers that all images share.
 *
 * @returns the packages of the system that are in them
 */
export function layOutShared(
  root: string,
  layers: Layers,
  all: Iterable<Contents>,
): readonly SystemPackage[] {
  const contents = [...all];
  const shared = contents[0]?.sharedPackages ?? [];
  const folders = new Set([...shared, ...contents.flatMap(({ packages }) => packages)]);
  const natives = [...folders].flatMap((folder) => filesOfPackage(root, folder)).filter(isNative);
  copyPackages(root, layers["shared-packages"], shared);
  // The libraries that native modules of any image need, so that one base fits them all.
  return layOutBase(
    layers.base,
    natives.map((file) => join(root, file)),
  );
}

/** Lays out the layers of one image. */
export function layOutOwn(root: string, layers: Layers, { sources, packages, workspaces }: Contents): void {
  copyPackages(root, layers.packages, packages);
  mkdirSync(layers.model, { recursive: true });
  for (const file of sources.files) copy(root, file.startsWith("models/") ? layers.model : layers.code, file);
  const links = join(layers.code, appFolder, "node_modules", "@headwater");
  mkdirSync(links, { recursive: true });
  for (const workspace of workspaces) {
    copy(root, layers.code, posix.join(workspace, "package.json"));
    symlinkSync(posix.join("../..", workspace), join(links, posix.basename(workspace)));
  }
}

/** Makes `target` what a container sees: the layers upon each other, by hard links, on the same file system. */
export function mergeLayers(layers: Layers, target: string): void {
  for (const name of layerNames) {
    const { status, stderr } = spawnSync("cp", ["-al", `${layers[name]}/.`, target], { encoding: "utf8" });
    if (status !== 0) throw new Error(`cp of ${layers[name]}: ${stderr}`);
  }
}

function copyPackages(root: string, layer: string, folders: readonly string[]): void {
  mkdirSync(layer, { recursive: true });
  for (const file of folders.flatMap((folder) => filesOfPackage(root, folder))) copy(root, layer, file);
}

function copy(root: string, layer: string, file: string): void {
  const target = join(layer, appFolder, file);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(root, file), target);
  chmodSync(target, isNative(file) ? 0o755 : 0o644);
}
