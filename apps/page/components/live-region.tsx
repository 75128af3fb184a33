import { announcement } from "../state/announcer.ts";

/** Speaks results to screen readers; each view puts its own here, so that they never talk over one another. */
export function LiveRegion() {
  return (
    <div class="unseen" role="status" aria-live="polite">
      {announcement}
    </div>
  );
}
