import { lookup } from "node:dns/promises";

/** All addresses of a name. @throws where it is not known whether there are any */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** Codes that say that there is none: a headless service without a pod that is ready has no record at all. */
const none: ReadonlySet<unknown> = new Set(["ENOTFOUND", "ENODATA"]);

/** As the system does it: the names of Kubernetes are short, and its resolver knows what to add to them. */
export const resolveBySystem: Resolve = async (name) => {
  try {
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => address);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && none.has(thrown.code)) return [];
    throw thrown;
  }
};
