import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { HeadwaterError, status } from "@headwater/errors";
import type { Connection } from "@lancedb/lancedb";
import { connect } from "@lancedb/lancedb";
import { ActiveGeneration } from "./active-generation.ts";
import { readOnlyError } from "./index-errors.ts";
import { LanceHandle } from "./lance-handle.ts";
import { Housekeeping } from "./lance-housekeeping.ts";
import { readSchema, tableSchema } from "./lance-rows.ts";
import { createIndexes, LanceTable } from "./lance-table.ts";
import type { GenerationInfo, IndexFingerprint, PassageIndex, PassageIndexStore } from "./passage-index.ts";

export interface LancePassageIndexStoreOptions {
  /** Made where it is missing. Several processes may read it; one writes. */
  readonly folder: string;
  /** True: no housekeeping is done and writes are refused. */
  readonly readOnly?: boolean;
  /** Told of housekeeping that failed; the next one tries again. Default: a warning of the process. */
  readonly onError?: (error: unknown) => void;
  /** Rows from which on a generation gets an ANN index; below it a scan takes under 15 ms and is exact. Default: 10,000. */
  readonly minRowsForVectorIndex?: number;
  /** Memory for what the indexes keep loaded, in bytes. Default: 512 MiB. */
  readonly indexCacheBytes?: number;
  /** Versions of a table after which it is opened anew, so that files of its past are let go. Default: 64. */
  readonly versionsPerSession?: number;
}

const closeGraceMs = 2000;
const defaultIndexCacheBytes = 512 * 1024 * 1024;

/**
 * Opens the embedded passage index. Several stores, in one process or in several, may be open on one folder: each search
 * looks for the latest commit, which costs 0.05 ms.
 *
 * What is written survives `kill -9`. LanceDB does not sync its files, so a power cut may take the last seconds;
 * `headwater reindex` brings them back.
 */
export async function openLancePassageIndexStore(
  options: LancePassageIndexStoreOptions,
): Promise<PassageIndexStore> {
  return LanceStore.open(options);
}

class LanceStore implements PassageIndexStore {
  readonly #connection: Connection;
  readonly #active: ActiveGeneration;
  readonly #options: LancePassageIndexStoreOptions;
  readonly #tables = new Map<string, Promise<LanceTable>>();

  private constructor(
    connection: Connection,
    active: ActiveGeneration,
    options: LancePassageIndexStoreOptions,
  ) {
    this.#connection = connection;
    this.#active = active;
    this.#options = options;
  }

  static async open(options: LancePassageIndexStoreOptions): Promise<LanceStore> {
    const folder = resolve(options.folder);
    await mkdir(folder, { recursive: true });
    // Its statistics would otherwise print a warning about a future default.
    process.env["LANCE_INCLUDE_VECTOR_CENTROIDS"] ??= "false";
    const connection = await connect(folder, {
      // Row ids that survive a compaction: otherwise each one rebuilds the vector index, 27 s at 50,000 rows.
      storageOptions: { newTableEnableStableRowIds: "true" },
    });
    return new LanceStore(connection, new ActiveGeneration(folder), options);
  }

  async active(): Promise<PassageIndex | undefined> {
    const name = await this.#active.read();
    if (name === undefined) return undefined;
    // A reader keeps no table that serves no more; searches under way hold on to theirs until they end.
    if (this.#options.readOnly && !this.#tables.has(name)) this.#tables.clear();
    return this.#open(name);
  }

  async create(fingerprint: IndexFingerprint, dimensions: number): Promise<PassageIndex> {
    this.#checkWritable();
    const name = `passages-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
    const schema = tableSchema(fingerprint, dimensions);
    await createIndexes(await this.#connection.createEmptyTable(name, schema));
    return this.#open(name);
  }

  async generations(): Promise<GenerationInfo[]> {
    const active = await this.#active.read();
    const tables = await Promise.all((await this.#tableNames()).map((name) => this.#open(name)));
    return tables.map(({ generation, fingerprint, dimensions }) => ({
      ...{ generation, fingerprint, dimensions },
      active: generation === active,
    }));
  }

  async open(generation: string): Promise<PassageIndex | undefined> {
    return (await this.#tableNames()).includes(generation) ? this.#open(generation) : undefined;
  }

  async activate(index: PassageIndex): Promise<void> {
    this.#checkWritable();
    await this.#active.write(index.generation);
  }

  async dropInactive(): Promise<void> {
    this.#checkWritable();
    const active = await this.#active.read();
    for (const name of await this.#tableNames()) {
      if (name === active) continue;
      const table = await this.#tables.get(name);
      this.#tables.delete(name);
      await table?.close(closeGraceMs);
      await this.#connection.dropTable(name);
    }
  }

  async checkHealth(): Promise<void> {
    try {
      const index = await this.active();
      await index?.count();
    } catch (thrown) {
      throw new HeadwaterError({
        code: status.UNAVAILABLE,
        reason: "HW_INDEX_UNAVAILABLE",
        message: "The passage index cannot be read.",
        action: "Check HEADWATER_DATA_DIR and its rights; `headwater doctor` tells more.",
        cause: thrown,
      });
    }
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#tables.values());
    await Promise.all(
      opened.map((table) => (table.status === "fulfilled" ? table.value.close(closeGraceMs) : undefined)),
    );
    this.#connection.close();
  }

  #checkWritable(): void {
    if (this.#options.readOnly) throw readOnlyError();
  }

  #open(name: string): Promise<LanceTable> {
    let opened = this.#tables.get(name);
    if (!opened) {
      opened = this.#openTable(name);
      this.#tables.set(name, opened);
      opened.catch(() => this.#tables.delete(name));
    }
    return opened;
  }

  async #openTable(name: string): Promise<LanceTable> {
    const onError =
      this.#options.onError ??
      ((error) => process.emitWarning(`housekeeping of the passage index failed: ${String(error)}`));
    const handle = await LanceHandle.open({
      folder: resolve(this.#options.folder),
      name,
      indexCacheBytes: this.#options.indexCacheBytes ?? defaultIndexCacheBytes,
      versionsPerSession: this.#options.versionsPerSession ?? 64,
      onError,
    });
    const meta = readSchema(await handle.use((table) => table.schema()));
    if (!meta) throw new TypeError(`table ${name} was not made by Headwater`);
    const housekeeping = new Housekeeping({
      handle,
      minRowsForVectorIndex: this.#options.minRowsForVectorIndex ?? 10_000,
      onError,
    });
    if (!this.#options.readOnly) housekeeping.begin();
    return new LanceTable({
      generation: name,
      fingerprint: meta.fingerprint,
      dimensions: meta.dimensions,
      handle,
      housekeeping,
      readOnly: this.#options.readOnly ?? false,
    });
  }

  async #tableNames(): Promise<string[]> {
    const names: string[] = [];
    let pageToken: string | undefined;
    do {
      const page = await this.#connection.listTables(pageToken === undefined ? {} : { pageToken });
      names.push(...page.tables);
      pageToken = page.pageToken || undefined;
    } while (pageToken !== undefined);
    return names;
  }
}
