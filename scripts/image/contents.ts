import { posix } from "node:path";
import type { Component } from "./component.ts";
import { components } from "./component.ts";
import type { Lock } from "./packages.ts";
import { closure, readLock } from "./packages.ts";
import type { Sources } from "./sources.ts";
import { traceSources } from "./sources.ts";

/** What is in an image. Folders and files are from the root of the checkout. */
export interface Contents {
  readonly component: Component;
  readonly sources: Sources;
  /** Folders of the packages that all images hold. */
  readonly sharedPackages: readonly string[];
  /** Folders of the component's other packages. */
  readonly packages: readonly string[];
  /** Folders of our own packages. */
  readonly workspaces: readonly string[];
}

/** Finds what goes into the image of each component, by name. */
export async function findContents(root: string): Promise<ReadonlyMap<string, Contents>> {
  const lock = readLock(root);
  const found = await Promise.all(
    components.map(async (component) => {
      const sources = await traceSources(root, component.entry);
      return { component, sources, needed: closure(root, lock, sources.packages) };
    }),
  );
  const inAll = (folder: string) => found.every(({ needed }) => needed.includes(folder));
  return new Map(
    found.map(({ component, sources, needed }) => [
      component.name,
      {
        ...{ component, sources },
        sharedPackages: needed.filter(inAll),
        packages: needed.filter((folder) => !inAll(folder)),
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
