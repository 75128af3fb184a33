/** Runs before the first paint, so that a chosen theme does not flash the other one. */
import { readTheme, showTheme } from "./state/theme.ts";

showTheme(readTheme());
