import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";
import type { Message } from "@headwater/proto/services/headwater/v1/conversation";
import { ChatResponse, TurnEnd } from "@headwater/proto/services/headwater/v1/conversation";
import type { RecordStore } from "@headwater/record-store";
import { Approvals } from "./approvals.ts";
import type { TurnTask } from "./play-turn.ts";
import { endOfFailure, playTurn } from "./play-turn.ts";
import type { Owner, RunTurn, StepEvent } from "./turn.ts";
import { turnLost, unknownTurn } from "./turn-errors.ts";
import { followTurn } from "./turn-follower.ts";
import { TurnJournal } from "./turn-journal.ts";
import { TurnLog } from "./turn-log.ts";
import { TurnMessage } from "./turn-message.ts";
import { TurnProcess } from "./turn-process.ts";
import type { TurnSignal } from "./turn-signals.ts";
import { TurnSignals } from "./turn-signals.ts";
import { TurnStore } from "./turn-store.ts";

export interface TurnsOptions {
  readonly records: RecordStore;
  /** Milliseconds for which a turn goes on that nobody reads. */
  readonly graceMs: number;
  /** Milliseconds after which the turns of a process that has died are ended. */
  readonly leaseMs: number;
  /** Milliseconds for which the events of a turn are kept after its end. */
  readonly retentionMs: number;
  onError(what: string, thrown: unknown): void;
}

interface RunningTurn extends Owner {
  readonly log: TurnLog;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
  /** Unix milliseconds until when another process is told of each write. */
  followedUntil: number;
}

/** Milliseconds between two attempts to keep a turn's end. */
const endRetryMs = { first: 100, most: 5000 };
/** Milliseconds for which a reader in another process counts after it was last heard of. */
const followedMs = 10_000;
/** Turns whose events are thrown away in one statement. */
const forgottenAtOnce = 1000;

/** The turns that run in this process, and the way to those that ran or run in others. */
export class Turns {
  readonly store: TurnStore;
  readonly approvals: Approvals;
  readonly #options: TurnsOptions;
  readonly #process: TurnProcess;
  readonly #journal: TurnJournal;
  readonly #running = new Map<string, RunningTurn>();
  readonly #writes = new EventTarget();
  readonly #closing = new AbortController();
  #signals: TurnSignals | undefined;
  #watch: NodeJS.Timeout | undefined;

  private constructor(options: TurnsOptions, process: TurnProcess) {
    const { records } = options;
    this.#options = options;
    this.#process = process;
    this.store = new TurnStore(records, process.id);
    this.approvals = new Approvals(records);
    setMaxListeners(0, this.#writes);
    this.#journal = new TurnJournal(this.store, {
      onWritten: (turnIds) => this.#tellFollowers(turnIds),
      onTaken: (turnId) => this.#running.get(turnId)?.abort.abort(turnLost()),
      onError: (thrown) => options.onError("events could not be kept", thrown),
    });
  }

  static async open(options: TurnsOptions): Promise<Turns> {
    const { records, leaseMs, graceMs } = options;
    const onError = (thrown: unknown) => options.onError("the lease of turns could not be renewed", thrown);
    const turns = new Turns(options, await TurnProcess.open({ records, leaseMs, onError }));
    turns.#signals = await TurnSignals.open(records, {
      onSignal: (signal) => turns.#hear(signal),
      onGap: () => turns.#writes.dispatchEvent(new Event("gap")),
      onError: (thrown) => options.onError("other processes could not be told", thrown),
    });
    await turns.#endLostTurns();
    turns.#process.start(() => turns.#keepHouse());
    turns.#watch = setInterval(() => turns.#endUnwatched(), Math.min(1000, graceMs / 4));
    turns.#watch.unref();
    return turns;
  }

  /** Runs a turn that `store.begin` has begun, apart from whoever reads it. */
  run(task: TurnTask, onEnd: (end: TurnEnd | undefined) => void): void {
    const log = new TurnLog(task.id);
    const abort = new AbortController();
    setMaxListeners(0, abort.signal);
    this.#journal.add(log);
    const ended = this.#play(task, log, abort.signal)
      .catch((thrown: unknown) => this.#giveUp(task.id, thrown))
      .then((kept) => {
        this.#tellFollowers([task.id]);
        this.#running.delete(task.id);
        onEnd(kept?.end);
        if (kept?.ours) log.end();
        else log.abandon();
      });
    const { tenant, owner } = task;
    this.#running.set(task.id, { tenant, owner, log, abort, ended, followedUntil: 0 });
  }

  /** Plays a turn of which nothing is kept, for as long as its reader pulls. */
  async *playStateless(task: TurnTask, signal: AbortSignal): AsyncGenerator<ChatResponse> {
    let sequence = 0;
    try {
      for await (const { step, event } of this.#steps(
        task,
        AbortSignal.any([signal, this.#closing.signal]),
      )) {
        sequence += 1;
        yield ChatResponse.fromPartial({ sequence, step, event });
      }
    } finally {
      await this.approvals.forget(task.id);
    }
  }

  /**
   * Events of a turn after a sequence, until its end.
   *
   * @throws HeadwaterError NOT_FOUND, HW_TURN_UNKNOWN
   */
  async *read(
    owner: Owner,
    turnId: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<ChatResponse> {
    const log = this.#find(owner, turnId)?.log;
    let position = after;
    if (log) {
      const readKept = (last: number) => this.store.events(turnId, last);
      for await (const event of log.read(after, readKept, signal)) {
        position = event.sequence;
        yield event;
      }
      if (!log.abandoned) return;
    }
    yield* followTurn(owner, turnId, position, {
      ...{ store: this.store, writes: this.#writes, signal },
      watch: () => this.#signals?.tell("watched", [turnId]),
      endIfLost: () => this.endIfLost(turnId),
    });
  }

  async cancel(owner: Owner, turnId: string): Promise<void> {
    const running = this.#find(owner, turnId);
    if (running) {
      running.abort.abort();
      return;
    }
    if (!(await this.store.cancel(owner, turnId))) throw unknownTurn();
    this.#signals?.tell("cancel", [turnId]);
    await this.endIfLost(turnId);
  }

  /** The turn's conversation is gone. */
  abandon(owner: Owner, turnId: string): void {
    this.#find(owner, turnId)?.abort.abort();
    this.#signals?.tell("cancel", [turnId]);
  }

  async decide(owner: Owner, turnId: string, callId: string, approved: boolean): Promise<void> {
    await this.approvals.decide(owner, turnId, callId, approved);
    this.#signals?.tell("decided", [turnId]);
  }

  /** @returns true where its process had died, and it is ended now */
  async endIfLost(turnId: string): Promise<boolean> {
    const ended = await this.store.endLost(turnId);
    if (ended) this.#signals?.tell("written", [turnId]);
    return ended;
  }

  /** Ends what runs: it has had its time while the server drained. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    this.#closing.abort(turnLost());
    for (const { abort } of this.#running.values()) abort.abort(turnLost());
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    await this.#journal.close();
    await this.#process.close().catch((thrown: unknown) => {
      this.#options.onError("the lease of turns could not be given back", thrown);
    });
  }

  #find({ tenant, owner }: Owner, turnId: string): RunningTurn | undefined {
    const running = this.#running.get(turnId);
    return running?.tenant === tenant && running.owner === owner ? running : undefined;
  }

  #steps(task: TurnTask, signal: AbortSignal): AsyncGenerator<StepEvent> {
    const { approvals } = this;
    const run: RunTurn = async function* askingApproval(turn, context) {
      for await (const step of task.run(turn, context)) {
        // Before anybody is told that the call waits, or a quick decision would find nothing to decide on.
        if (step.event.$case === "approval") await approvals.ask(task, task.id, step.event.value ?? {});
        yield step;
      }
    };
    return playTurn(
      { ...task, run },
      {
        signal,
        waitForApproval: (callId, deadline) => approvals.wait(task.id, callId, deadline, signal),
      },
    );
  }

  /** @returns `ours`: false where the turn was taken for lost, or is deleted */
  async #play(task: TurnTask, log: TurnLog, signal: AbortSignal): Promise<{ end: TurnEnd; ours: boolean }> {
    const message = new TurnMessage();
    const end = await this.#stream(task, log, message, signal).catch((thrown: unknown) => {
      this.#options.onError("a turn broke off", thrown);
      return TurnEnd.fromPartial(endOfFailure(thrown, signal));
    });
    log.append({ step: 0, event: { $case: "end", value: end } });
    const answer = message.finish({ id: task.messageId, turnId: task.id }, end);
    return { end, ours: await this.#keepEnd(log, answer) };
  }

  async #stream(task: TurnTask, log: TurnLog, message: TurnMessage, signal: AbortSignal): Promise<TurnEnd> {
    for await (const step of this.#steps(task, signal)) {
      if (step.event.$case === "end") return TurnEnd.fromPartial(step.event.value ?? {});
      message.add(log.append(step));
      this.#journal.note(log);
      // A turn that is being ended no longer waits for readers.
      await log.room(signal).catch(() => {});
    }
    throw new TypeError("the turn stopped without an end");
  }

  /** While the record store is away the turn's end waits, as the conversation does. */
  async #keepEnd(log: TurnLog, message: Message): Promise<boolean> {
    const rest = await this.#journal.remove(log);
    for (let pause = endRetryMs.first; ; pause = Math.min(2 * pause, endRetryMs.most)) {
      try {
        return await this.store.end(log.turnId, rest, message);
      } catch (thrown) {
        if (!HeadwaterError.from(thrown).transient || this.#closing.signal.aborted) throw thrown;
        this.#options.onError("the end of a turn could not be kept yet", thrown);
        await delay(pause, undefined, { signal: this.#closing.signal }).catch(() => {});
      }
    }
  }

  /** Its end cannot be kept as it is: it is a lost turn from now on. */
  async #giveUp(turnId: string, thrown: unknown): Promise<undefined> {
    const { onError } = this.#options;
    onError("the end of a turn could not be kept", thrown);
    try {
      await this.store.giveUp(turnId);
      await this.endIfLost(turnId);
    } catch (again) {
      // Whoever asks for it next ends it, once this process is gone.
      onError("a turn could not be given up", again);
    }
    return undefined;
  }

  #tellFollowers(turnIds: readonly string[]): void {
    const now = Date.now();
    const followed = turnIds.filter((turnId) => (this.#running.get(turnId)?.followedUntil ?? 0) > now);
    this.#signals?.tell("written", followed);
  }

  #hear({ kind, turnId }: TurnSignal): void {
    if (kind === "written") this.#writes.dispatchEvent(new Event(turnId));
    if (kind === "decided") this.approvals.decided(turnId);
    const running = this.#running.get(turnId);
    if (kind === "cancel") running?.abort.abort();
    if (kind === "watched" && running) {
      running.log.watched();
      running.followedUntil = Date.now() + followedMs;
      this.#tellFollowers([turnId]);
    }
  }

  /** What was missed is made good here, a few times in the length of a lease. */
  async #keepHouse(): Promise<void> {
    for (const turnId of await this.store.cancelledTurns()) this.#running.get(turnId)?.abort.abort();
    await this.#endLostTurns();
    while ((await this.store.forgetEnded(this.#options.retentionMs, forgottenAtOnce)) === forgottenAtOnce);
  }

  async #endLostTurns(): Promise<void> {
    for (const turnId of await this.#process.lostTurns()) await this.endIfLost(turnId);
  }

  #endUnwatched(): void {
    const latest = Date.now() - this.#options.graceMs;
    for (const { log, abort } of this.#running.values()) {
      if ((log.unwatchedSince ?? Number.POSITIVE_INFINITY) < latest) abort.abort();
    }
  }
}
