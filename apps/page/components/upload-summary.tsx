import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { announce } from "../state/announcer.ts";
import { count, counted, rate, remaining } from "../state/format.ts";
import { uploadProgress } from "../state/upload-progress.ts";

/** How far the files have come that were added last: share, rate, and how long it will still take. */
export function UploadSummary() {
  const progress = uploadProgress.value;
  const now = useSignal(Date.now());
  const done = progress?.done ?? true;
  useEffect(() => {
    if (done) return;
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 500);
    return () => clearInterval(timer);
  }, [done, now]);
  const [total, indexed, failed] = [progress?.total ?? 0, progress?.indexed ?? 0, progress?.failed ?? 0];
  useEffect(() => {
    if (done && total > 0)
      announce(
        `${count(indexed)} of ${counted(total, "document")} indexed${failed > 0 ? `, ${count(failed)} failed` : ""}.`,
      );
  }, [done, total, indexed, failed]);
  if (!progress || total === 0) return null;

  const seconds = Math.max(0.1, (now.value - progress.started) / 1000);
  const perSecond = indexed / seconds;
  return (
    <div class="progress-box">
      <p>
        <strong>
          {count(indexed)} of {counted(total, "document")} indexed
        </strong>
        {failed > 0 && <span class="failed-text">{count(failed)} failed</span>}
        {!done && indexed > 0 && (
          <span class="quiet">
            {rate(perSecond)} a second, {remaining((total - indexed - failed) / perSecond)} left
          </span>
        )}
        {done && <span class="quiet">All done.</span>}
      </p>
      <progress max={total} value={indexed + failed} aria-label="Documents done" />
    </div>
  );
}
