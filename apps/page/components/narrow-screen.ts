import { signal } from "@preact/signals";

/** Below this the document lies over the view instead of beside it; the same width stands in `styles/layout.css`. */
const query = matchMedia("(width < 1100px)");

export const narrowScreen = signal(query.matches);

query.addEventListener("change", () => {
  narrowScreen.value = query.matches;
});
