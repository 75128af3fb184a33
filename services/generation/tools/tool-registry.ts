import { HeadwaterError } from "@headwater/errors";
import type { Tool, ToolListing, ToolSource } from "./tool.ts";

/** All tools that agents may have. */
export type ToolRegistry = ToolSource;

/** Milliseconds that one source may take to tell its tools: a turn does not wait for a server that hangs. */
const listingTimeoutMs = 5000;
const validName = /^[A-Za-z0-9_-]{1,64}$/;

/** True where a name of an agent's tool list stands for this tool: itself, or "prefix*". */
export function namesTool(pattern: string, tool: string): boolean {
  return pattern.endsWith("*") ? tool.startsWith(pattern.slice(0, -1)) : pattern === tool;
}

/**
 * Joins sources. Names are unique: of two tools of one name the one of the earlier source stays, so that no server
 * can take the place of a built-in tool; the other one is told of as unavailable, as is a source that fails.
 */
export function createToolRegistry(sources: readonly ToolSource[]): ToolRegistry {
  return {
    async tools(tenant, signal) {
      const listings = await Promise.all(
        sources.map((source) =>
          listOrTell(source, tenant, AbortSignal.any([signal, AbortSignal.timeout(listingTimeoutMs)])),
        ),
      );
      signal.throwIfAborted();
      const byName = new Map<string, Tool>();
      const unavailable = listings.flatMap((listing) => listing.unavailable);
      for (const tool of listings.flatMap((listing) => listing.tools)) {
        const problem = problemOf(tool, byName);
        if (problem === undefined) byName.set(tool.name, tool);
        else unavailable.push(`${tool.source}: ${problem}`);
      }
      const tools = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      return { tools, unavailable };
    },
    async close() {
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}

function problemOf({ name }: Tool, taken: ReadonlyMap<string, Tool>): string | undefined {
  if (!validName.test(name))
    return `the name of a tool is not 1 to 64 of A-Z a-z 0-9 _ -: ${name.slice(0, 64)}`;
  const first = taken.get(name);
  return first ? `the tool ${name} is left out, as ${first.source} has one of that name` : undefined;
}

async function listOrTell(source: ToolSource, tenant: string, signal: AbortSignal): Promise<ToolListing> {
  const overdue = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    return await Promise.race([source.tools(tenant, signal), overdue]);
  } catch (thrown) {
    const why = signal.aborted
      ? `no answer within ${listingTimeoutMs} ms`
      : HeadwaterError.from(thrown).message;
    return { tools: [], unavailable: [`a source of tools: ${why}`] };
  }
}
