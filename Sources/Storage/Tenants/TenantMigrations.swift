internal import GRDB

// TENANT FILE, version 2 (docs/reference/storage-format.md says the same in more words). Times are nanoseconds since
// 1970 UTC. `checksum` is the CRC-32C of the BLOB beside it; blocks' headers, columns and segments carry their own.
extension Migrations {
  /// The schema of a tenant.sqlite.
  static let tenant = Migrations(
    applicationID: 0x544C_544E,
    steps: [
      { database in
        try database.execute(
          sql: """
            CREATE TABLE template (
              number INTEGER PRIMARY KEY,
              text BLOB NOT NULL,
              checksum INTEGER NOT NULL,
              created_at INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE stream (
              number INTEGER PRIMARY KEY,
              labels BLOB NOT NULL,
              checksum INTEGER NOT NULL,
              created_at INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE segment (
              number INTEGER PRIMARY KEY,
              created_at INTEGER NOT NULL,
              record_count INTEGER NOT NULL,
              raw_byte_count INTEGER NOT NULL,
              quarantined INTEGER NOT NULL DEFAULT 0,
              data BLOB NOT NULL
            ) STRICT;
            CREATE TABLE block (
              number INTEGER PRIMARY KEY,
              state INTEGER NOT NULL DEFAULT 0,
              stream INTEGER,
              record_count INTEGER NOT NULL,
              min_time INTEGER NOT NULL,
              max_time INTEGER NOT NULL,
              raw_byte_count INTEGER NOT NULL,
              stored_byte_count INTEGER NOT NULL,
              created_at INTEGER NOT NULL,
              note TEXT
            ) STRICT;
            CREATE TABLE block_header (
              block INTEGER PRIMARY KEY REFERENCES block(number) ON DELETE CASCADE,
              data BLOB NOT NULL
            ) STRICT;
            CREATE TABLE block_column (
              id INTEGER PRIMARY KEY,
              block INTEGER NOT NULL REFERENCES block(number) ON DELETE CASCADE,
              key TEXT NOT NULL,
              data BLOB NOT NULL,
              UNIQUE (block, key)
            ) STRICT;
            CREATE TABLE pattern (
              number INTEGER PRIMARY KEY,
              text TEXT NOT NULL,
              named_text TEXT NOT NULL,
              severity INTEGER NOT NULL,
              first_seen INTEGER NOT NULL,
              last_seen INTEGER NOT NULL,
              merged_into INTEGER
            ) STRICT;
            CREATE TABLE template_pattern (
              template INTEGER PRIMARY KEY,
              pattern INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE embedding (
              identity TEXT NOT NULL,
              pattern INTEGER NOT NULL,
              vector BLOB NOT NULL,
              checksum INTEGER NOT NULL,
              PRIMARY KEY (identity, pattern)
            ) STRICT;
            CREATE TABLE index_snapshot (
              identity TEXT NOT NULL PRIMARY KEY,
              data BLOB NOT NULL,
              checksum INTEGER NOT NULL,
              created_at INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE index_log (
              sequence INTEGER PRIMARY KEY AUTOINCREMENT,
              identity TEXT NOT NULL,
              data BLOB NOT NULL,
              checksum INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX index_log_by_identity ON index_log(identity, sequence);
            CREATE TABLE analysis (
              id TEXT NOT NULL PRIMARY KEY,
              created_at INTEGER NOT NULL,
              status TEXT NOT NULL,
              document BLOB NOT NULL,
              checksum INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX analysis_by_time ON analysis(created_at, id);
            CREATE INDEX analysis_by_status ON analysis(status, created_at, id);
            CREATE TABLE usage (
              day INTEGER PRIMARY KEY,
              record_count INTEGER NOT NULL DEFAULT 0,
              raw_byte_count INTEGER NOT NULL DEFAULT 0,
              analysis_count INTEGER NOT NULL DEFAULT 0
            ) STRICT;
            CREATE TABLE setting (
              name TEXT NOT NULL PRIMARY KEY,
              value BLOB NOT NULL
            ) STRICT;
            """)
      },
      { database in
        try database.execute(
          sql: """
            CREATE TABLE workload (
              number INTEGER PRIMARY KEY,
              name TEXT NOT NULL UNIQUE
            ) STRICT;
            CREATE TABLE detector (
              id INTEGER PRIMARY KEY CHECK (id = 1),
              minute INTEGER NOT NULL,
              data BLOB NOT NULL,
              checksum INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE insight (
              kind TEXT NOT NULL,
              id TEXT NOT NULL,
              started_at INTEGER NOT NULL,
              changed_at INTEGER NOT NULL,
              is_open INTEGER NOT NULL,
              document BLOB NOT NULL,
              checksum INTEGER NOT NULL,
              PRIMARY KEY (kind, id)
            ) STRICT;
            CREATE INDEX insight_by_time ON insight(kind, changed_at, id);
            CREATE INDEX insight_by_state ON insight(kind, is_open, changed_at, id);
            """)
      },
    ])
}
