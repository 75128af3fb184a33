import { chmodSync, copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import type { SystemPackage } from "./base.ts";
import { layOutBase } from "./base.ts";
import type { Component } from "./component.ts";
import { components } from "./component.ts";
import { appFolder } from "./image-config.ts";
import type { Lock } from "./packages.ts";
import { closure, filesOfPackage, isNative, readLock } from "./packages.ts";
import type { Sources } from "./sources.ts";
import { traceSources } from "./sources.ts";

/**
 * An image is these folders, one upon the other, from what changes least to what changes most: Node and the system's
 * libraries; packages that all images hold; the component's other packages; the model; our code. The first two are the
 * same in all images of a build, and a node keeps and fetches them once.
 */
export const layerNames = ["base", "shared-packages", "packages", "model", "code"] as const;
export type LayerName = (typeof layerNames)[number];

/** What is in an image, from the root of the checkout. */
export interface Contents {
  readonly sources: Sources;
  /** Folders of the packages that all images hold. */
  readonly sharedPackages: readonly string[];
  /** Folders of the component's other packages. */
  readonly packages: readonly string[];
  /** Folders of our own packages. */
  readonly workspaces: readonly string[];
}

/** Finds what goes into the image of every component. */
export async function findContents(root: string): Promise<ReadonlyMap<Component, Contents>> {
  const lock = readLock(root);
  const found = await Promise.all(
    components.map(async (component) => {
      const sources = await traceSources(root, component.entry);
      return { component, sources, packages: closure(root, lock, sources.packages) };
    }),
  );
  const inAll = (folder: string) => found.every(({ packages }) => packages.includes(folder));
  return new Map(
    found.map(({ component, sources, packages }) => [
      component,
      {
        sources,
        sharedPackages: packages.filter(inAll),
        packages: packages.filter((folder) => !inAll(folder)),
        workspaces: workspacesOf(lock, sources),
      },
    ]),
  );
}

function workspacesOf(lock: Lock, { files }: Sources): readonly string[] {
  const ofFile = (file: string) => {
    for (let folder = posix.dirname(file); folder !== "."; folder = posix.dirname(folder))
      if (folder in lock) return [folder];
    return [];
  };
  return [...new Set(files.flatMap(ofFile))].sort();
}

/**
 * Lays the layers out below `folder`, each in a folder of its name.
 *
 * @returns the packages of the system that are in them
 */
export function layOutLayers(
  root: string,
  folder: string,
  component: Component,
  all: ReadonlyMap<Component, Contents>,
): readonly SystemPackage[] {
  const contents = all.get(component);
  if (!contents) throw new Error(`nothing was found for ${component.name}`);
  const copy = (layer: LayerName, file: string) => {
    const target = join(folder, layer, appFolder, file);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(root, file), target);
    chmodSync(target, isNative(file) ? 0o755 : 0o644);
  };
  const copyPackages = (layer: LayerName, folders: readonly string[]) => {
    for (const file of folders.flatMap((each) => filesOfPackage(root, each))) copy(layer, file);
  };
  for (const layer of layerNames) mkdirSync(join(folder, layer), { recursive: true });
  copyPackages("shared-packages", contents.sharedPackages);
  copyPackages("packages", contents.packages);
  for (const file of contents.sources.files) copy(file.startsWith("models/") ? "model" : "code", file);
  const packageFolder = join(folder, "code", appFolder, "node_modules", "@headwater");
  mkdirSync(packageFolder, { recursive: true });
  for (const workspace of contents.workspaces) {
    copy("code", join(workspace, "package.json"));
    const name = posix.basename(workspace);
    symlinkSync(posix.join("../..", workspace), join(packageFolder, name));
  }
  return layOutBase(join(folder, "base"), nativesOf(root, all));
}

/** Of all images, so that one base fits them all. */
function nativesOf(root: string, all: ReadonlyMap<Component, Contents>): readonly string[] {
  const folders = [...all.values()].flatMap(({ sharedPackages, packages }) => [
    ...sharedPackages,
    ...packages,
  ]);
  return [...new Set(folders)]
    .flatMap((folder) => filesOfPackage(root, folder))
    .filter(isNative)
    .map((file) => join(root, file));
}
