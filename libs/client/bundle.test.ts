import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";

test("the client bundles for browsers, without a module of Node", async () => {
  const { outputFiles, errors } = await build({
    entryPoints: [new URL("./index.ts", import.meta.url).pathname],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "silent",
  });
  assert.deepEqual(errors, []);
  const kilobytes = (outputFiles[0]?.contents.length ?? 0) / 1024;
  assert(kilobytes > 20 && kilobytes < 250, `${Math.round(kilobytes)} KiB`);
});
