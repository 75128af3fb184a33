import type { SqliteDatabase } from "@headwater/sqlite";
import { isProcessGone, processHost } from "./process-identity.ts";

/** A partition that this member owns. */
export interface Assignment {
  readonly partition: number;
  /** Counts the owners of the partition; a commit with an older one is void. */
  readonly generation: number;
  readonly committedOffset: number;
}

interface MemberRow {
  readonly member: string;
  readonly host: string;
  readonly pid: number;
  readonly expires_at: number;
}

interface PartitionRow {
  readonly partition: number;
  readonly committed_offset: number;
  readonly owner: string | null;
  readonly generation: number;
}

/**
 * One member of a consumer group. There is no coordinator: each member keeps its own lease, gives up what exceeds
 * its share, and takes what is free, each in one transaction on the tables that all of them see.
 */
export class SqliteMembership {
  readonly #database: SqliteDatabase;
  readonly #group: string;
  readonly #member: string = crypto.randomUUID();
  readonly #leaseMs: number;

  constructor(database: SqliteDatabase, group: string, leaseMs: number) {
    this.#database = database;
    this.#group = group;
    this.#leaseMs = leaseMs;
  }

  /** Changes whenever somebody joins or leaves the group or a partition changes hands. A few µs. */
  epoch(): number {
    const sql = "SELECT epoch FROM groups WHERE name = ?";
    return this.#database.read(() => Number(this.#database.statement(sql).get(this.#group)?.["epoch"] ?? -1));
  }

  /** What this member owns beyond its share; the highest partitions. */
  surplus(): number[] {
    return this.#database.read(() => {
      const mine = this.#partitions().filter(({ owner }) => owner === this.#member);
      const share = this.#share(this.#livingMembers());
      return mine.slice(share).map(({ partition }) => partition);
    });
  }

  /**
   * Renews the lease (joins at the first call), drops members that are gone, gives `released` back and takes free
   * partitions up to this member's share.
   *
   * @returns all that this member owns now, and the group's epoch
   */
  renew(released: readonly number[]): Promise<{ assignments: Assignment[]; epoch: number }> {
    return this.#database.write(
      () => {
        let changed = this.#join();
        changed = this.#dropGone() || changed;
        for (const partition of released) changed = this.#release(partition) || changed;
        changed = this.#claim() || changed;
        if (changed) this.#raiseEpoch();
        return { assignments: this.#assignments(), epoch: this.epoch() };
      },
      { durable: false },
    );
  }

  /** Gives everything back and leaves the group. */
  leave(): Promise<void> {
    return this.#database.write(
      () => {
        this.#remove(this.#member);
        this.#raiseEpoch();
      },
      { durable: false },
    );
  }

  /** @returns false where the group has members, or may have: nothing was changed */
  rewind(): Promise<boolean> {
    return this.#database.write(() => {
      if (this.#livingMembers().length > 0) return false;
      this.#dropGone();
      this.#database
        .statement(
          `UPDATE group_partitions AS g SET generation = generation + 1, committed_offset =
             (SELECT start_offset FROM partitions AS p WHERE p.partition = g.partition) WHERE group_name = ?`,
        )
        .run(this.#group);
      this.#raiseEpoch();
      return true;
    });
  }

  /** @returns false where the partition has meanwhile another owner: nothing was changed */
  commit(assignment: Pick<Assignment, "partition" | "generation">, offset: number): Promise<boolean> {
    return this.#database.write(() => {
      const { changes } = this.#database
        .statement(
          `UPDATE group_partitions SET committed_offset = max(committed_offset, ?)
           WHERE group_name = ? AND partition = ? AND owner = ? AND generation = ?`,
        )
        .run(offset, this.#group, assignment.partition, this.#member, assignment.generation);
      return Number(changes) > 0;
    });
  }

  /** @returns true where this member is new to the group */
  #join(): boolean {
    const expiresAt = Date.now() + this.#leaseMs;
    const renewed = this.#database
      .statement("UPDATE members SET expires_at = ? WHERE group_name = ? AND member = ?")
      .run(expiresAt, this.#group, this.#member);
    if (Number(renewed.changes) > 0) return false;
    this.#database.statement("INSERT OR IGNORE INTO groups (name, epoch) VALUES (?, 0)").run(this.#group);
    this.#database
      .statement(
        `INSERT OR IGNORE INTO group_partitions (group_name, partition, committed_offset, owner, generation)
         SELECT ?, partition, start_offset, NULL, 0 FROM partitions`,
      )
      .run(this.#group);
    this.#database
      .statement("INSERT INTO members (group_name, member, host, pid, expires_at) VALUES (?, ?, ?, ?, ?)")
      .run(this.#group, this.#member, processHost, process.pid, expiresAt);
    return true;
  }

  #dropGone(): boolean {
    const living = new Set(this.#livingMembers());
    const gone = this.#members().filter(({ member }) => !living.has(member));
    for (const { member } of gone) this.#remove(member);
    return gone.length > 0;
  }

  #remove(member: string): void {
    this.#database
      .statement("UPDATE group_partitions SET owner = NULL WHERE group_name = ? AND owner = ?")
      .run(this.#group, member);
    this.#database
      .statement("DELETE FROM members WHERE group_name = ? AND member = ?")
      .run(this.#group, member);
  }

  #release(partition: number): boolean {
    const { changes } = this.#database
      .statement(
        "UPDATE group_partitions SET owner = NULL WHERE group_name = ? AND partition = ? AND owner = ?",
      )
      .run(this.#group, partition, this.#member);
    return Number(changes) > 0;
  }

  #claim(): boolean {
    const partitions = this.#partitions();
    const owned = partitions.filter(({ owner }) => owner === this.#member).length;
    const room = Math.max(0, this.#share(this.#livingMembers()) - owned);
    const claimed = partitions.filter(({ owner }) => owner === null).slice(0, room);
    for (const { partition } of claimed) {
      this.#database
        .statement(
          `UPDATE group_partitions SET owner = ?, generation = generation + 1
           WHERE group_name = ? AND partition = ?`,
        )
        .run(this.#member, this.#group, partition);
    }
    return claimed.length > 0;
  }

  #raiseEpoch(): void {
    this.#database.statement("UPDATE groups SET epoch = epoch + 1 WHERE name = ?").run(this.#group);
  }

  #assignments(): Assignment[] {
    return this.#partitions()
      .filter(({ owner }) => owner === this.#member)
      .map((row) => ({
        partition: row.partition,
        generation: row.generation,
        committedOffset: row.committed_offset,
      }));
  }

  #partitions(): PartitionRow[] {
    return this.#database
      .statement(
        `SELECT partition, committed_offset, owner, generation FROM group_partitions
         WHERE group_name = ? ORDER BY partition`,
      )
      .all(this.#group) as unknown as PartitionRow[];
  }

  #members(): MemberRow[] {
    return this.#database
      .statement("SELECT member, host, pid, expires_at FROM members WHERE group_name = ? ORDER BY member")
      .all(this.#group) as unknown as MemberRow[];
  }

  /**
   * A lease that ends too far ahead comes from before the clock was set back. Whoever is dropped though it lives
   * joins again at its next renewal. This member lives, even if its event loop stood still for longer than its lease.
   */
  #livingMembers(): string[] {
    const now = Date.now();
    const holdsLease = (row: MemberRow) =>
      row.expires_at > now && row.expires_at < now + 2 * this.#leaseMs && !isProcessGone(row.host, row.pid);
    return this.#members()
      .filter((row) => row.member === this.#member || holdsLease(row))
      .map(({ member }) => member);
  }

  /** Shares differ by at most one partition; all members compute them alike, since they are sorted alike. */
  #share(members: readonly string[]): number {
    const rank = members.indexOf(this.#member);
    if (rank < 0) return 0;
    const total = this.#partitions().length;
    return Math.floor(total / members.length) + (rank < total % members.length ? 1 : 0);
  }
}
