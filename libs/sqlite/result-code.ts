/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
export const sqlite = {
  busy: 5,
  locked: 6,
  readonly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};

/** The low byte of an extended result code is the primary one; 0 where it is no error of SQLite. */
export function resultCode(thrown: unknown): number {
  if (!(thrown instanceof Error) || !("errcode" in thrown) || typeof thrown.errcode !== "number") return 0;
  return thrown.errcode & 0xff;
}
