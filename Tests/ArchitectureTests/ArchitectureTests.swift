import Testing

@Suite struct ArchitectureTests {
  private let tree = SourceTree.shared
  private static let crafts: Set<String> = [
    "LogParsing", "LogTemplates", "LogBlocks", "LogQuery", "Embedding", "VectorIndex", "Detection", "Redaction",
    "Domain",
  ]
  /// Modules of the toolchain that any room but a craft may use.
  private static let system: Set<String> = [
    "Foundation", "FoundationEssentials", "Synchronization", "Dispatch", "Glibc", "Musl", "Darwin",
  ]

  @Test func `the sources and the table of rooms are found`() {
    #expect(tree.files.count > 100)
    #expect(tree.rooms.count >= 14)
    #expect(tree.rooms.first?.name == "Appliance")
    #expect(tree.rooms.contains { $0.name == "Search" && $0.dependencies.contains("Storage") })
    #expect(Set(tree.files.map(\.room)).isSubset(of: Set(tree.rooms.map(\.name))))
  }

  @Test func `a room depends only on rooms below it`() {
    let order = tree.rooms.map(\.name)
    for (index, room) in tree.rooms.enumerated() {
      for dependency in room.dependencies {
        guard let other = order.firstIndex(of: dependency) else { continue }
        #expect(other > index, "\(room.name) stands below \(dependency) or beside it, and depends on it")
      }
    }
  }

  @Test func `a file imports only what the manifest lets its room use`() {
    let allowed = Dictionary(tree.rooms.map { ($0.name, Set($0.dependencies)) }, uniquingKeysWith: { $0.union($1) })
    for file in tree.files {
      for (module, line) in file.imports where !Self.system.contains(module) {
        #expect(allowed[file.room]?.contains(module) == true, "\(file.path):\(line) imports \(module)")
      }
    }
  }

  @Test func `crafts are pure: no files, clocks, locks or loggers`() {
    let exceptions = [
      // A compiled expression keeps its automaton, which grows as texts are matched, behind a lock that no caller sees.
      "Sources/LogQuery/RegularExpressions/RegularExpression.swift": ["Synchronization"],
      // Logarithms and powers are in the C library.
      "Sources/LogQuery/Pipes/MathPipe.swift": ["Glibc", "Musl", "Darwin"],
      "Sources/Embedding/NaturalLogarithm.swift": ["Glibc", "Musl", "Darwin"],
      "Sources/Detection/Exponential.swift": ["Glibc", "Musl", "Darwin"],
    ]
    for file in tree.files where Self.crafts.contains(file.room) {
      for (module, line) in file.imports where Self.system.contains(module) || module == "Logging" {
        #expect(exceptions[file.path]?.contains(module) == true, "\(file.path):\(line) imports \(module)")
      }
      for (text, line) in file.code {
        for impure in ["ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator", "Task {", " print("]
        where text.contains(impure) {
          Issue.record("\(file.path):\(line) uses \(impure)")
        }
      }
    }
  }

  @Test func `SQL is written in Storage and nowhere else`() {
    let statements = [
      "SELECT ", "INSERT INTO", "INSERT OR", "UPDATE ", "DELETE FROM", "CREATE TABLE", "CREATE INDEX", "PRAGMA ",
    ]
    // The sample incident's own log lines tell of a database.
    for file in tree.files where file.room != "Storage" && file.path != "Sources/Appliance/Demo/SampleIncident.swift" {
      #expect(!file.imports.contains { $0.module == "GRDB" || $0.module.hasPrefix("CSQLite") }, "\(file.path)")
      for (text, line) in file.code {
        #expect(!statements.contains { text.contains($0) }, "\(file.path):\(line) looks like SQL")
      }
    }
    #expect(tree.files.contains { $0.room == "Storage" && $0.lines.contains { $0.contains("SELECT ") } })
  }

  @Test func `access to a tenant is granted by Identity and Storage alone`() {
    for file in tree.files where !["Identity", "Storage"].contains(file.room) {
      for (text, line) in file.code {
        #expect(!text.contains("TenantScope(proven:"), "\(file.path):\(line) grants access to a tenant")
      }
    }
    #expect(tree.files.contains { $0.room == "Identity" && $0.lines.contains { $0.contains("TenantScope(proven:") } })
  }

  @Test func `nothing reads XML or loads over the network behind our back`() {
    for file in tree.files {
      for module in ["FoundationXML", "FoundationNetworking"] {
        #expect(!file.imports.contains { $0.module == module }, "\(file.path) imports \(module)")
      }
    }
  }

  @Test func `an error that is dropped says why`() {
    for file in tree.files {
      for (text, line) in file.code where text.contains(" try?") || text.contains("(try?") {
        // On its line, or on the one above the statement that it belongs to.
        let near = file.lines[max(0, line - 4)..<line]
        #expect(near.contains { $0.contains("//") }, "\(file.path):\(line) drops an error and does not say why")
      }
    }
  }

  @Test func `a class that promises to be sendable by itself says what makes it true`() {
    for file in tree.files {
      for (index, text) in file.lines.enumerated() where text.contains("@unchecked Sendable") {
        let near = file.lines[max(0, index - 4)..<min(file.lines.count, index + 3)]
        #expect(near.contains { $0.contains("//") }, "\(file.path):\(index + 1)")
      }
    }
  }
}
