import { segmentsOf } from "../state/ranges.ts";
import type { Range } from "../state/route.ts";

export interface MarkedTextProps {
  readonly text: string;
  readonly ranges: readonly Range[];
  /** Where the text starts, in the offsets of the ranges. */
  readonly offset?: number;
  /** Leaves out empty lines. */
  readonly dense?: boolean;
}

/** A text with some of its ranges marked. */
export function MarkedText({ text, ranges, offset = 0, dense = false }: MarkedTextProps) {
  return (
    <>
      {segmentsOf(text, ranges, offset).map(({ text, start, marked }) => {
        const shown = dense ? text.replace(/\s*\n\s*/g, "\n") : text;
        return marked ? <mark key={start}>{shown}</mark> : shown;
      })}
    </>
  );
}
