import { HeadwaterError, status } from "@headwater/errors";
import type { SafeFetch } from "@headwater/safe-fetch";
import robotsParser from "robots-parser";
import type { HostPace } from "./host-pace.ts";

/** The package is CommonJS, and its types are those of an ES module. */
const parseRobots = robotsParser as unknown as typeof robotsParser.default;

/** By which robots.txt names us. */
export const productToken = "Headwater";
/** RFC 9309 asks for half a megabyte at least. */
const maxBytes = 512 * 1024;
/** A host that asks for a longer pause than a minute between two requests gets a minute. */
const longestPauseMs = 60_000;

/** What the robots.txt of one origin says to us. */
interface Rules {
  allows(url: URL): boolean;
  readonly pauseMs: number;
}

/** Minds robots.txt (RFC 9309) of each origin, asked for once in a run. */
export class Robots {
  readonly #fetch: SafeFetch;
  readonly #pace: HostPace;
  readonly #rules = new Map<string, Promise<Rules>>();

  constructor(fetch: SafeFetch, pace: HostPace) {
    this.#fetch = fetch;
    this.#pace = pace;
  }

  /**
   * Waits for the host's turn.
   *
   * @throws HeadwaterError PERMISSION_DENIED where robots.txt forbids the page
   */
  async admit(url: URL, signal: AbortSignal): Promise<void> {
    let rules = this.#rules.get(url.origin);
    if (!rules) {
      rules = this.#read(url, signal);
      this.#rules.set(url.origin, rules);
    }
    const { allows, pauseMs } = await rules;
    if (!allows(url)) {
      throw new HeadwaterError({
        ...{ code: status.PERMISSION_DENIED, reason: "HW_ROBOTS_DISALLOWED" },
        message: `The robots.txt of ${url.host} does not let ${productToken} fetch this page.`,
      });
    }
    await this.#pace.turn(url.host, pauseMs, signal);
  }

  async #read({ origin, host }: URL, signal: AbortSignal): Promise<Rules> {
    const url = `${origin}/robots.txt`;
    await this.#pace.turn(host, 0, signal);
    const answer = await this.#fetch.fetch({ url, signal, maxBytes }).catch((thrown: unknown) => {
      signal.throwIfAborted();
      const error = HeadwaterError.from(thrown);
      throw error.transient ? unknownRules(host, error.message) : error;
    });
    if (answer.status >= 500 || answer.status === 429)
      throw unknownRules(host, `It answered with ${answer.status}.`);
    // None, or not for us to see: nothing is forbidden.
    if (answer.status >= 300) return { allows: () => true, pauseMs: 0 };
    const rules = parseRobots(url, new TextDecoder().decode(answer.body));
    const pauseMs = 1000 * (rules.getCrawlDelay(productToken) ?? 0);
    return {
      allows: ({ href }) => rules.isAllowed(href, productToken) !== false,
      pauseMs: Math.min(longestPauseMs, pauseMs),
    };
  }
}

/** As long as nobody knows what it would say, it forbids everything (RFC 9309), to each page of this run. */
function unknownRules(host: string, why: string): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_ROBOTS_UNKNOWN" },
    message: `The robots.txt of ${host}, which says what may be fetched, cannot be had. ${why}`,
    action: "Try again later.",
  });
}
