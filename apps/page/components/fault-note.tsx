import type { Fault } from "../state/fault.ts";
import { Icon } from "./icon.tsx";

/** Tells what went wrong, in the server's words, and what can be done. */
export function FaultNote({ fault, onRetry }: { fault: Fault | undefined; onRetry?: () => void }) {
  if (!fault) return null;
  return (
    <div class="note note-fault" role="alert">
      <Icon name="alert" />
      <div>
        <p>{fault.message}</p>
        {fault.action && <p class="note-action">{fault.action}</p>}
        <p class="note-reason">{fault.reason}</p>
      </div>
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
