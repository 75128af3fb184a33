import { createHash } from "node:crypto";
import { HeadwaterError, status } from "@headwater/errors";
import type { RecordStore } from "@headwater/record-store";
import { LRUCache } from "lru-cache";
import type { BuiltInPrompt } from "./built-in-prompts.ts";
import { builtInPrompts } from "./built-in-prompts.ts";
import { productionLabel, readPromptReference } from "./prompt-reference.ts";
import type { PromptShare, StoredPrompt } from "./prompt-store.ts";
import { changeOf, PromptStore, promptChannel, versionNotFound } from "./prompt-store.ts";
import { fillIn } from "./prompt-template.ts";

/** A version of a prompt that was chosen for one answer. */
export interface ResolvedPrompt {
  readonly name: string;
  /** 0: the one that comes with Headwater. */
  readonly version: number;
  readonly text: string;
  /** Fills in the variables that Headwater knows a value for. */
  render(values: Readonly<Record<string, string>>): string;
}

/** Prompts and texts that are kept at hand, each. */
const maxKept = 1000;

/** Finds what a model is told. */
export class Prompts {
  readonly store: PromptStore;
  /** Known until a change is told, also one of another process. */
  readonly #prompts = new LRUCache<string, Promise<StoredPrompt | undefined>>({ max: maxKept });
  readonly #texts = new LRUCache<string, string>({ max: maxKept });

  private constructor(records: RecordStore) {
    this.store = new PromptStore(records);
  }

  /** Listens for changes until the record store is closed. */
  static async open(records: RecordStore): Promise<Prompts> {
    const prompts = new Prompts(records);
    await records.listen(promptChannel, {
      onPayload: (change) => prompts.#forget(change),
      onGap: () => prompts.#forget(),
    });
    return prompts;
  }

  /**
   * @param reference "name", "name@label" or "name@version"
   * @param key chooses between the sides of a split: the same key gets the same side, such as tenant, owner and conversation
   * @throws HeadwaterError INVALID_ARGUMENT, or NOT_FOUND where there is no such prompt, label or version
   */
  async resolve(tenant: string, reference: string, key: string): Promise<ResolvedPrompt> {
    const { name, label, version } = readPromptReference(reference);
    const builtIn = findBuiltIn(name);
    const chosen = version ?? (await this.#choose(tenant, name, label, key, builtIn));
    const text = chosen === 0 && builtIn ? builtIn.text : await this.#text(tenant, name, chosen);
    return { name, version: chosen, text, render: (values) => fillIn(text, values) };
  }

  #forget(change?: string): void {
    if (change === undefined) this.#prompts.clear();
    else this.#prompts.delete(change);
    // Versions never change, but they go with their prompt.
    this.#texts.clear();
  }

  async #choose(
    tenant: string,
    name: string,
    label: string | undefined,
    key: string,
    builtIn: BuiltInPrompt | undefined,
  ): Promise<number> {
    const prompt = await this.#prompt(tenant, name);
    if (!prompt && !builtIn) throw promptNotFound(name);
    const wanted = label ?? productionLabel;
    const shares = prompt?.labels.find((known) => known.label === wanted)?.shares;
    if (shares) return pickShare(shares, `${name}@${wanted}\n${key}`);
    if (builtIn && wanted === productionLabel) return 0;
    throw new HeadwaterError({
      code: status.NOT_FOUND,
      reason: "HW_PROMPT_LABEL_NOT_FOUND",
      message: `The prompt "${name}" has no label "${wanted}".`,
      action: "Point the label at a version, or name a version as name@version.",
    });
  }

  #prompt(tenant: string, name: string): Promise<StoredPrompt | undefined> {
    const key = changeOf(tenant, name);
    const known = this.#prompts.get(key);
    if (known) return known;
    const asked = this.store.find(tenant, name);
    this.#prompts.set(key, asked);
    // Asked again by the next; whoever awaits `asked` is told.
    asked.catch(() => this.#prompts.delete(key));
    return asked;
  }

  async #text(tenant: string, name: string, version: number): Promise<string> {
    const key = `${changeOf(tenant, name)}@${version}`;
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const found = await this.store.findVersion(tenant, name, version);
    if (!found) throw versionNotFound(name, version);
    this.#texts.set(key, found.text);
    return found.text;
  }
}

export function findBuiltIn(name: string): BuiltInPrompt | undefined {
  return builtInPrompts.find((prompt) => prompt.name === name);
}

/** @returns what is thrown where there is no such prompt */
export function promptNotFound(name: string): HeadwaterError {
  return new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_PROMPT_NOT_FOUND",
    message: `There is no prompt "${name}".`,
    action: "List the prompts, or make its first version.",
  });
}

/** Draws by hash, so that a key's side depends on nothing but the key and the shares. */
export function pickShare(shares: readonly PromptShare[], key: string): number {
  const drawn = createHash("sha256").update(key).digest().readUIntBE(0, 6) / 2 ** 48;
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  let reached = 0;
  for (const { version, weight } of shares) {
    reached += weight / total;
    if (drawn < reached) return version;
  }
  return shares.at(-1)?.version ?? 0;
}
