import type { Filter } from "@headwater/client";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";

export interface FilterOptions {
  readonly attribute?: Readonly<Record<string, string[]>>;
  readonly type?: string[];
  readonly document?: string[];
  readonly since?: Date;
  readonly before?: Date;
}

export function addFilterOptions(command: Command): Command {
  return command
    .option("--attribute <key=value>", "only documents with this attribute; may be repeated", attribute)
    .option("--type <media-type>", "only this media type; may be repeated", append)
    .option("--document <id>", "only this document; may be repeated", append)
    .option("--since <time>", "only documents seen at or after this time (ISO 8601)", time)
    .option("--before <time>", "only documents seen before this time (ISO 8601)", time);
}

/** undefined where no option narrows the search. */
export function readFilter(options: FilterOptions): Filter | undefined {
  const filter: Filter = {
    ...(options.attribute ? { attributes: options.attribute } : {}),
    ...(options.type ? { mediaTypes: options.type } : {}),
    ...(options.document ? { documentIds: options.document } : {}),
    ...(options.since ? { observedFrom: options.since } : {}),
    ...(options.before ? { observedBefore: options.before } : {}),
  };
  return Object.keys(filter).length > 0 ? filter : undefined;
}

function attribute(text: string, before: Record<string, string[]> = {}): Record<string, string[]> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Allowed: key=value.");
  const key = text.slice(0, at);
  return { ...before, [key]: [...(before[key] ?? []), text.slice(at + 1)] };
}

function append(text: string, before: string[] = []): string[] {
  return [...before, text];
}

function time(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime()))
    throw new InvalidArgumentError("Allowed: a time such as 2026-01-31T12:00:00Z.");
  return date;
}
