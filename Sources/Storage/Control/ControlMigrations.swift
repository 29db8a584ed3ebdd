internal import GRDB

extension Migrations {
  /// The schema of control.sqlite. Times are UTC milliseconds.
  static let control = Migrations(
    applicationID: 0x544C_4354,
    steps: [
      { database in
        try database.execute(
          sql: """
            CREATE TABLE tenant (
              id TEXT NOT NULL PRIMARY KEY,
              name TEXT NOT NULL,
              created_at INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE api_key (
              id TEXT NOT NULL PRIMARY KEY,
              tenant_id TEXT NOT NULL REFERENCES tenant(id) ON DELETE CASCADE,
              key_id TEXT NOT NULL UNIQUE,
              key_hash BLOB NOT NULL,
              name TEXT NOT NULL,
              scopes TEXT NOT NULL,
              created_at INTEGER NOT NULL,
              expires_at INTEGER,
              last_used_at INTEGER,
              revoked_at INTEGER
            ) STRICT;
            CREATE INDEX api_key_by_tenant ON api_key(tenant_id, created_at);
            CREATE TABLE setting (
              name TEXT NOT NULL PRIMARY KEY,
              value BLOB NOT NULL
            ) STRICT;
            """)
      }
    ])
}
