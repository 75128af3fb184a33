import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { before, describe, test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { user } from "./base.ts";
import type { BillOfMaterials } from "./bill-of-materials.ts";
import { billOf, readWholeBill } from "./bill-of-materials.ts";
import { addCompileCache } from "./compile-cache.ts";
import { components } from "./component.ts";
import type { Contents } from "./contents.ts";
import { findContents } from "./contents.ts";
import { appFolder, compileCacheFolder, imageConfig } from "./image-config.ts";
import type { Layers } from "./layers.ts";
import { layersBelow, layOutOwn, layOutShared, mergeLayers } from "./layers.ts";
import { OciLayout } from "./oci-layout.ts";

const checkout = join(import.meta.dirname, "../..");
const build = { version: "1.2.3", revision: "of a commit", created: "2026-01-02T03:04:05.000Z" };

/** As a container is: a root of its own, read-only but for /tmp, without any right. */
const asRoot = process.getuid?.() === 0;
const newRoot = ["unshare", "--mount", ...(asRoot ? [] : ["--map-root-user"])];
const enter = [
  'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && mount -t tmpfs tmpfs "$0/tmp" && cd "$0"',
  `exec /usr/sbin/chroot ${asRoot ? `--userspec=${user.id}:${user.id}` : ""} "$0" "$@"`,
].join(" && ");
const mayEnter = spawnSync(newRoot[0] ?? "", [...newRoot.slice(1), "true"]).status === 0;

/** Where no server listens. */
const nowhere = {
  HEADWATER_ELASTICSEARCH_URL: "http://127.0.0.1:1",
  HEADWATER_QDRANT_URL: "http://127.0.0.1:1",
  HEADWATER_POSTGRES_URL: "postgres://nobody@127.0.0.1:1/none",
  HEADWATER_KAFKA_BROKERS: "127.0.0.1:1",
  HEADWATER_SEARCH_ADDRESS: "127.0.0.1:1",
  HEADWATER_METRICS_ADDRESS: "127.0.0.1:0",
  HEADWATER_INGEST_LISTEN: "127.0.0.1:0",
  HEADWATER_EMBEDDING_LISTEN: "127.0.0.1:0",
  HEADWATER_SEARCH_LISTEN: "127.0.0.1:0",
  HEADWATER_GENERATION_LISTEN: "127.0.0.1:0",
  HEADWATER_GATEWAY_LISTEN: "127.0.0.1:0",
  HEADWATER_SCALER_LISTEN: "127.0.0.1:0",
};

/** These end where their stores do not answer at a start, and say which. */
const needStores = ["ingest", "generation"];

interface Image {
  readonly contents: Contents;
  readonly layers: Layers;
  /** The root of a container. */
  readonly root: string;
  readonly bill: BillOfMaterials;
}

describe("images", () => {
  const images = new Map<string, Image>();
  let shared: Layers;

  before(async () => {
    const folder = await temporaryFolder();
    const all = await findContents(checkout);
    shared = layersBelow(join(folder, "shared"));
    const system = layOutShared(checkout, shared, all.values());
    const whole = readWholeBill(checkout);
    for (const [name, contents] of all) {
      const own = layersBelow(join(folder, name));
      const layers = { ...own, base: shared.base, "shared-packages": shared["shared-packages"] };
      layOutOwn(checkout, layers, contents);
      const root = join(folder, `root-${name}`);
      mkdirSync(root);
      mergeLayers(layers, root);
      const bill = billOf(checkout, whole, contents, system, build) as BillOfMaterials;
      images.set(name, { contents, layers, root, bill });
    }
  });

  const image = (name: string): Image => {
    const found = images.get(name);
    assert(found);
    return found;
  };

  for (const component of components) {
    test(`${component.name}: nothing to run but Node, nothing to write to but /tmp`, () => {
      const { root } = image(component.name);
      for (const { path, mode, directory } of filesBelow(root)) {
        assert.equal(mode & 0o6000, 0, `${path} changes who runs it`);
        if (path !== "/tmp") assert.equal(mode & 0o022, 0, `${path} can be written to`);
        if (!directory && mode & 0o111) assert.match(path, /^\/usr\/local\/bin\/node$|\.node$|\.so(\.|$)/);
        if (!directory) assert.doesNotMatch(path, /\/(sh|bash|dash|busybox|apt|dpkg|npm|npx|yarn|corepack)$/);
      }
    });

    test(`${component.name}: its bill names every package that is there, and no other`, () => {
      const { root, bill } = image(component.name);
      const there = new Set(
        filesBelow(root)
          .filter(({ path }) =>
            /^\/app\/(.*\/)?(node_modules\/(@[^/]+\/)?[^@/]+|libs\/[^/]+|services\/[^/]+|apps\/[^/]+|proto)\/package\.json$/.test(
              path,
            ),
          )
          .map(({ path }) => {
            const { name, version } = JSON.parse(readFileSync(join(root, path), "utf8"));
            return `${name}@${version}`;
          }),
      );
      const named = bill.components.map((each) => each["bom-ref"]);
      assert.deepEqual(named.filter((ref) => !/^(deb|model):|^node@24/.test(ref)).sort(), [...there].sort());
      for (const library of ["libc6", "libstdc++6"])
        assert(
          named.some((ref) => ref.startsWith(`deb:${library}@`)),
          library,
        );
      assert.equal(
        named.includes("model:bge-small-en-v1.5-int8"),
        ["embedding-worker", "cli"].includes(component.name),
      );
      assert(!named.some((ref) => /^(@lancedb|@electric-sql|@biomejs|typescript@)/.test(ref)));
    });

    test(`${component.name}: starts on a read-only root`, {
      skip: mayEnter ? false : "no namespaces here",
    }, async () => {
      const { root } = image(component.name);
      const { Env, Entrypoint } = imageConfig(component, build);
      const inside = [...newRoot, "sh", "-c", enter, root, ...Entrypoint];
      const service = component.name !== "cli";
      const child = spawn(inside[0] ?? "", [...inside.slice(1), ...(service ? [] : ["--help"])], {
        env: {
          ...nowhere,
          ...Object.fromEntries(Env.map((line) => line.split("=", 2))),
          PATH: process.env["PATH"],
        },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const ended = once(child, "close");
      const said: string[] = [];
      if (!service) {
        for await (const line of createInterface({ input: child.stdout })) said.push(line);
        assert.deepEqual(await ended, [0, null]);
        assert.match(said.join("\n"), /^Usage: headwater /);
        return;
      }
      let address: string | undefined;
      for await (const line of createInterface({ input: child.stderr })) {
        said.push(line);
        const entry = line.startsWith("{") ? JSON.parse(line) : {};
        if (entry.msg !== "metrics and health") continue;
        address = entry.address;
        break;
      }
      if (needStores.includes(component.name)) {
        assert.match(said.join("\n"), /"reason":"HW_(POSTGRES|KAFKA)_UNAVAILABLE"/);
        return;
      }
      child.stderr.resume();
      try {
        const live = await fetch(`http://${address}/health/live`);
        assert.equal(live.status, 200, said.join("\n"));
        await live.body?.cancel();
      } finally {
        child.kill("SIGTERM");
      }
      assert.deepEqual(await ended, [0, null], said.join("\n"));
    });
  }

  test("the model can be replaced: another folder is read in its place", {
    skip: mayEnter ? false : "no namespaces here",
  }, () => {
    const { root, contents } = image("embedding-worker");
    const { Env, Entrypoint } = imageConfig(contents.component, build);
    const inside = [...newRoot, "sh", "-c", enter, root, ...Entrypoint];
    const { status, stderr } = spawnSync(inside[0] ?? "", inside.slice(1), {
      encoding: "utf8",
      env: {
        ...{ ...nowhere, HEADWATER_EMBEDDING_MODEL_DIR: "/tmp/another", PATH: process.env["PATH"] },
        ...Object.fromEntries(
          Env.filter((line) => !line.startsWith("PATH=")).map((line) => line.split("=", 2)),
        ),
      },
    });
    assert.equal(status, 1);
    assert.match(stderr, /"reason":"HW_MODEL_[A-Z_]+".*\/tmp\/another/);
  });

  test("made again it is the same image, and a layout as the OCI describes it", async () => {
    const { contents, layers } = image("search");
    const digests = [];
    for (const time of ["first", "second"]) {
      const again = { ...layers, ...ownLayers(join(await temporaryFolder(), time)) };
      layOutOwn(checkout, again, contents);
      addCompileCache(again, contents);
      const layout = new OciLayout(join(await temporaryFolder(), "images"));
      const added = [];
      for (const name of ["packages", "model", "code"] as const)
        added.push(await layout.addLayer(again[name]));
      const name = "localhost/headwater-search:1";
      digests.push(layout.addImage(name, imageConfig(contents.component, build), added, build.created));
      layout.close();
      checkLayout(layout.folder, name);
    }
    assert.equal(digests[0], digests[1]);
  });
});

function ownLayers(folder: string): Pick<Layers, "packages" | "model" | "code"> {
  const { packages, model, code } = layersBelow(folder);
  return { packages, model, code };
}

/** Every blob is what its name says, and belongs to root. */
function checkLayout(folder: string, name: string): void {
  const read = (path: string) => JSON.parse(readFileSync(join(folder, path), "utf8"));
  const blob = (digest: string) => join("blobs", "sha256", digest.replace("sha256:", ""));
  assert.equal(read("oci-layout").imageLayoutVersion, "1.0.0");
  const [manifest] = read("index.json").manifests;
  assert.equal(manifest.annotations["io.containerd.image.name"], name);
  const { config, layers } = read(blob(manifest.digest));
  assert.equal(read(blob(config.digest)).config.User, `${user.id}:${user.id}`);
  assert.equal(read(blob(config.digest)).rootfs.diff_ids.length, layers.length);
  for (const { digest, size } of [manifest, config, ...layers]) {
    const file = join(folder, blob(digest));
    assert.equal(statSync(file).size, size);
    assert.match(
      spawnSync("sha256sum", [file], { encoding: "utf8" }).stdout,
      new RegExp(`^${digest.slice(7)} `),
    );
  }
  const code = join(folder, blob(layers.at(-1).digest));
  const listing = spawnSync("tar", ["--list", "--verbose", "--numeric-owner", "--file", code], {
    encoding: "utf8",
    env: { ...process.env, TZ: "UTC" },
  }).stdout;
  const lines = listing.trim().split("\n");
  assert(lines.some((line) => line.endsWith(`.${appFolder}/services/search/main.ts`)));
  assert(lines.some((line) => line.includes(`.${compileCacheFolder}/`)));
  for (const line of lines) assert.match(line, / 0\/0 .* 1970-01-01 00:00 /);
}

function filesBelow(root: string): { path: string; mode: number; directory: boolean }[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isSymbolicLink())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return {
        path: file.slice(root.length),
        mode: statSync(file).mode & 0o7777,
        directory: entry.isDirectory(),
      };
    });
}
