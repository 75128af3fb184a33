import type { RecordStore } from "@headwater/record-store";
import type { Owner } from "../turns/turn.ts";
import type { JsonObject } from "./job.ts";

/** A job that is made again and again. */
export interface Schedule extends Owner {
  readonly name: string;
  /** Five fields, minutes first. */
  readonly cron: string;
  /** IANA. */
  readonly timeZone: string;
  readonly kind: string;
  readonly input: JsonObject;
}

interface Row {
  tenant: string;
  name: string;
  owner: string;
  cron: string;
  time_zone: string;
  kind: string;
  input: JsonObject;
}

const columns = "tenant, name, owner, cron, time_zone, kind, input";

/** Schedules as people see them; the queue has its own, which follow these. */
export class ScheduleStore {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** @returns the schedule that it takes the place of */
  async set(schedule: Schedule): Promise<Schedule | undefined> {
    const { tenant, name, owner, cron, timeZone, kind, input } = schedule;
    return await this.#records.transaction(async (queries) => {
      const [before] = await queries.query<Row>(
        `SELECT ${columns} FROM job_schedules WHERE tenant = $1 AND name = $2 FOR UPDATE`,
        [tenant, name],
      );
      await queries.query(
        `INSERT INTO job_schedules (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb)
         ON CONFLICT (tenant, name) DO UPDATE SET owner = excluded.owner, cron = excluded.cron,
           time_zone = excluded.time_zone, kind = excluded.kind, input = excluded.input`,
        [tenant, name, owner, cron, timeZone, kind, JSON.stringify(input)],
      );
      return before && toSchedule(before);
    });
  }

  async list(tenant: string): Promise<Schedule[]> {
    const rows = await this.#records.query<Row>(
      `SELECT ${columns} FROM job_schedules WHERE tenant = $1 ORDER BY name COLLATE "C"`,
      [tenant],
    );
    return rows.map(toSchedule);
  }

  /** Of all tenants. */
  async all(): Promise<Schedule[]> {
    return (await this.#records.query<Row>(`SELECT ${columns} FROM job_schedules`)).map(toSchedule);
  }

  /** @returns undefined where there was none */
  async delete(tenant: string, name: string): Promise<Schedule | undefined> {
    const [row] = await this.#records.query<Row>(
      `DELETE FROM job_schedules WHERE tenant = $1 AND name = $2 RETURNING ${columns}`,
      [tenant, name],
    );
    return row && toSchedule(row);
  }
}

/** In the queue. */
export function keyOf({ tenant, name }: Pick<Schedule, "tenant" | "name">): string {
  return `${tenant}/${name}`;
}

function toSchedule({ time_zone, ...row }: Row): Schedule {
  return { ...row, timeZone: time_zone };
}
