export { SqliteDatabase } from "./sqlite-database.ts";
export type { SqliteOwner } from "./sqlite-owner.ts";
