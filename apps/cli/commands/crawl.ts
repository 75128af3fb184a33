import { invalidArgument } from "@headwater/errors";
import { createSafeFetch } from "@headwater/safe-fetch";
import type { Command } from "commander";
import { Option } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { Crawler } from "../crawler/crawler.ts";
import { HostPace } from "../crawler/host-pace.ts";
import { productToken, Robots } from "../crawler/robots.ts";
import { WebHoldings } from "../crawler/web-holdings.ts";
import { exitCode } from "../exit-code.ts";
import { Account } from "../librarian/account.ts";
import { Delivery } from "../librarian/delivery.ts";
import { readHoldings } from "../librarian/holdings.ts";
import { createPatience } from "../librarian/patience.ts";
import { wholeNumber } from "../number-option.ts";
import { repeated } from "../repeated-option.ts";

interface CrawlCommandOptions extends ConnectionOptions {
  readonly depth: number;
  readonly anyHost?: boolean;
  readonly maxPages: number;
  readonly maxBytes: number;
  readonly rate: number;
  readonly timeout: number;
  readonly allowPrivate: readonly string[];
}

export function addCrawlCommand(program: Command): void {
  const command = program
    .command("crawl <urls...>")
    .description("take in pages of the web, and those that sitemaps list; what is gone there is deleted here")
    .option("--depth <n>", "follow links so many steps from the addresses given", wholeNumber(0, 100), 0)
    .option("--any-host", "go to other hosts than those given, too")
    .option("--max-pages <n>", "ask for so many pages at most", wholeNumber(1, 1_000_000), 1000)
    .option("--max-bytes <n>", "take no page that is larger", wholeNumber(1, 1_000_000_000), 10 * 1024 * 1024)
    .option("--rate <n>", "requests a second to one host, at most", wholeNumber(1, 1000), 1)
    .option("--timeout <seconds>", "for one page", wholeNumber(1, 3600), 30)
    .addOption(
      new Option(
        "--allow-private <what>",
        "an address, network or host in a private network that may be fetched from; may be given again",
      )
        .argParser(repeated)
        .default([], "none"),
    )
    .addHelpText(
      "after",
      `
A sitemap, or an index of sitemaps, packed or not, stands for the pages that it lists. The id of a document is its address,
or the canonical one that the page gives. robots.txt, its crawl-delay, noindex, nofollow and Retry-After are heeded, by
the name of ${productToken}. Run again, it asks only for what has changed (ETag, Last-Modified, the sitemap's lastmod).
Private networks are refused, also behind a redirect or a name that changes its address.`,
    );
  withConnection(command).action((urls: string[], options: CrawlCommandOptions) =>
    withClient(options, (connection) => crawl(urls, options, connection)),
  );
}

async function crawl(urls: string[], options: CrawlCommandOptions, connection: Connection): Promise<void> {
  const { client, output, signal } = connection;
  const starts = urls.map(readStart);
  const patiently = createPatience(output, false, signal);
  const account = new Account(output);
  const fetch = createSafeFetch({
    ...{ userAgent: `${productToken}/0.1`, allowPrivate: options.allowPrivate, maxBytes: options.maxBytes },
    timeoutMs: 1000 * options.timeout,
  });
  const pace = new HostPace(1000 / options.rate);
  const crawler = new Crawler({
    ...{ fetch, pace, account, signal, robots: new Robots(fetch, pace) },
    ...{ depth: options.depth, anyHost: options.anyHost === true, maxPages: options.maxPages },
    holdings: new WebHoldings((idPrefix) => patiently(() => readHoldings(client, idPrefix, signal))),
    delivery: new Delivery({ client, account, patiently, signal }),
  });
  try {
    await crawler.crawl(starts);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    await fetch.close();
  }
  account.summarize();
  if (account.refusals > 0) process.exitCode = exitCode.partial;
}

function readStart(text: string): URL {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw invalidArgument(
      "HW_URL_INVALID",
      // Not the address itself: it may hold a password.
      "An address is not of the form https://example.org/page, without user name and password.",
    );
  }
  return url;
}
