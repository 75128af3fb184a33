import { randomBytes } from "node:crypto";

/** A document about something that no other document can know of, and a question that it alone answers. */
export interface MadeUpDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly question: string;
  /** What an answer has to say. */
  readonly fact: string;
}

const keepers = [
  "Amaltheia",
  "Berengar",
  "Cassiopeia",
  "Dagobert",
  "Eulalia",
  "Faramond",
  "Gwendolen",
  "Hesperia",
];

export function makeUpDocument(): MadeUpDocument {
  const name = randomBytes(4).toString("hex");
  const fact = keepers[randomBytes(1).readUInt8() % keepers.length] ?? "Amaltheia";
  return {
    id: `headwater-smoke-test/${name}`,
    title: `Lighthouse ${name}`,
    text: `The keeper of lighthouse ${name} is ${fact}. It was made up by a smoke test of Headwater, which deletes it.`,
    question: `Who is the keeper of lighthouse ${name}?`,
    fact,
  };
}
