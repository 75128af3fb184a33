/** Milliseconds to wait before the nth try to reach the server, n from 0: grows to 15 s, spread by up to a fifth. */
export function backOff(attempt: number, random: () => number = Math.random): number {
  const base = Math.min(15_000, 500 * 2 ** Math.min(attempt, 10));
  return Math.round(base * (0.9 + 0.2 * random()));
}
