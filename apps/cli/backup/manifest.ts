import { createHash } from "node:crypto";
import type { BlobStore } from "@headwater/blob-store";
import { z } from "zod";
import { backupDamaged, backupNotFound } from "./backup-errors.ts";

const file = z.object({ key: z.string(), size: z.number(), sha256: z.string() });

const manifestForm = z.object({
  /** Grows where an older program could not read what is there. */
  format: z.literal(1),
  name: z.string(),
  /** Unix milliseconds at which its moment was. */
  at: z.number(),
  took_ms: z.number(),
  records: z.array(
    z.object({
      schema: z.string(),
      migrations: z.array(z.object({ id: z.number(), name: z.string() })),
      /** Parents first. */
      tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()), rows: z.number(), file })),
      sequences: z.array(z.object({ name: z.string(), lastValue: z.string().nullable() })),
    }),
  ),
  originals: z.object({
    file,
    count: z.number(),
    bytes: z.number(),
    /** Those that no backup before had. */
    copied: z.number(),
    copied_bytes: z.number(),
    /** Keys of those that were gone or damaged already when the backup was taken. */
    lost: z.array(z.string()),
  }),
  /** Events in the log that were not done: their documents are in the log alone. */
  waiting: z.number(),
});

/** What a backup consists of. Written last: a backup without one is not finished. */
export type Manifest = z.output<typeof manifestForm>;
export type RecordsPart = Manifest["records"][number];

/** Where the parts of all backups lie. */
const root = "backups/";

export const folderOf = (name: string) => `${root}${name}/`;
const manifestKey = (name: string) => `${folderOf(name)}manifest.json`;
/** Where the manifest of a backup is that is being removed. */
const retiredKey = (name: string) => `${folderOf(name)}removing.json`;

export const isRetired = (key: string) => key.endsWith("/removing.json");

/** Names sort by time. @param at unix milliseconds */
export function nameOf(at: number): string {
  return new Date(at).toISOString().replaceAll(/[:.]/g, "-");
}

export async function writeManifest(store: BlobStore, manifest: Manifest): Promise<void> {
  await write(store, manifestKey(manifest.name), manifest);
}

/** @throws HeadwaterError NOT_FOUND, or DATA_LOSS, HW_BACKUP_DAMAGED */
export async function readManifest(store: BlobStore, name: string, destination: string): Promise<Manifest> {
  const manifest = await readFrom(store, manifestKey(name));
  if (!manifest) throw backupNotFound(name, destination);
  return manifest;
}

/**
 * @param name undefined: the newest
 * @throws HeadwaterError as `readManifest`
 */
export async function findBackup(
  store: BlobStore,
  name: string | undefined,
  destination: string,
): Promise<Manifest> {
  const wanted = name ?? (await listBackups(store)).finished.at(-1);
  if (wanted === undefined) throw backupNotFound(undefined, destination);
  return await readManifest(store, wanted, destination);
}

/** From now on it is no backup any more; what it consists of is yet to be removed. */
export async function retire(store: BlobStore, manifest: Manifest): Promise<void> {
  await write(store, retiredKey(manifest.name), manifest);
  await store.delete(manifestKey(manifest.name));
}

/** @returns undefined where it was never finished */
export async function readRetired(store: BlobStore, name: string): Promise<Manifest | undefined> {
  return await readFrom(store, retiredKey(name));
}

async function write(store: BlobStore, key: string, manifest: Manifest): Promise<void> {
  const text = JSON.stringify(manifest);
  await store.put(key, Buffer.from(JSON.stringify({ sha256: sumOf(text), text })));
}

async function readFrom(store: BlobStore, key: string): Promise<Manifest | undefined> {
  const content = await store.get(key);
  if (!content) return undefined;
  try {
    const bytes = Buffer.concat(await Array.fromAsync(content));
    const { sha256, text } = JSON.parse(bytes.toString()) as { sha256: string; text: string };
    if (sumOf(text) !== sha256) throw new Error("its sum is another");
    return manifestForm.parse(JSON.parse(text));
  } catch (cause) {
    throw backupDamaged(`${key} cannot be read`, cause);
  }
}

/** Names of finished backups, oldest first, and of what is left of others. */
export async function listBackups(store: BlobStore): Promise<{ finished: string[]; unfinished: string[] }> {
  const names = new Set<string>();
  const finished = new Set<string>();
  for await (const key of store.list(root)) {
    const name = key.slice(root.length).split("/")[0] ?? "";
    names.add(name);
    if (key === manifestKey(name)) finished.add(name);
  }
  return {
    finished: [...finished].sort(),
    unfinished: [...names].filter((name) => !finished.has(name)).sort(),
  };
}

function sumOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
