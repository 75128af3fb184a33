/** Reader of an option that may be given again: all that is given counts. */
export function repeated(text: string, before: readonly string[]): string[] {
  return [...before, text];
}
