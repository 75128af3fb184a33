import type { Job } from "@headwater/client";
import { signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { documentsAt, isUnderWay, jobKindNames, jobStateNames } from "./job-words.ts";
import { server } from "./server.ts";

export interface JobList {
  /** Newest first. */
  readonly jobs: readonly Job[];
  readonly nextPageToken: string;
  readonly loading: boolean;
  readonly fault: Fault | undefined;
}

export const jobList = signal<JobList>({ jobs: [], nextPageToken: "", loading: true, fault: undefined });

/** Milliseconds between looks for jobs that others have submitted, such as schedules. */
const lookEvery = 5000;
/** Jobs that are watched at once: browsers give a server six connections over HTTP/1.1, and the page needs some. */
const mostWatched = 3;

let listed = false;

/** Reads the newest jobs, or, with `more`, the next page. */
export async function listJobs(signal: AbortSignal, more = false): Promise<void> {
  const before = jobList.peek();
  jobList.value = { ...before, loading: true };
  try {
    const page = await server.jobs.list({ pageToken: more ? before.nextPageToken : "", signal });
    jobList.value = {
      jobs: withJobs(jobList.peek().jobs, page.jobs),
      // A further look at the newest does not change where the older ones begin.
      nextPageToken: more || !listed ? page.nextPageToken : before.nextPageToken,
      loading: false,
      fault: undefined,
    };
    listed = true;
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (fault) jobList.value = { ...jobList.peek(), loading: false, fault };
  }
}

function withJobs(jobs: readonly Job[], news: readonly Job[]): Job[] {
  const merged = new Map([...jobs, ...news].map((job) => [job.id, job]));
  return [...merged.values()].sort(
    (a, b) => (b.createdTime?.getTime() ?? 0) - (a.createdTime?.getTime() ?? 0),
  );
}

/** Keeps the list as it stands at the server, until `signal` fires. */
export async function followJobs(signal: AbortSignal): Promise<void> {
  const watched = new Set<string>();
  while (!signal.aborted) {
    if (!document.hidden) await listJobs(signal);
    for (const { id } of jobList.peek().jobs.filter(isUnderWay)) {
      if (watched.size >= mostWatched || watched.has(id)) continue;
      watched.add(id);
      void watchJob(id, signal).then(() => watched.delete(id));
    }
    await pause(lookEvery, signal);
  }
}

async function watchJob(id: string, signal: AbortSignal): Promise<void> {
  try {
    for await (const job of server.jobs.watch(id, { signal })) {
      putJob(job);
      if (!isUnderWay(job)) announce(`${jobKindNames[job.kind] ?? job.kind}: ${jobStateNames[job.state]}.`);
    }
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    // The next look at the list tells how it stands, and watches it again.
    if (fault && !fault.transient) jobList.value = { ...jobList.peek(), fault };
  }
}

/** A job that is open by its address may be older than the list. */
export async function findJob(id: string, signal: AbortSignal): Promise<void> {
  if (jobList.peek().jobs.some((job) => job.id === id)) return;
  try {
    putJob(await server.jobs.get(id, { signal }));
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (fault) jobList.value = { ...jobList.peek(), fault };
  }
}

function putJob(job: Job): void {
  jobList.value = { ...jobList.peek(), jobs: withJobs(jobList.peek().jobs, [job]) };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((done) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      done();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    wake = end;
  });
}

/** Looks at once instead of at the next turn. */
let wake = () => {};

/**
 * Submits a job that fetches and indexes what is at the addresses.
 * @returns what went wrong, if something did
 */
export async function submitIndexJob(addresses: string): Promise<Fault | undefined> {
  try {
    const { job } = await server.jobs.submit("index", { documents: documentsAt(addresses) });
    putJob(job);
    announce("The job is submitted.");
    wake();
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** @returns what went wrong, if something did */
export async function cancelJob(id: string): Promise<Fault | undefined> {
  try {
    putJob(await server.jobs.cancel(id));
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** @returns what went wrong, if something did */
export async function retryJob(id: string): Promise<Fault | undefined> {
  try {
    putJob(await server.jobs.retry(id));
    wake();
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}
