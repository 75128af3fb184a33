import { HeadwaterError, status } from "@headwater/errors";
import type { Queries, RecordStore } from "@headwater/record-store";
import { variablesOf } from "./prompt-template.ts";

/** A version's part of a label. */
export interface PromptShare {
  readonly version: number;
  /** Above 0. */
  readonly weight: number;
}

export interface StoredLabel {
  readonly label: string;
  readonly shares: readonly PromptShare[];
}

export interface StoredPrompt {
  readonly name: string;
  readonly latestVersion: number;
  /** In order of name. */
  readonly labels: readonly StoredLabel[];
}

export interface StoredVersion {
  readonly version: number;
  readonly text: string;
  readonly note: string;
  readonly createdTime: Date;
  readonly variables: string[];
}

interface VersionRow {
  version: number;
  text: string;
  note: string;
  created_at: Date;
}

const versionColumns = "version, text, note, created_at";

/** Told on each change, with `changeOf(tenant, name)`. */
export const promptChannel = "prompts";

/** What a change is told as. */
export function changeOf(tenant: string, name: string): string {
  return `${tenant}/${name}`;
}

/** Prompts of tenants in the record store. */
export class PromptStore {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  async addVersion(tenant: string, name: string, text: string, note: string): Promise<StoredVersion> {
    const added = await this.#records.transaction(async (queries) => {
      const [prompt] = await queries.query<{ latest_version: number }>(
        `INSERT INTO prompts (tenant, name, latest_version) VALUES ($1, $2, 1)
         ON CONFLICT (tenant, name)
         DO UPDATE SET latest_version = prompts.latest_version + 1, deleted = false
         RETURNING latest_version`,
        [tenant, name],
      );
      const [row] = await queries.query<VersionRow>(
        `INSERT INTO prompt_versions (tenant, name, version, text, note) VALUES ($1, $2, $3, $4, $5)
         RETURNING ${versionColumns}`,
        [tenant, name, prompt?.latest_version ?? 0, text, note],
      );
      return row;
    });
    await this.#tell(tenant, name);
    if (!added) throw new TypeError("an INSERT … RETURNING gave no row");
    return toVersion(added);
  }

  /** @param after name that the page before ended with */
  async list(tenant: string, after: string, limit: number): Promise<StoredPrompt[]> {
    const rows = await this.#records.query<{ name: string; latest_version: number }>(
      `SELECT name, latest_version FROM prompts
       WHERE tenant = $1 AND NOT deleted AND name COLLATE "C" > $2 ORDER BY name COLLATE "C" LIMIT $3`,
      [tenant, after, limit],
    );
    const labels = await this.#labels(
      tenant,
      rows.map(({ name }) => name),
    );
    return rows.map(({ name, latest_version }) => ({
      name,
      latestVersion: latest_version,
      labels: labels.get(name) ?? [],
    }));
  }

  async find(tenant: string, name: string): Promise<StoredPrompt | undefined> {
    const [row] = await this.#records.query<{ latest_version: number }>(
      "SELECT latest_version FROM prompts WHERE tenant = $1 AND name = $2 AND NOT deleted",
      [tenant, name],
    );
    if (!row) return undefined;
    const labels = (await this.#labels(tenant, [name])).get(name) ?? [];
    return { name, latestVersion: row.latest_version, labels };
  }

  async findVersion(tenant: string, name: string, version: number): Promise<StoredVersion | undefined> {
    const [row] = await this.#records.query<VersionRow>(
      `SELECT ${versionColumns} FROM prompt_versions WHERE tenant = $1 AND name = $2 AND version = $3`,
      [tenant, name, version],
    );
    return row && toVersion(row);
  }

  /** @param before version that the page before ended with */
  async listVersions(tenant: string, name: string, before: number, limit: number): Promise<StoredVersion[]> {
    const rows = await this.#records.query<VersionRow>(
      `SELECT ${versionColumns} FROM prompt_versions
       WHERE tenant = $1 AND name = $2 AND version < $3 ORDER BY version DESC LIMIT $4`,
      [tenant, name, before, limit],
    );
    return rows.map(toVersion);
  }

  /**
   * @param builtIn version 0 may be pointed at
   * @throws HeadwaterError NOT_FOUND, HW_PROMPT_VERSION_NOT_FOUND
   */
  async setLabel(
    tenant: string,
    name: string,
    { label, shares }: StoredLabel,
    builtIn: boolean,
  ): Promise<void> {
    await this.#records.transaction(async (queries) => {
      // Also the lock: two who set a label at once get one revision after the other.
      await queries.query(
        `INSERT INTO prompts (tenant, name, latest_version) VALUES ($1, $2, 0)
         ON CONFLICT (tenant, name) DO UPDATE SET deleted = false`,
        [tenant, name],
      );
      const versions = shares.map(({ version }) => version).filter((version) => version > 0 || !builtIn);
      const found = await queries.query<{ version: number }>(
        "SELECT version FROM prompt_versions WHERE tenant = $1 AND name = $2 AND version = ANY($3::integer[])",
        [tenant, name, versions],
      );
      const missing = versions.find((version) => !found.some((row) => row.version === version));
      if (missing !== undefined) throw versionNotFound(name, missing);
      await queries.query(
        `INSERT INTO prompt_labels (tenant, name, label, revision, shares)
         SELECT $1, $2, $3, coalesce(max(revision), 0) + 1, $4::jsonb FROM prompt_labels
         WHERE tenant = $1 AND name = $2 AND label = $3`,
        [tenant, name, label, JSON.stringify(shares)],
      );
    });
    await this.#tell(tenant, name);
  }

  /** @throws HeadwaterError FAILED_PRECONDITION, HW_PROMPT_NOTHING_BEFORE */
  async rollBack(tenant: string, name: string, label: string): Promise<void> {
    await this.#records.transaction(async (queries) => {
      const rows = await queries.query<{ revision: number }>(
        `SELECT revision FROM prompt_labels WHERE tenant = $1 AND name = $2 AND label = $3 AND NOT undone
         ORDER BY revision DESC LIMIT 2 FOR UPDATE`,
        [tenant, name, label],
      );
      const [current] = rows;
      if (!current || rows.length < 2) {
        throw new HeadwaterError({
          code: status.FAILED_PRECONDITION,
          reason: "HW_PROMPT_NOTHING_BEFORE",
          message: `The label "${label}" of the prompt "${name}" pointed at nothing before.`,
          action: "Point it at a version.",
        });
      }
      await queries.query(
        "UPDATE prompt_labels SET undone = true WHERE tenant = $1 AND name = $2 AND label = $3 AND revision = $4",
        [tenant, name, label, current.revision],
      );
    });
    await this.#tell(tenant, name);
  }

  async delete(tenant: string, name: string): Promise<void> {
    await this.#records.transaction(async (queries) => {
      for (const table of ["prompt_labels", "prompt_versions"])
        await queries.query(`DELETE FROM ${table} WHERE tenant = $1 AND name = $2`, [tenant, name]);
      await queries.query("UPDATE prompts SET deleted = true WHERE tenant = $1 AND name = $2", [
        tenant,
        name,
      ]);
    });
    await this.#tell(tenant, name);
  }

  async #labels(tenant: string, names: readonly string[]): Promise<Map<string, StoredLabel[]>> {
    const rows = await currentLabels(this.#records, tenant, names);
    const byName = new Map<string, StoredLabel[]>();
    for (const { name, label, shares } of rows) {
      const labels = byName.get(name) ?? [];
      labels.push({ label, shares });
      byName.set(name, labels);
    }
    return byName;
  }

  #tell(tenant: string, name: string): Promise<void> {
    return this.#records.notify(promptChannel, [changeOf(tenant, name)]);
  }
}

async function currentLabels(queries: Queries, tenant: string, names: readonly string[]) {
  return await queries.query<{ name: string; label: string; shares: PromptShare[] }>(
    `SELECT DISTINCT ON (name, label) name, label, shares FROM prompt_labels
     WHERE tenant = $1 AND name = ANY($2::text[]) AND NOT undone
     ORDER BY name, label, revision DESC`,
    [tenant, names],
  );
}

function toVersion({ version, text, note, created_at }: VersionRow): StoredVersion {
  return { version, text, note, createdTime: created_at, variables: variablesOf(text) };
}

/** @returns what is thrown where a prompt has no such version */
export function versionNotFound(name: string, version: number): HeadwaterError {
  return new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_PROMPT_VERSION_NOT_FOUND",
    message: `The prompt "${name}" has no version ${version}.`,
    action: "List its versions.",
  });
}
