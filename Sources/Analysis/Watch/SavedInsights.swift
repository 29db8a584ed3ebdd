import Detection
import Domain
import Search
import Storage

/// Anomalies and incidents as the file has them, so that only what changed is saved again and told.
struct SavedInsights {
  /// What is to be saved, and told.
  struct Changes {
    var rows: [InsightTable.Row] = []
    var events: [InsightEvent] = []

    mutating func append(_ other: Changes) {
      rows += other.rows
      events += other.events
    }
  }

  /// Those that go on.
  private var anomalies: [String: AnomalyDocument] = [:]
  /// Those that go on, or may again.
  private var incidents: [String: IncidentDocument] = [:]

  init() {}

  /// What the file calls open. Documents of a build that wrote them in another way are left out: they are found out again.
  init(openIn insights: InsightTable) async throws {
    for row in try await insights.list(.anomaly, onlyOpen: true, limit: 10_000) {
      // See above.
      guard let document = try? JSON.value(AnomalyDocument.self, row.document) else { continue }
      anomalies[document.id] = document
    }
    for row in try await insights.list(.incident, onlyOpen: true, limit: 10_000) {
      // See above.
      guard let document = try? JSON.value(IncidentDocument.self, row.document) else { continue }
      incidents[document.id] = document
    }
  }

  /// Of `ids` those that are not at hand.
  func unknown(_ ids: some Sequence<UInt64>) -> [String] {
    ids.map { String($0, radix: 16) }.filter { incidents[$0] == nil }.sorted()
  }

  /// Takes in what the file has of an incident that was not at hand: people's words on it are to stay.
  mutating func recall(_ row: InsightTable.Row) {
    // Of another build: it is written anew.
    incidents[row.id] = try? JSON.value(IncidentDocument.self, row.document)
  }

  /// Forgets incidents other than these.
  mutating func keep(incidents ids: [UInt64]) {
    let known = Set(ids.map { String($0, radix: 16) })
    incidents = incidents.filter { known.contains($0.key) }
  }

  // MARK: What changed

  /// Takes in what a tick says.
  mutating func take(_ nodes: [IncidentNode], _ found: [Incident]) throws -> Changes {
    var changes = Changes()
    for node in nodes {
      let document = AnomalyDocument(node)
      if anomalies[document.id] == document { continue }
      try note(document, &changes)
    }
    for incident in found {
      var document = IncidentDocument(incident)
      if let saved = incidents[document.id] {
        document.status = saved.status
        document.statusAt = saved.statusAt
        // What was settled and goes on again is not settled.
        if saved.state != "open", document.state == "open", saved.status != .muted {
          document.status = .open
          document.statusAt = nil
        }
        if saved == document { continue }
      }
      try note(document, &changes)
    }
    return changes
  }

  /// Ends what is called open and nobody knows any more: another build's detector began anew, or late records made the
  /// minutes that were taken in again tell something else. The ids are those of what goes on.
  mutating func settle(anomalies openAnomalies: Set<UInt64>, incidents openIncidents: Set<UInt64>) throws -> Changes {
    var changes = Changes()
    let known = Set(openAnomalies.map { String($0, radix: 16) })
    for (id, var document) in anomalies.sorted(by: { $0.key < $1.key }) where !known.contains(id) {
      document.phase = "ended"
      try note(document, &changes)
    }
    let open = Set(openIncidents.map { String($0, radix: 16) })
    for (id, var document) in incidents.sorted(by: { $0.key < $1.key })
    where document.state == "open" && !open.contains(id) {
      document.state = "closed"
      try note(document, &changes)
    }
    return changes
  }

  /// - Parameter row: The incident's, from the file.
  /// - Returns: What is to be saved.
  mutating func setStatus(
    _ status: IncidentDocument.Status, of row: InsightTable.Row, at time: Timestamp
  ) throws -> InsightTable.Row {
    var document = try incidents[row.id] ?? JSON.value(IncidentDocument.self, row.document)
    document.status = status
    document.statusAt = time.rfc3339
    incidents[row.id] = document
    return try SavedInsights.row(document)
  }

  private mutating func note(_ document: AnomalyDocument, _ changes: inout Changes) throws {
    let isOpen = document.phase != "ended"
    anomalies[document.id] = isOpen ? document : nil
    let json = try JSON.bytes(document)
    changes.rows.append(
      InsightTable.Row(
        kind: .anomaly, id: document.id, startedAt: SavedInsights.time(document.onset),
        changedAt: SavedInsights.time(document.last), isOpen: isOpen, document: json))
    changes.events.append(InsightEvent(kind: .anomaly, document: json))
  }

  private mutating func note(_ document: IncidentDocument, _ changes: inout Changes) throws {
    incidents[document.id] = document
    let row = try SavedInsights.row(document)
    changes.rows.append(row)
    if document.status != .muted { changes.events.append(InsightEvent(kind: .incident, document: row.document)) }
  }

  private static func row(_ document: IncidentDocument) throws -> InsightTable.Row {
    InsightTable.Row(
      kind: .incident, id: document.id, startedAt: time(document.onset), changedAt: time(document.last),
      isOpen: document.state == "open", document: try JSON.bytes(document))
  }

  /// Of a document of ours.
  private static func time(_ text: String) -> Timestamp {
    TimeExpression.parse(text, now: Timestamp(nanoseconds: 0)) ?? .init(minute: 0)
  }
}
