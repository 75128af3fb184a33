import { HeadwaterError, status } from "@headwater/errors";
import type { StreamMeter } from "@headwater/load";

/** Milliseconds after which a refused caller may find room: about the length of a short answer. */
const retryAfterMs = 1000;

/** A bound on work in progress. Nothing waits in it: a caller that finds no room is told at once. */
export interface Admission {
  readonly active: number;
  /**
   * Takes a place; call the result to give it back.
   *
   * @throws HeadwaterError RESOURCE_EXHAUSTED, HW_OVERLOADED with a retry hint
   */
  enter(): () => void;
}

/** @param streams told of all who have a place, for the scaler */
export function createAdmission(limit: number, streams: StreamMeter): Admission {
  let active = 0;
  return {
    get active() {
      return active;
    },
    enter() {
      if (active >= limit) {
        throw new HeadwaterError({
          code: status.RESOURCE_EXHAUSTED,
          reason: "HW_OVERLOADED",
          message: `All ${limit} places for answers are taken.`,
          action: "Try again shortly, or raise HEADWATER_GENERATION_MAX_ANSWERS.",
          retryAfterMs,
        });
      }
      active += 1;
      const leave = streams.enter();
      let left = false;
      return () => {
        if (!left) active -= 1;
        left = true;
        leave();
      };
    },
  };
}
