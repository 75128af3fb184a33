export { resultCode, sqlite } from "./result-code.ts";
export { SqliteDatabase } from "./sqlite-database.ts";
export type { SqliteOwner } from "./sqlite-owner.ts";
