import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openBeirCollection } from "@headwater/evaluation";
import { SeededRandom } from "@headwater/testing/seeded-random";

/** Characters; about 90 to 230 tokens of English, so that a document is one passage at the default of 256. */
const shortest = 400;
const longest = 1000;

const samples = join(import.meta.dirname, "..", "..", "..", "samples");

/**
 * Texts of one passage each, all different: from a BEIR collection, or, without one, made of the sample corpus's
 * sentences in a random order that is the same every time.
 */
export async function benchTexts(count: number, collectionFolder: string | undefined): Promise<string[]> {
  if (collectionFolder === undefined) return madeTexts(count);
  const texts: string[] = [];
  const collection = await openBeirCollection(collectionFolder);
  for await (const { text } of collection.documents()) {
    if (text.length >= shortest && text.length <= longest) texts.push(text);
    if (texts.length === count) break;
  }
  return texts;
}

async function madeTexts(count: number): Promise<string[]> {
  const sentences: string[] = [];
  for await (const file of glob("**/*.{md,txt}", { cwd: samples })) {
    const text = await readFile(join(samples, file), "utf8");
    for (const sentence of text.split(/(?<=[.?!])\s+/)) {
      if (sentence.length > 40 && sentence.length < 300) sentences.push(sentence.replaceAll(/\s+/g, " "));
    }
  }
  const random = new SeededRandom(20_261_121);
  return Array.from({ length: count }, (_, index) => {
    let text = `Note ${index}.`;
    while (text.length < 700) text += ` ${random.pick(sentences)}`;
    return text.slice(0, longest);
  });
}
