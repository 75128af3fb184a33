import { integer } from "@headwater/settings";

export const turnSettings = {
  HEADWATER_GENERATION_TURN_GRACE_MS: integer(1000, 3_600_000)
    .default(60_000)
    .describe(
      "Milliseconds for which a turn of a conversation goes on that nobody reads; then it is cancelled",
    ),
  HEADWATER_GENERATION_TURN_LEASE_MS: integer(1000, 600_000)
    .default(15_000)
    .describe("Milliseconds after which the turns of a process that has died are ended"),
  HEADWATER_GENERATION_TURN_RETENTION_MS: integer(1000, 31_536_000_000)
    .default(86_400_000)
    .describe("Milliseconds for which an ended turn can be streamed again; its messages stay"),
  HEADWATER_GENERATION_HISTORY_TOKENS: integer(256, 1_000_000)
    .default(2000)
    .describe("Tokens of a conversation that a turn reads: the newest turns whole, those before summed up"),
};

/** How turns of conversations run; times in milliseconds. */
export interface TurnsConfig {
  readonly graceMs: number;
  readonly leaseMs: number;
  readonly retentionMs: number;
  readonly historyTokens: number;
}

export function readTurns(settings: Readonly<Record<keyof typeof turnSettings, number>>): TurnsConfig {
  return {
    graceMs: settings.HEADWATER_GENERATION_TURN_GRACE_MS,
    leaseMs: settings.HEADWATER_GENERATION_TURN_LEASE_MS,
    retentionMs: settings.HEADWATER_GENERATION_TURN_RETENTION_MS,
    historyTokens: settings.HEADWATER_GENERATION_HISTORY_TOKENS,
  };
}
