import type { Document, DocumentState } from "@headwater/client";
import { documentStates } from "@headwater/client";
import type { Command } from "commander";
import { Option } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { wholeNumber } from "../number-option.ts";
import { table } from "../terminal/output.ts";

interface DocumentsOptions extends ConnectionOptions {
  readonly state?: DocumentState;
  readonly prefix?: string;
  readonly limit: number;
  readonly text?: boolean;
}

export function addDocumentsCommand(program: Command): void {
  const command = program
    .command("documents [id]")
    .description("list documents, or show one")
    .addOption(new Option("--state <state>", "only those in this state").choices(documentStates))
    .option("--prefix <text>", "only ids that start with this")
    .option("--limit <n>", "how many at most", wholeNumber(1, 1_000_000), 100)
    .option("--text", "with an id: print the extracted text");
  withConnection(command).action((id: string | undefined, options: DocumentsOptions) =>
    withClient(options, (connection) =>
      id === undefined ? list(options, connection) : show(id, options, connection),
    ),
  );
}

async function list(options: DocumentsOptions, { client, output, signal }: Connection): Promise<void> {
  const documents: Document[] = [];
  let pageToken = "";
  do {
    const page = await client.documents.list({
      pageSize: Math.min(1000, options.limit - documents.length),
      pageToken,
      signal,
      ...(options.state === undefined ? {} : { states: [options.state] }),
      ...(options.prefix === undefined ? {} : { idPrefix: options.prefix }),
    });
    documents.push(...page.documents);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && documents.length < options.limit);
  if (output.json) {
    for (const document of documents) output.value(document);
    return;
  }
  output.line(
    table(
      documents.map(({ id, state, passages, sizeBytes, title, failure }) => [
        id,
        state,
        `${passages} passages`,
        `${sizeBytes} bytes`,
        failure ? failure.message : title,
      ]),
    ),
  );
  if (pageToken !== "") output.note(`There are more; --limit ${options.limit} was reached.`);
}

async function show(
  id: string,
  options: DocumentsOptions,
  { client, output, signal }: Connection,
): Promise<void> {
  if (options.text) {
    let start = 0;
    let length = 0;
    do {
      const piece = await client.documents.text(id, { range: { start, end: start + 500_000 }, signal });
      output.write(piece.text);
      start = piece.range.end;
      length = piece.textLength;
    } while (start < length);
    return output.line();
  }
  const document = await client.documents.get(id, { signal });
  if (output.json) return output.value(document);
  output.line(
    table([
      ["id", document.id],
      ["state", document.state],
      ...(document.failure
        ? [["failure", `${document.failure.stage}: ${document.failure.message} [${document.failure.reason}]`]]
        : []),
      ["title", document.title],
      ["uri", document.uri],
      ["media type", document.mediaType],
      ["version", String(document.version)],
      ["size", `${document.sizeBytes} bytes`],
      ["passages", String(document.passages)],
      ["observed", document.observedTime?.toISOString() ?? ""],
      ["sha-256", document.contentSha256],
      ...Object.entries(document.attributes).map(([key, value]) => [`  ${key}`, value]),
    ]),
  );
}
