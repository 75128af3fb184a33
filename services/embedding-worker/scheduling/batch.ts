import type { Work } from "./work.ts";
import { tokensOf } from "./work.ts";

/** How large a batch may be. */
export interface BatchLimits {
  /** Padded tokens: texts times the longest of them. A text that is longer goes alone. */
  readonly tokens: number;
  readonly texts: number;
}

/** Padding costs as much as text, so no more than this share of the text is bought to fill a batch. */
const mostPadding = 0.25;

/**
 * The first of `window` and those most like it in length, as many as the limits allow. Since the first is always in,
 * nothing waits for ever because of its length.
 */
export function pickBatch<T extends { readonly work: Work }>(
  window: readonly T[],
  limits: BatchLimits,
): readonly T[] {
  const [first] = window;
  if (!first) return [];
  const length = tokensOf(first.work);
  // Where no second one fits there is nothing to sort, which is dear to do for each text.
  if (limits.texts === 1 || 2 * length > limits.tokens) return [first];
  const alike = window
    .slice(1)
    .filter(({ work }) => work.kind === first.work.kind)
    .map((item) => ({ item, tokens: tokensOf(item.work) }))
    .sort((a, b) => Math.abs(a.tokens - length) - Math.abs(b.tokens - length));
  const batch = [first];
  let [longest, text] = [length, length];
  for (const { item, tokens } of alike) {
    if (batch.length === limits.texts) break;
    const width = Math.max(longest, tokens);
    const padded = width * (batch.length + 1);
    if (padded > limits.tokens || padded > (text + tokens) * (1 + mostPadding)) break;
    batch.push(item);
    [longest, text] = [width, text + tokens];
  }
  return batch;
}

export function paddedTokens(batch: readonly { readonly work: Work }[]): number {
  return batch.length * batch.reduce((longest, { work }) => Math.max(longest, tokensOf(work)), 0);
}
