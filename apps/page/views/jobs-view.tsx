import { useEffect, useRef } from "preact/hooks";
import { FaultNote } from "../components/fault-note.tsx";
import { IndexJobForm } from "../components/index-job-form.tsx";
import { JobEntry } from "../components/job-entry.tsx";
import { ScheduleList } from "../components/schedule-list.tsx";
import { findJob, followJobs, jobList, listJobs } from "../state/jobs.ts";
import { route } from "../state/navigation.ts";

export function JobsView() {
  const { jobs, nextPageToken, loading, fault } = jobList.value;
  const open = route.value.job;
  const leaving = useRef(new AbortController());
  useEffect(() => {
    leaving.current = new AbortController();
    const { signal } = leaving.current;
    void followJobs(signal);
    return () => leaving.current.abort();
  }, []);
  useEffect(() => {
    if (open !== "" && !loading) void findJob(open, leaving.current.signal);
  }, [open, loading]);
  return (
    <>
      <h1>Jobs</h1>
      <p class="lead">Work in the background: it goes on when you leave, and is tried again when it fails.</p>
      <IndexJobForm />
      <section aria-labelledby="jobs">
        <div class="section-head">
          <h2 id="jobs">Newest first</h2>
        </div>
        <FaultNote fault={fault} onRetry={() => void listJobs(leaving.current.signal)} />
        {jobs.length === 0 && !loading && !fault && <p class="empty">No jobs yet.</p>}
        <ul class="cards">
          {jobs.map((job) => (
            <JobEntry key={job.id} job={job} open={job.id === open} />
          ))}
        </ul>
        {nextPageToken !== "" && (
          <button
            type="button"
            class="button"
            disabled={loading}
            onClick={() => void listJobs(leaving.current.signal, true)}
          >
            Older ones
          </button>
        )}
      </section>
      <ScheduleList />
    </>
  );
}
