import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nodePath, user } from "./base.ts";
import type { Component } from "./component.ts";

/** Where an image has our code: paths below it are those of the checkout. */
export const appFolder = "/app";

/** Compiled code of all modules, which makes a start shorter by a second; made when the image is. */
export const compileCacheFolder = `${appFolder}/.compile-cache`;

/** What an image says of itself, as the OCI's image specification names it. */
export interface ImageConfig {
  readonly User: string;
  readonly WorkingDir: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly ExposedPorts: Readonly<Record<string, object>>;
  readonly Labels: Readonly<Record<string, string>>;
}

/** Of a build: it changes labels and the bill of materials, and nothing else. */
export interface Build {
  readonly version: string;
  /** Commit that it was made of; "" where that is not known. */
  readonly revision: string;
  /** When, in ISO 8601: the time of the commit, so that one commit makes one image. */
  readonly created: string;
}

export const commonEnvironment: Readonly<Record<string, string>> = {
  PATH: "/usr/local/bin",
  NODE_ENV: "production",
  NODE_COMPILE_CACHE: compileCacheFolder,
  HEADWATER_DATA_DIR: "/tmp/headwater",
};

export function imageConfig(component: Component, build: Build): ImageConfig {
  const environment = { ...commonEnvironment, ...component.environment };
  const label = (key: string) => `org.opencontainers.image.${key}`;
  return {
    User: `${user.id}:${user.id}`,
    WorkingDir: appFolder,
    Env: Object.entries(environment).map(([key, value]) => `${key}=${value}`),
    Entrypoint: [nodePath, "--disable-warning=ExperimentalWarning", `${appFolder}/${component.entry}`],
    ExposedPorts: Object.fromEntries(component.ports.map((port) => [`${port}/tcp`, {}])),
    Labels: {
      [label("title")]: `headwater-${component.name}`,
      [label("description")]: component.description,
      [label("licenses")]: "Apache-2.0",
      [label("version")]: build.version,
      [label("revision")]: build.revision,
      [label("created")]: build.created,
    },
  };
}

export function versionOf(root: string): string {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
}
