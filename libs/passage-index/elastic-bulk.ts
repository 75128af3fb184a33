import { setTimeout as delay } from "node:timers/promises";
import type { estypes } from "@elastic/elasticsearch";
import type { HeadwaterError } from "@headwater/errors";
import type { ElasticConnection } from "./elastic-connection.ts";
import { errorOf } from "./elastic-errors.ts";

export interface BulkOperation {
  /** The action's line, as `{ index: { _id, routing } }`. */
  readonly action: object;
  /** The document; undefined: the action has none. */
  readonly source?: object;
}

export interface BulkOptions {
  /** An alias; see `writeAlias`. */
  readonly index: string;
  /** Of one request; one operation may be larger. */
  readonly maxBytes: number;
  /** True: searches see it on return. */
  readonly refresh: boolean;
}

/** HTTP status of one operation that was not refused for good. */
export type BulkStatus = number;

type Item = estypes.BulkResponseItem;

/** Times that operations are sent again that the server had no room for: 8 s in all. */
const maxAttempts = 8;
const pauseMs = { first: 50, last: 2000 };

/**
 * Sends operations, each of which may be sent twice, in as few requests as their size allows.
 *
 * @returns a status for each: 2xx, 404 where there was nothing to delete, 409 where something else was there
 * @throws HeadwaterError INVALID_ARGUMENT for what the server refuses for good, so that its document is blamed
 */
export async function sendBulk(
  connection: ElasticConnection,
  operations: readonly BulkOperation[],
  options: BulkOptions,
): Promise<BulkStatus[]> {
  const statuses: BulkStatus[] = [];
  for (const lines of inRequests(operations, options.maxBytes))
    statuses.push(...(await sendLines(connection, lines, options)));
  return statuses;
}

async function sendLines(
  connection: ElasticConnection,
  lines: readonly (readonly string[])[],
  options: BulkOptions,
): Promise<BulkStatus[]> {
  const statuses = new Array<BulkStatus>(lines.length).fill(0);
  let waiting = [...lines.keys()];
  for (let attempt = 1, pause = pauseMs.first; ; attempt += 1, pause = Math.min(2 * pause, pauseMs.last)) {
    const items = await sendOnce(
      connection,
      waiting.flatMap((at) => lines[at] ?? []),
      options,
    );
    const busy: number[] = [];
    let refused: HeadwaterError | undefined;
    for (const [place, at] of waiting.entries()) {
      const item = items[place];
      const http = item?.status ?? 500;
      if (http === 429) busy.push(at);
      if (http === 429 && attempt < maxAttempts) continue;
      statuses[at] = http;
      if (http < 300 || http === 409 || (http === 404 && !item?.error)) continue;
      const error = errorOf(http, item?.error);
      // One that can be mended by waiting comes first: a document is judged when the server is well.
      if (!refused || error.transient) refused = error;
    }
    if (refused) throw refused;
    if (busy.length === 0) return statuses;
    waiting = busy;
    await delay(pause);
  }
}

async function sendOnce(
  connection: ElasticConnection,
  lines: readonly string[],
  { index, refresh }: BulkOptions,
): Promise<Item[]> {
  const { items } = await connection.work((client, limits) =>
    client.bulk({ index, operations: [...lines], refresh, require_alias: true }, limits),
  );
  return items.flatMap((item) => Object.values(item));
}

/** Operations as lines, as many in one request as have room. */
function* inRequests(operations: readonly BulkOperation[], maxBytes: number): Generator<string[][]> {
  let request: string[][] = [];
  let bytes = 0;
  for (const { action, source } of operations) {
    const lines = [JSON.stringify(action), ...(source === undefined ? [] : [JSON.stringify(source)])];
    const size = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    if (request.length > 0 && bytes + size > maxBytes) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(lines);
    bytes += size;
  }
  if (request.length > 0) yield request;
}
