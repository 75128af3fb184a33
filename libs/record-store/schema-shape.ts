import type { Queries } from "./record-store.ts";

export interface AppliedMigration {
  readonly id: number;
  readonly name: string;
}

export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
}

export interface SequenceState {
  readonly name: string;
  /** Null: no number was taken yet. */
  readonly lastValue: string | null;
}

/** Tables that the port keeps for itself. */
const ownTables = "headwater\\_%";

/** Empty where nothing was ever migrated. */
export async function appliedMigrations(queries: Queries): Promise<AppliedMigration[]> {
  const [found] = await queries.query<{ there: boolean }>(
    "SELECT to_regclass('headwater_migrations') IS NOT NULL AS there",
  );
  if (!found?.there) return [];
  return await queries.query<AppliedMigration>("SELECT id, name FROM headwater_migrations ORDER BY id");
}

/** Those of the schema, each after those that it refers to; columns that the database computes itself are left out. */
export async function tables(queries: Queries): Promise<TableShape[]> {
  const shapes = await queries.query<TableShape>(
    `SELECT c.relname::text AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname NOT LIKE $1
       AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     GROUP BY c.relname ORDER BY c.relname`,
    [ownTables],
  );
  const references = await queries.query<{ child: string; parent: string }>(
    `SELECT child.relname::text AS child, parent.relname::text AS parent
     FROM pg_constraint k JOIN pg_class child ON child.oid = k.conrelid JOIN pg_class parent ON parent.oid = k.confrelid
     WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace AND k.conrelid <> k.confrelid`,
  );
  return parentsFirst(shapes, references);
}

export async function sequences(queries: Queries): Promise<SequenceState[]> {
  return await queries.query<SequenceState>(
    `SELECT sequencename::text AS name, last_value::text AS "lastValue"
     FROM pg_sequences WHERE schemaname = current_schema() ORDER BY sequencename`,
  );
}

/** Names of our own schemas need no more; anything else comes from somewhere else. */
export function quoted(name: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) throw new TypeError(`"${name}" is no name of a table or column`);
  return `"${name}"`;
}

function parentsFirst(
  shapes: readonly TableShape[],
  references: readonly { child: string; parent: string }[],
): TableShape[] {
  const sorted = new Set<TableShape>();
  const visit = (shape: TableShape, path: readonly string[]) => {
    if (path.includes(shape.name)) throw new TypeError(`tables refer to each other: ${path.join(", ")}`);
    for (const { child, parent } of references) {
      const found = child === shape.name ? shapes.find(({ name }) => name === parent) : undefined;
      if (found) visit(found, [...path, shape.name]);
    }
    sorted.add(shape);
  };
  for (const shape of shapes) visit(shape, []);
  return [...sorted];
}
