import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { ImageConfig } from "./image-config.ts";

/** A blob of a layout, as a manifest names it. */
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly architecture: string; readonly os: string };
}

interface Layer extends Descriptor {
  /** Digest before compression, which the configuration names. */
  readonly diffId: string;
}

const mediaType = (what: string) => `application/vnd.oci.image.${what}`;

/**
 * A folder of images as the OCI's image layout has it. Same input, same digests: files are sorted, belong to root and
 * date from 1970, and what is the same in two images is one blob.
 */
export class OciLayout {
  readonly folder: string;
  readonly #blobs: string;
  readonly #manifests: Descriptor[] = [];

  constructor(folder: string) {
    this.folder = folder;
    this.#blobs = join(folder, "blobs", "sha256");
    mkdirSync(this.#blobs, { recursive: true });
  }

  /** Adds what is below `folder` as a layer. */
  async addLayer(folder: string): Promise<Layer> {
    const compressed = join(this.#blobs, ".layer");
    const plainHash = createHash("sha256");
    const tar = spawn(
      "tar",
      [
        ...["--create", "--directory", folder, "--sort=name", "--format=gnu", "--mtime=@0"],
        ...["--owner=0", "--group=0", "--numeric-owner", "--hard-dereference", "."],
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const ended = new Promise<void>((resolve, reject) => {
      tar.once("error", reject);
      tar.once("close", (code) =>
        code === 0 ? resolve() : reject(new Error(`tar of ${folder} ended with ${code}`)),
      );
    });
    await Promise.all([
      pipeline(
        tar.stdout,
        async function* (pieces: AsyncIterable<Buffer>) {
          for await (const piece of pieces) {
            plainHash.update(piece);
            yield piece;
          }
        },
        createGzip(),
        createWriteStream(compressed),
      ),
      ended,
    ]);
    const hash = createHash("sha256");
    await pipeline(createReadStream(compressed), hash);
    const digest = hash.digest("hex");
    const { size } = statSync(compressed);
    renameSync(compressed, join(this.#blobs, digest));
    return {
      mediaType: mediaType("layer.v1.tar+gzip"),
      digest: `sha256:${digest}`,
      size,
      diffId: `sha256:${plainHash.digest("hex")}`,
    };
  }

  /**
   * Adds an image.
   *
   * @param name with registry and tag, as it is pulled
   * @returns its digest
   */
  addImage(name: string, config: ImageConfig, layers: readonly Layer[], created: string): string {
    const platform = { architecture: process.arch === "x64" ? "amd64" : process.arch, os: "linux" };
    const configuration = this.#addJson(mediaType("config.v1+json"), {
      created,
      ...platform,
      config,
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(() => ({ created, created_by: "headwater scripts/image.ts" })),
    });
    const manifest = this.#addJson(mediaType("manifest.v1+json"), {
      schemaVersion: 2,
      mediaType: mediaType("manifest.v1+json"),
      config: configuration,
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    });
    this.#manifests.push({
      ...manifest,
      platform,
      annotations: {
        "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf("/") + 1),
        "io.containerd.image.name": name,
      },
    });
    return manifest.digest;
  }

  /** Makes the folder one that tools read: to be called when all images are added. */
  close(): void {
    writeFileSync(join(this.folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    writeFileSync(
      join(this.folder, "index.json"),
      JSON.stringify({ schemaVersion: 2, mediaType: mediaType("index.v1+json"), manifests: this.#manifests }),
    );
  }

  #addJson(mediaType: string, value: object): Descriptor {
    const text = JSON.stringify(value);
    const digest = createHash("sha256").update(text).digest("hex");
    writeFileSync(join(this.#blobs, digest), text);
    return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
  }
}
