import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { root } from "./rules-file.ts";

interface Pipeline {
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

interface Collector {
  readonly receivers: { readonly otlp: { protocols: { grpc: { endpoint: string } } } };
  readonly processors: object;
  readonly exporters: object;
  readonly extensions: object;
  readonly service: { extensions: readonly string[]; pipelines: Readonly<Record<string, Pipeline>> };
}

test("the collector's pipelines are made of what is configured, and everything that is configured is used", () => {
  const text = readFileSync(join(root, "deploy", "collector", "collector.yaml"), "utf8");
  const { receivers, processors, exporters, extensions, service } = parse(text) as Collector;
  const pipelines = Object.values(service.pipelines);
  for (const [part, configured] of Object.entries({ receivers, processors, exporters })) {
    const used = pipelines.flatMap((pipeline) => pipeline[part as keyof Pipeline]);
    assert.deepEqual(new Set(used), new Set(Object.keys(configured)), part);
  }
  assert.deepEqual(service.extensions, Object.keys(extensions));
  // Refusing for want of memory comes before all that would take some; batches are made of what was chosen.
  for (const pipeline of pipelines) {
    assert.equal(pipeline.processors[0], "memory_limiter");
    assert.equal(pipeline.processors.at(-1), "batch");
  }
  assert.match(receivers.otlp.protocols.grpc.endpoint, /:4317$/, "where services send to");
});
