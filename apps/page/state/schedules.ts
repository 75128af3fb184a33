import type { Schedule } from "@headwater/client";
import { signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { server } from "./server.ts";

export interface ScheduleList {
  /** By name. */
  readonly schedules: readonly Required<Schedule>[];
  readonly loading: boolean;
  readonly fault: Fault | undefined;
}

export const scheduleList = signal<ScheduleList>({ schedules: [], loading: true, fault: undefined });

export async function listSchedules(signal?: AbortSignal): Promise<void> {
  try {
    const schedules = await server.jobs.schedules.list(signal ? { signal } : {});
    scheduleList.value = { schedules, loading: false, fault: undefined };
  } catch (thrown) {
    scheduleList.value = { ...scheduleList.peek(), loading: false, fault: faultOf(thrown, signal) };
  }
}

/**
 * Makes a schedule, or replaces the one of that name.
 * @returns what went wrong, if something did
 */
export async function setSchedule(schedule: Schedule): Promise<Fault | undefined> {
  try {
    await server.jobs.schedules.set(schedule);
    announce(`The schedule ${schedule.name} is set.`);
    await listSchedules();
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** @returns what went wrong, if something did */
export async function deleteSchedule(name: string): Promise<Fault | undefined> {
  try {
    await server.jobs.schedules.delete(name);
    announce(`The schedule ${name} is deleted.`);
    await listSchedules();
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}
