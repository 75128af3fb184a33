import type { Filter, Hit, HitsEvent, SummaryEvent } from "@headwater/client";
import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { exitCode } from "../exit-code.ts";
import type { FilterOptions } from "../filter.ts";
import { addFilterOptions, readFilter } from "../filter.ts";
import { wholeNumber } from "../number-option.ts";
import { bold, cyan, dim } from "../terminal/output.ts";

interface SearchCommandOptions extends ConnectionOptions, FilterOptions {
  readonly top: number;
  readonly explain?: boolean;
  readonly rerank: boolean;
  readonly page?: string;
}

export function addSearchCommand(program: Command): void {
  const command = program
    .command("search <query...>")
    .description("find passages")
    .option("-n, --top <n>", "hits, 1 to 100", wholeNumber(1, 100), 5)
    .option("--explain", "show how each score came about")
    .option("--no-rerank", "stop after fusion")
    .option("--page <token>", "page that a search before named as the next");
  addFilterOptions(withConnection(command)).action((words: string[], options: SearchCommandOptions) =>
    withClient(options, (connection) => search(words.join(" "), options, connection)),
  );
}

async function search(query: string, options: SearchCommandOptions, connection: Connection): Promise<void> {
  const { client, output, signal } = connection;
  const filter: Filter | undefined = readFilter(options);
  const events = client.search(query, {
    pageSize: options.top,
    highlight: true,
    explain: options.explain === true,
    signal,
    ...(options.page === undefined ? {} : { pageToken: options.page }),
    ...(options.rerank ? {} : { rerank: { disabled: true } }),
    ...(filter ? { filter } : {}),
  });
  let last: HitsEvent | undefined;
  let summary: SummaryEvent | undefined;
  for await (const event of events) {
    if (output.json) output.value(event);
    if (event.type === "summary") summary = event;
    else {
      last = event;
      if (output.interactive) process.stderr.write(`\r\u001b[K${event.stage} …`);
    }
  }
  if (output.interactive) process.stderr.write("\r\u001b[K");
  if (!last || last.hits.length === 0) process.exitCode = exitCode.nothingFound;
  if (output.json) return;
  for (const hit of last?.hits ?? []) output.line(describeHit(hit));
  if (!last || last.hits.length === 0) output.note("Nothing found.");
  if (summary) {
    for (const { message } of summary.degradations) output.note(`Note: ${message}`);
    output.note(dim(`${last?.stage ?? "no stage"} · ${Math.round(summary.milliseconds["total"] ?? 0)} ms`));
    if (summary.nextPageToken) output.note(dim(`next page: --page ${summary.nextPageToken}`));
  }
}

function describeHit(hit: Hit): string {
  const place = [hit.page > 0 ? `p. ${hit.page}` : "", hit.headingPath.join(" › ")]
    .filter(Boolean)
    .join(", ");
  const title = hit.document.title || hit.document.id;
  const lines = [
    `${bold(`${hit.rank}. ${title}`)}${place ? dim(` (${place})`) : ""}  ${cyan(hit.score.toFixed(3))}`,
    `   ${shorten(highlighted(hit)).replaceAll("\n", "\n   ")}`,
    dim(`   ${hit.document.id}`),
  ];
  for (const { stage, rank, score, weight, share } of hit.explanation?.lists ?? []) {
    const found = rank === 0 ? "not found" : `rank ${rank}, score ${score.toFixed(3)}`;
    lines.push(dim(`   ${stage}: ${found} × weight ${weight.toFixed(2)} → ${share.toFixed(3)}`));
  }
  const rerank = hit.explanation?.rerankScore;
  if (hit.explanation)
    lines.push(
      dim(
        `   fused: ${hit.explanation.fusedScore.toFixed(3)}${rerank === undefined ? "" : `, reranker: ${rerank.toFixed(3)}`}`,
      ),
    );
  return `${lines.join("\n")}\n`;
}

function highlighted(hit: Hit): string {
  let text = "";
  let at = 0;
  for (const { start, end } of hit.highlights) {
    text += hit.text.slice(at, start) + bold(hit.text.slice(start, end));
    at = end;
  }
  return (text + hit.text.slice(at)).replaceAll(/\s+/g, " ");
}

/** About four lines of a terminal. */
function shorten(text: string): string {
  return text.length <= 400 ? text : `${text.slice(0, 400).replace(/\s\S*$/, "")} …`;
}
