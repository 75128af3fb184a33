import type { Job } from "@headwater/client";
import { useSignal } from "@preact/signals";
import type { Fault } from "../state/fault.ts";
import { ago } from "../state/format.ts";
import { isUnderWay, jobKindNames, jobStateNames, outcomeOf, progressOf } from "../state/job-words.ts";
import { cancelJob, retryJob } from "../state/jobs.ts";
import { FaultNote } from "./fault-note.tsx";
import { Link } from "./link.tsx";

/** A job: how it stands, what came of it, and what can be done. `open`: with all that it was given and gave. */
export function JobEntry({ job, open }: { job: Job; open: boolean }) {
  const fault = useSignal<Fault | undefined>(undefined);
  const { id, kind, state, error, createdTime, attempts, maxAttempts } = job;
  const name = jobKindNames[kind] ?? kind;
  const progress = isUnderWay(job) ? progressOf(job) : outcomeOf(job);
  const act = (work: Promise<Fault | undefined>) =>
    void work.then((failed) => {
      fault.value = failed;
    });
  return (
    <li class="entry" data-id={id}>
      <div class="entry-main">
        <h3>
          <Link class="entry-title" to={{ job: open ? "" : id }}>
            {name}
          </Link>
        </h3>
        {progress && <p class="job-outcome">{progress}</p>}
        {state === "active" && (
          <progress
            aria-label={`Progress of ${name}`}
            {...(job.progress.total > 0 ? { max: job.progress.total, value: job.progress.done } : {})}
          />
        )}
        {error && state !== "completed" && (
          <p class="job-error">
            {error.message} {error.action} <code>{error.reason}</code>
          </p>
        )}
        <p class="entry-facts">
          <span class={`job-state job-${state}`}>{jobStateNames[state]}</span>
          {createdTime && <span>{ago(createdTime, new Date())}</span>}
          {attempts > 1 && (
            <span>
              attempt {attempts} of {maxAttempts}
            </span>
          )}
        </p>
        {open && <JobDetails job={job} />}
        <FaultNote fault={fault.value} />
      </div>
      <div class="entry-actions">
        {isUnderWay(job) && (
          <button type="button" class="button" onClick={() => act(cancelJob(id))}>
            Cancel
          </button>
        )}
        {(state === "failed" || state === "cancelled") && (
          <button type="button" class="button" onClick={() => act(retryJob(id))}>
            Try again
          </button>
        )}
      </div>
    </li>
  );
}

function JobDetails({ job: { id, owner, priority, input, output } }: { job: Job }) {
  return (
    <div class="job-details">
      <p class="entry-facts">
        <span>{id}</span>
        <span>by {owner}</span>
        {priority !== 0 && <span>priority {priority}</span>}
      </p>
      <h4>Given</h4>
      <pre>{JSON.stringify(input, null, 2)}</pre>
      {output && (
        <>
          <h4>Result</h4>
          <pre>{JSON.stringify(output, null, 2)}</pre>
        </>
      )}
    </div>
  );
}
