import { readSettings } from "@headwater/settings";
import { sample } from "../conformance-documents.ts";
import { openPassageIndexStore, passageIndexSettings } from "../index.ts";

/**
 * Writes new versions of a few documents, with housekeeping between, and reports each one, until it is killed: to the
 * index that the environment names, or to the embedded one in the folder.
 */
const [folder = "", round = "0"] = process.argv.slice(2);
const store = await openPassageIndexStore(readSettings(passageIndexSettings), {
  folder,
  onError: (error) => {
    throw error;
  },
});
const index = await store.active();
if (!index) throw new Error("there is no index to write to");
for (let step = 0; ; step += 1) {
  const version = Number(round) * 1_000_000 + step + 1;
  const ids = [`d${step % 7}`, `r${round}-${step % 11}`];
  const texts = Array.from({ length: 1 + (version % 4) }, (_, at) => `wing ${version} ${at}`);
  await index.replace(ids.map((id) => sample({ id, texts, version })));
  for (const id of ids) process.send?.({ id, version });
  if (step % 10 === 9) await index.optimize();
}
