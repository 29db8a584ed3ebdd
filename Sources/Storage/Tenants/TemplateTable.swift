internal import Domain
internal import GRDB

/// The SQL of templates.
enum TemplateTable {
  static func insert(_ templates: [(number: UInt32, value: Template)], at time: Timestamp, _ database: Database) throws
  {
    guard !templates.isEmpty else { return }
    // A commit that failed in its sync may be there all the same when the file was opened again: then with the same
    // text.
    let insertion = try database.cachedStatement(
      sql: """
        INSERT INTO template (number, text, checksum, created_at)
        VALUES (?, ?, ?, ?)
        ON CONFLICT (number) DO NOTHING
        """)
    for (number, template) in templates {
      try insertion.execute(arguments: [number, template.text.blob, checksum(template.text), time.nanoseconds])
    }
  }

  static func load(_ database: Database) throws -> NumberTable<Template> {
    var table = NumberTable<Template>()
    let rows = try Row.fetchCursor(database, sql: "SELECT number, text, checksum FROM template ORDER BY number")
    while let row = try rows.next() {
      let text = try row.bytes(1)
      table.load(number: row[0], value: checksum(text) == row[2] ? Template(text: text) : nil)
    }
    return table
  }
}

/// The SQL of streams.
enum StreamTable {
  static func insert(_ streams: [(number: UInt32, value: Stream)], at time: Timestamp, _ database: Database) throws {
    guard !streams.isEmpty else { return }
    let insertion = try database.cachedStatement(
      sql: """
        INSERT INTO stream (number, labels, checksum, created_at)
        VALUES (?, ?, ?, ?)
        ON CONFLICT (number) DO NOTHING
        """)
    for (number, stream) in streams {
      let labels = StreamCodec.encode(stream)
      try insertion.execute(arguments: [number, labels.blob, checksum(labels), time.nanoseconds])
    }
  }

  static func load(_ database: Database) throws -> NumberTable<Stream> {
    var table = NumberTable<Stream>()
    let rows = try Row.fetchCursor(database, sql: "SELECT number, labels, checksum FROM stream ORDER BY number")
    while let row = try rows.next() {
      let labels = try row.bytes(1)
      table.load(number: row[0], value: checksum(labels) == row[2] ? StreamCodec.decode(labels) : nil)
    }
    return table
  }
}
