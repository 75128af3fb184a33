import assert from "node:assert/strict";
import { after } from "node:test";
import { readSettings } from "@headwater/settings";
import { qdrantSettings, readQdrantOptions } from "./qdrant-options.ts";
import { openQdrantStore } from "./qdrant-store.ts";
import { startQdrantDouble } from "./testing/qdrant-double.ts";
import { vectorEngineConformance } from "./vector-engine-conformance.ts";

const double = await startQdrantDouble();
after(() => double.stop());

function options(env: Readonly<Record<string, string>> = {}) {
  const read = readQdrantOptions(readSettings(qdrantSettings, { HEADWATER_QDRANT_URL: double.url, ...env }));
  assert(read);
  return read;
}

vectorEngineConformance("Qdrant, its double", (place, largeTenants = []) =>
  openQdrantStore({ ...options({ HEADWATER_QDRANT_PREFIX: place }), largeTenants }),
);
