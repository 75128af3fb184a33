import { invalidArgument } from "@headwater/errors";
import type { Command } from "commander";
import { Option } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { exitCode } from "../exit-code.ts";
import { Account } from "../librarian/account.ts";
import { Delivery } from "../librarian/delivery.ts";
import { readHoldings } from "../librarian/holdings.ts";
import { Librarian } from "../librarian/librarian.ts";
import type { Patiently } from "../librarian/patience.ts";
import { createPatience } from "../librarian/patience.ts";
import type { Source } from "../librarian/source.ts";
import { wholeNumber } from "../number-option.ts";
import { repeated } from "../repeated-option.ts";
import { isBucketAddress, openBucketPrefix } from "../sources/bucket.ts";
import { openFolder } from "../sources/folder.ts";
import { ignoreRules } from "../sources/ignore-rules.ts";

interface WatchOptions extends ConnectionOptions {
  readonly once?: boolean;
  readonly interval?: number;
  readonly poll?: number;
  readonly ignore: readonly string[];
}

export function addWatchCommand(program: Command): void {
  const command = program
    .command("watch <sources...>")
    .description(
      "keep the documents of folders, or of s3://bucket/prefix, as they are there: new, changed, deleted",
    )
    .option("--once", "bring them up to date, wait until all is indexed, and end")
    .option(
      "--interval <seconds>",
      "between two comparisons of everything; default: 3600 for folders, whose changes are noticed at once, 60 for s3",
      wholeNumber(1, 86_400),
    )
    .option(
      "--poll <seconds>",
      "look for changes so often, where a network drive does not tell of them",
      wholeNumber(1, 3600),
    )
    .addOption(
      new Option(
        "--ignore <pattern>",
        "what to pass over, as a line of a .gitignore: '*.tmp', 'drafts/'; may be given again",
      )
        .argParser(repeated)
        .default([], "nothing"),
    )
    .addHelpText(
      "after",
      `
The id of a document is its path below the folder, with the folder's name before it; or s3://bucket/key. Hidden files
and node_modules are passed over. Only what has changed is sent, also after a restart: the service's own records tell.
Images, and PDFs of scanned pages, would need OCR, which Headwater does not do: they are told of. S3 is reached by
HEADWATER_S3_ENDPOINT, HEADWATER_S3_REGION, HEADWATER_S3_ACCESS_KEY_ID and so on. Ctrl-C ends it.`,
    );
  withConnection(command).action((places: string[], options: WatchOptions) =>
    withClient(options, (connection) => watch(places, options, connection)),
  );
}

async function watch(places: string[], options: WatchOptions, connection: Connection): Promise<void> {
  const { client, output } = connection;
  const failed = new AbortController();
  const signal = AbortSignal.any([connection.signal, failed.signal]);
  const patiently = createPatience(output, options.once !== true, signal);
  const account = new Account(output);
  const librarian = new Librarian({
    ...{ account, signal, delivery: new Delivery({ client, account, patiently, signal }) },
    readHoldings: (idPrefix) => patiently(() => readHoldings(client, idPrefix, signal)),
  });
  const sources: Source[] = [];
  try {
    for (const place of places) sources.push(await openSource(place, options, patiently));
    checkApart(sources);
    const kept = sources.map(async (source) => {
      try {
        await (options.once ? librarian.once(source) : librarian.follow(source, options.interval));
      } catch (thrown) {
        // One that cannot go on ends the others too: nobody would notice that it is left behind.
        failed.abort(thrown);
      }
    });
    await Promise.all(kept);
    // The first that failed; what the others threw followed from it.
    if (!connection.signal.aborted) failed.signal.throwIfAborted();
  } finally {
    for (const source of sources) await source.close();
  }
  account.summarize();
  if (account.refusals > 0) process.exitCode = exitCode.partial;
}

async function openSource(place: string, options: WatchOptions, patiently: Patiently): Promise<Source> {
  const ignore = ignoreRules(options.ignore);
  if (isBucketAddress(place)) return openBucketPrefix(place, { ignore, patiently });
  return await openFolder(place, { ignore, pollSeconds: options.poll });
}

/** Documents of two sources must not have the same ids: each would delete what the other has sent. */
function checkApart(sources: readonly Source[]): void {
  for (const [index, one] of sources.entries()) {
    for (const other of sources.slice(index + 1)) {
      if (!one.idPrefix.startsWith(other.idPrefix) && !other.idPrefix.startsWith(one.idPrefix)) continue;
      throw invalidArgument(
        "HW_SOURCES_OVERLAP",
        `${one.name} and ${other.name} would give their documents the same ids.`,
        "Watch a folder that holds both, or give them different names.",
      );
    }
  }
}
