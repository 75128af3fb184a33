/** A memory weaker than this is forgotten: from full strength, after 4.3 half-lives in which nobody needed it. */
export const forgottenBelow = 0.05;
/** What a recall or a repetition takes off the way to full strength. */
const gain = 0.3;

/** What surprised more is held longer: half to full strength. */
export function firstStrength(surprise: number): number {
  return 0.5 + 0.5 * surprise;
}

/** @param strength 0 to 1, as it is now */
export function strengthened(strength: number): number {
  return strength + (1 - strength) * gain;
}

/**
 * @param strength as it was at `since`
 * @param halfLifeMs milliseconds in which half of it goes
 */
export function faded(strength: number, since: Date, now: Date, halfLifeMs: number): number {
  return strength * 0.5 ** (Math.max(0, now.getTime() - since.getTime()) / halfLifeMs);
}
