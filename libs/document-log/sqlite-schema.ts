/**
 * Records of a partition lie side by side: their id is the partition times 2^40 plus the offset, so that a partition
 * is a range of the primary key and needs no index. JavaScript's safe integers leave room for 8,192 partitions.
 */
export const partitionStride = 2 ** 40;
export const maxPartitions = 8_192;

export const schema = `
  CREATE TABLE IF NOT EXISTS partitions (
    partition INTEGER PRIMARY KEY,
    start_offset INTEGER NOT NULL,
    end_offset INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY,
    timestamp INTEGER NOT NULL,
    key BLOB NOT NULL,
    headers TEXT NOT NULL,
    value BLOB
  );
  CREATE TABLE IF NOT EXISTS groups (
    name TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS members (
    group_name TEXT NOT NULL,
    member TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (group_name, member)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS group_partitions (
    group_name TEXT NOT NULL,
    partition INTEGER NOT NULL,
    committed_offset INTEGER NOT NULL,
    owner TEXT,
    generation INTEGER NOT NULL,
    PRIMARY KEY (group_name, partition)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    failed_at INTEGER NOT NULL,
    stage TEXT NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    key BLOB NOT NULL,
    headers TEXT NOT NULL,
    value BLOB
  );
  CREATE INDEX IF NOT EXISTS dead_letters_of_tenant ON dead_letters (tenant, id);
  CREATE UNIQUE INDEX IF NOT EXISTS dead_letters_of_record ON dead_letters (partition, offset);
`;
