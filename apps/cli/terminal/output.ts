import { styleText } from "node:util";

/** Where a command prints: results to standard output, everything else to standard error. */
export interface Output {
  /** True: one JSON value a line on standard output, no colour, no progress. */
  readonly json: boolean;
  /** True: a person watches standard error, so progress may be drawn there. */
  readonly interactive: boolean;
  /** A line of the result. */
  line(text?: string): void;
  /** Text of the result without a line end: for answers that stream. */
  write(text: string): void;
  /** A value of the result, as one line of JSON. */
  value(value: unknown): void;
  /** Something worth knowing that is not the result. */
  note(text: string): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    interactive: !json && process.stderr.isTTY === true,
    line: (text = "") => void process.stdout.write(`${text}\n`),
    write: (text) => void process.stdout.write(text),
    value: (value) => void process.stdout.write(`${JSON.stringify(value, jsonable)}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** int64 fields are bigint in the client; below 2^53 by contract, so plain numbers in JSON. */
function jsonable(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return value;
}

/** Colours only on a terminal that can show them; `styleText` minds NO_COLOR and FORCE_COLOR. */
function style(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

export const bold = (text: string) => style("bold", text);
export const dim = (text: string) => style("dim", text);
export const red = (text: string) => style("red", text);
export const green = (text: string) => style("green", text);
export const cyan = (text: string) => style("cyan", text);

/** Rows as aligned columns, two spaces apart; numbers to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, String(cell).length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return typeof cell === "number" ? String(cell).padStart(width) : cell.padEnd(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
