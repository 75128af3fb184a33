import { hash } from "node:crypto";
import { invalidArgument } from "@headwater/errors";

/** Channels belong to a database, not to a schema: the name keeps services apart. At most 63 bytes, as identifiers are. */
export function channelName(schema: string, channel: string): string {
  if (!/^[a-z][a-z0-9_]{0,29}$/.test(channel))
    throw invalidArgument("HW_CHANNEL_INVALID", `"${channel}" is no name for a channel.`);
  return `headwater_${hash("sha256", schema).slice(0, 16)}_${channel}`;
}

/** Tells of many payloads in one statement. */
export const notifySql =
  "SELECT pg_notify($1, payload) FROM unnest($2::text[]) WITH ORDINALITY AS told (payload, place) ORDER BY place";
