import { Temporal } from "temporal-polyfill";
import type { Tool } from "./tool.ts";

/** Tells the time and reckons with it: zones, differences, what comes after how long. */
export function createTimeTool(now: () => Date = () => new Date()): Tool {
  return {
    name: "time",
    description:
      'Tells and reckons with dates and times. "now": the time in a zone. "convert": a time in another zone. "difference": from one time to another. "add": a duration to a time.',
    parameters: {
      type: "object",
      properties: {
        operation: { enum: ["now", "convert", "difference", "add"] },
        zone: {
          type: "string",
          maxLength: 64,
          description: 'Such as "Europe/Amsterdam" or "+05:30"; UTC where not given',
        },
        time: {
          type: "string",
          maxLength: 64,
          description:
            'ISO 8601, such as "2026-03-01", "2026-03-01T09:30" or "2026-03-01T09:30Z"; now where not given',
        },
        to: {
          type: "string",
          maxLength: 64,
          description: "Of difference: the other time. Of convert: the other zone",
        },
        duration: {
          type: "string",
          maxLength: 64,
          description: 'Of add: ISO 8601, such as "P1M2D", "PT36H" or "-P2W"',
        },
      },
      required: ["operation"],
      additionalProperties: false,
    },
    source: "built-in",
    needsApproval: false,
    untrusted: false,
    async run({ operation, zone = "UTC", time, to, duration }) {
      try {
        const start = readTime(time, String(zone), now());
        switch (operation) {
          case "now":
            return { text: show(readTime(undefined, String(zone), now())), failed: false };
          case "convert":
            return { text: show(start.withTimeZone(String(to ?? "UTC"))), failed: false };
          case "difference":
            return { text: difference(start, readTime(to, String(zone), now())), failed: false };
          default:
            return { text: show(start.add(Temporal.Duration.from(String(duration ?? "")))), failed: false };
        }
      } catch (thrown) {
        // Temporal says so of what cannot be read, and of what lies beyond its range.
        if (!(thrown instanceof RangeError)) throw thrown;
        return {
          text: `${thrown.message}. Write times and durations as ISO 8601, and zones by name.`,
          failed: true,
        };
      }
    },
  };
}

/** A time that names an offset or a zone is that moment, seen from there; any other is of `zone`. */
function readTime(time: unknown, zone: string, now: Date): Temporal.ZonedDateTime {
  if (time === undefined) {
    return Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(zone);
  }
  const written = String(time);
  if (/\[[^\]]+\]$/.test(written)) return Temporal.ZonedDateTime.from(written);
  if (/T.*(?:Z|[+-]\d\d(?::?\d\d)?)$/i.test(written))
    return Temporal.Instant.from(written).toZonedDateTimeISO(zone);
  return Temporal.PlainDateTime.from(written).toZonedDateTime(zone);
}

const weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

function show(time: Temporal.ZonedDateTime): string {
  const exact = time.toString({ smallestUnit: "second", timeZoneName: "never" });
  return `${exact} (${weekdays[time.dayOfWeek - 1]}, ${time.timeZoneId}, week ${time.weekOfYear ?? "?"})`;
}

function difference(from: Temporal.ZonedDateTime, to: Temporal.ZonedDateTime): string {
  const parts = from.until(to, { largestUnit: "year" });
  const names = ["years", "months", "days", "hours", "minutes", "seconds"] as const;
  const told = names.flatMap((name) => (parts[name] === 0 ? [] : [`${parts[name]} ${name}`]));
  const seconds = (to.epochMilliseconds - from.epochMilliseconds) / 1000;
  const days = from.until(to, { largestUnit: "day" }).total({ unit: "day", relativeTo: from });
  return `${told.join(", ") || "none"} (in all ${round(days)} days, or ${round(seconds)} seconds)`;
}

function round(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
