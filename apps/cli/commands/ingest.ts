import { createReadStream } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { NewDocument } from "@headwater/client";
import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { exitCode } from "../exit-code.ts";
import { fileDocument, findFiles, isCollection } from "../sources/files.ts";
import { readJsonLines } from "../sources/json-lines.ts";
import { IngestProgress } from "../terminal/ingest-progress.ts";

interface IngestOptions extends ConnectionOptions {
  readonly wait: boolean;
}

const pollMs = 250;

export function addIngestCommand(program: Command): void {
  const command = program
    .command("ingest <paths...>")
    .description("take in files, folders, globs, or - for JSON Lines on standard input")
    .option("--no-wait", "end when the documents are safely in the log, before they are indexed")
    .addHelpText(
      "after",
      `
A .jsonl or .ndjson file whose lines are documents is a collection: one document a line,
{"id": …, "text": … or "content_base64": …, "title", "uri", "media_type", "attributes", "version", "observed_time"};
BEIR's {"_id", "title", "text"} is understood. Sending the same again costs next to nothing.`,
    );
  withConnection(command).action((paths: string[], options: IngestOptions) =>
    withClient(options, (connection) => ingest(paths, options, connection)),
  );
}

async function ingest(paths: string[], options: IngestOptions, connection: Connection): Promise<void> {
  const { client, signal } = connection;
  const files = await findFiles(paths.filter((path) => path !== "-"));
  const progress = new IngestProgress(connection.output, files.length, options.wait);
  try {
    const documents = documentsOf(files, paths.includes("-"), progress);
    const settling = new AbortController();
    const watching = options.wait
      ? follow(connection, progress, AbortSignal.any([signal, settling.signal]))
      : undefined;
    try {
      for await (const receipt of client.documents.push(documents, { signal })) progress.received(receipt);
      progress.allReceived();
      await watching;
    } finally {
      settling.abort();
    }
    if (options.wait) await collectFailures(connection, progress);
    progress.summarize();
  } finally {
    progress.stop();
  }
  if (progress.problems > 0) process.exitCode = exitCode.partial;
}

async function* documentsOf(
  files: readonly string[],
  standardInput: boolean,
  progress: IngestProgress,
): AsyncGenerator<NewDocument> {
  for (const path of files) {
    if (await isCollection(path)) yield* collection(createReadStream(path), path, progress);
    else {
      progress.pushed();
      yield await fileDocument(path);
    }
  }
  if (standardInput) yield* collection(process.stdin, "standard input", progress);
}

async function* collection(
  input: Parameters<typeof readJsonLines>[0],
  name: string,
  progress: IngestProgress,
): AsyncGenerator<NewDocument> {
  progress.collection();
  for await (const document of readJsonLines(input, ({ line, message }) =>
    progress.problem({
      id: `${name}:${line}`,
      reason: "HW_LINE_MALFORMED",
      message: `Line ${line} ${message}.`,
    }),
  )) {
    progress.pushed();
    yield document;
  }
}

/** Follows the consumer until it has gone past every receipt; resolves once that is so and all receipts are there. */
async function follow({ client }: Connection, progress: IngestProgress, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { partitions } = await client.pipeline({ signal });
    progress.committed(partitions);
    if (progress.settled) return;
    await delay(pollMs, undefined, { signal }).catch(() => {});
  }
}

async function collectFailures({ client, signal }: Connection, progress: IngestProgress): Promise<void> {
  let pageToken = "";
  do {
    const page = await client.documents.list({ states: ["failed"], pageSize: 1000, pageToken, signal });
    for (const { id, version, failure } of page.documents) {
      if (failure && progress.isOurs(id, version)) {
        progress.problem({ id, reason: failure.reason, message: `${failure.stage}: ${failure.message}` });
      }
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}
