/** To thousandths, and what has faded to nothing is nothing: a report is sent only when something has changed. */
export function roundLoad(value: number): number {
  return Math.round(value * 1000) / 1000;
}
