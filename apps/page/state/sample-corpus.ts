import { signal } from "@preact/signals";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import type { SampleManifest } from "./samples.ts";
import { server } from "./server.ts";
import { uploadFiles } from "./uploads.ts";

/** The corpus that comes with the page; undefined until it is asked for. */
export const sampleManifest = signal<SampleManifest | undefined>(undefined);

/** True once documents of the corpus are known to be in the store: then its questions make sense. */
export const samplesLoaded = signal(false);

export const samplesFault = signal<Fault | undefined>(undefined);

/** Ids of the corpus start with it. */
const prefix = "samples/";

let asked: Promise<void> | undefined;

/** Fetches the manifest and looks whether its documents are in the store; once, unless it failed. */
export function readSamples(): Promise<void> {
  asked ??= Promise.all([fetchManifest(), server.documents.list({ idPrefix: prefix, pageSize: 1 })])
    .then(([manifest, { documents }]) => {
      sampleManifest.value = manifest;
      if (documents.length > 0) samplesLoaded.value = true;
      samplesFault.value = undefined;
    })
    .catch((thrown: unknown) => {
      asked = undefined;
      samplesFault.value = faultOf(thrown);
    });
  return asked;
}

async function fetchManifest(): Promise<SampleManifest> {
  return (await fetchSample("manifest.json")).json() as Promise<SampleManifest>;
}

async function fetchSample(path: string): Promise<Response> {
  const response = await fetch(`/samples/${path.split("/").map(encodeURIComponent).join("/")}`);
  if (!response.ok)
    throw new Error(`samples/${path}: the server answered with HTTP status ${response.status}`);
  return response;
}

/** Sends the corpus through the same door as any other file. */
export async function loadSamples(): Promise<void> {
  await readSamples();
  const manifest = sampleManifest.peek();
  if (!manifest) return;
  try {
    const files = await Promise.all(
      manifest.documents.map(async ({ path, mediaType }) => ({
        id: `${prefix}${path}`,
        mediaType,
        attributes: { collection: "samples" },
        content: await (await fetchSample(path)).blob(),
      })),
    );
    uploadFiles(files, true);
    samplesLoaded.value = true;
  } catch (thrown) {
    samplesFault.value = faultOf(thrown);
  }
}
