import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Milliseconds for one start; a broker that was killed takes some ten seconds to be let in again. */
const startTimeoutMs = 120_000;
/** A server whose children outlive it, as PostgreSQL's do for a moment, does not start at once. */
const startAttempts = 10;

/** A real server that a test may kill, freeze and start again: found by the port on which it listens. */
export class ServerProcess {
  readonly #port: number;
  readonly #startCommand: string;
  #frozen: readonly number[] = [];

  /**
   * @param address host:port, or a URL
   * @param startCommand starts it again, with its data, and returns when it answers
   */
  constructor(address: string, startCommand: string) {
    const url = new URL(address.includes("://") ? address : `tcp://${address}`);
    this.#port = Number(url.port);
    this.#startCommand = startCommand;
  }

  /** @throws Error where nothing listens */
  async kill(): Promise<void> {
    for (const pid of await listeners(this.#port)) process.kill(pid, "SIGKILL");
    while ((await findListeners(this.#port)).length > 0) await delay(20);
  }

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // Its output is not read: a daemon that holds on to it would keep this from ending.
        await run("bash", ["-c", `${this.#startCommand} </dev/null >/dev/null 2>&1`], {
          timeout: startTimeoutMs,
        });
        return;
      } catch (thrown) {
        if (attempt === startAttempts) throw thrown;
        await delay(500);
      }
    }
  }

  /** It keeps its connections and answers nothing, until `thaw`. */
  async freeze(): Promise<void> {
    this.#frozen = await withDescendants(await listeners(this.#port));
    for (const pid of this.#frozen) signal(pid, "SIGSTOP");
  }

  thaw(): void {
    for (const pid of this.#frozen) signal(pid, "SIGCONT");
    this.#frozen = [];
  }
}

async function listeners(port: number): Promise<number[]> {
  const found = await findListeners(port);
  if (found.length === 0) throw new Error(`nothing listens on port ${port}`);
  return found;
}

/** Processes that hold a listening TCP socket on a port, as Linux tells in /proc. */
async function findListeners(port: number): Promise<number[]> {
  const inodes = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of (await readFile(table, "utf8")).split("\n").slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      const listening = "0A";
      if (state === listening && inode && Number.parseInt(local?.split(":")[1] ?? "", 16) === port)
        inodes.add(`socket:[${inode}]`);
    }
  }
  const found: number[] = [];
  if (inodes.size === 0) return found;
  for (const pid of await processes()) if (await holds(pid, inodes)) found.push(pid);
  return found;
}

async function holds(pid: number, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const descriptor of await orNothing(readdir(`/proc/${pid}/fd`), []))
    if (inodes.has(await orNothing(readlink(`/proc/${pid}/fd/${descriptor}`), ""))) return true;
  return false;
}

async function withDescendants(roots: readonly number[]): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const pid of await processes()) {
    const stat = await orNothing(readFile(`/proc/${pid}/stat`, "utf8"), "");
    // The name, in parentheses, may hold anything.
    const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    parents.set(pid, Number(parent));
  }
  const family = [...roots];
  for (const member of family) for (const [pid, parent] of parents) if (parent === member) family.push(pid);
  return family;
}

async function processes(): Promise<number[]> {
  return (await readdir("/proc")).map(Number).filter((pid) => pid > 0);
}

/** Processes and their descriptors come and go while they are looked at. */
async function orNothing<T>(reading: Promise<T>, nothing: T): Promise<T> {
  try {
    return await reading;
  } catch {
    return nothing;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (thrown) {
    // A child that has ended meanwhile.
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH")) throw thrown;
  }
}
