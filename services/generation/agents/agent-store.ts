import { randomUUID } from "node:crypto";
import { HeadwaterError, status } from "@headwater/errors";
import type { RecordStore } from "@headwater/record-store";
import type { AgentDefinition, AgentRecord } from "./agent.ts";

interface Row {
  readonly tenant: string;
  readonly id: string;
  readonly definition: AgentDefinition;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const columns = "tenant, id, definition, version, created_at, updated_at";

/** The agents of all tenants. */
export class AgentStore {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** @throws HeadwaterError ALREADY_EXISTS, HW_AGENT_EXISTS */
  async create(tenant: string, agent: AgentDefinition): Promise<AgentRecord> {
    const rows = await this.#records
      .query<Row>(
        `INSERT INTO agents (tenant, id, name, definition) VALUES ($1, $2, $3, $4) RETURNING ${columns}`,
        [tenant, randomUUID(), agent.name, JSON.stringify(agent)],
      )
      .catch(nameTaken);
    return onlyOne(rows);
  }

  /** By name, after one. */
  async list(tenant: string, after: string, limit: number): Promise<AgentRecord[]> {
    const rows = await this.#records.query<Row>(
      `SELECT ${columns} FROM agents WHERE tenant = $1 AND name > $2 ORDER BY name LIMIT $3`,
      [tenant, after, limit],
    );
    return rows.map(toRecord);
  }

  async find(tenant: string, id: string): Promise<AgentRecord | undefined> {
    const [row] = await this.#records.query<Row>(
      `SELECT ${columns} FROM agents WHERE tenant = $1 AND id = $2`,
      [tenant, id],
    );
    return row && toRecord(row);
  }

  /** @throws HeadwaterError NOT_FOUND, HW_AGENT_NOT_FOUND */
  async get(tenant: string, id: string): Promise<AgentRecord> {
    const found = await this.find(tenant, id);
    if (found) return found;
    throw new HeadwaterError({
      code: status.NOT_FOUND,
      reason: "HW_AGENT_NOT_FOUND",
      message: "There is no agent of that id.",
      action: "List the agents to see which there are.",
    });
  }

  /**
   * @param version the one that was read; 0: whatever it is
   * @throws HeadwaterError NOT_FOUND; ALREADY_EXISTS; ABORTED, HW_AGENT_CHANGED where it is another one by now
   */
  async update(tenant: string, id: string, version: number, agent: AgentDefinition): Promise<AgentRecord> {
    const rows = await this.#records
      .query<Row>(
        `UPDATE agents SET name = $4, definition = $5, version = version + 1, updated_at = now()
         WHERE tenant = $1 AND id = $2 AND ($3::int = 0 OR version = $3) RETURNING ${columns}`,
        [tenant, id, version, agent.name, JSON.stringify(agent)],
      )
      .catch(nameTaken);
    if (rows.length > 0) return onlyOne(rows);
    const current = await this.get(tenant, id);
    throw new HeadwaterError({
      code: status.ABORTED,
      reason: "HW_AGENT_CHANGED",
      message: `The agent has been changed since it was read: it is at version ${current.version}.`,
      action: "Read it again, and apply the change to that.",
    });
  }

  async delete(tenant: string, id: string): Promise<void> {
    await this.#records.query("DELETE FROM agents WHERE tenant = $1 AND id = $2", [tenant, id]);
  }
}

function onlyOne([row]: readonly Row[]): AgentRecord {
  if (row) return toRecord(row);
  throw new TypeError("RETURNING gave no row");
}

function toRecord({ tenant, id, definition, version, created_at, updated_at }: Row): AgentRecord {
  return { ...definition, tenant, id, version, createdTime: created_at, updatedTime: updated_at };
}

function nameTaken(thrown: unknown): never {
  const error = HeadwaterError.from(thrown);
  if (error.code !== status.ALREADY_EXISTS) throw error;
  throw new HeadwaterError({
    code: status.ALREADY_EXISTS,
    reason: "HW_AGENT_EXISTS",
    message: "There is an agent of that name.",
    action: "Choose another name, or update that agent.",
    cause: error,
  });
}
