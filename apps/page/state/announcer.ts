import { signal } from "@preact/signals";

/** What the page's one live region says. Only results are put here, never each step on the way. */
export const announcement = signal("");

export function announce(text: string): void {
  // The same text twice would not be spoken again.
  announcement.value = announcement.peek() === text ? `${text}\u00a0` : text;
}
