/** What the thread is given. */
export interface Program {
  readonly code: string;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  readonly maxOutputLength: number;
}

/** Why a program did not come to its end. */
export type Stop = "threw" | "timeout" | "memory" | "output" | "crash";

/** What became of a program. */
export interface ProgramResult {
  /** What it printed, a line a call of console.log, cut at the limit. */
  readonly output: string;
  /** Value of the last expression as text; empty where it is undefined, or where the program was stopped. */
  readonly value: string;
  readonly stop: Stop | undefined;
  /** What was thrown, with its stack; of "threw" only. */
  readonly thrown: string;
}

/** What the thread says: that the program begins, then what became of it. */
export type ThreadMessage = "started" | ProgramResult;
