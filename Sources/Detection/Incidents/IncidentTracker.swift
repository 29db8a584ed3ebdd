/// Keeps incidents apart and the same from tick to tick: what an anomaly joined it stays in.
///
/// Holds keys and anomalies only; names, texts and lines are asked for when they are needed, so that its state is small
/// and goes into the tenant's file beside the detector's.
package struct IncidentTracker: Sendable {
  /// Minutes after the last anomaly until an incident is closed.
  static let closingMinutes: Int64 = 10
  /// Minutes after its end within which the same series reopens an incident instead of beginning another.
  static let reopeningMinutes: Int64 = 30
  /// Minutes its points must have been lower before its grade falls.
  static let calmingMinutes: Int64 = 10

  private var records: [Record] = []

  private struct Record: Equatable, Sendable {
    let id: UInt64
    /// The strongest anomaly of each series so far, with the present phase. Ascending by key.
    var anomalies: [Anomaly]
    var last: Int64
    var closedAt: Int64?
    /// The grade that is shown, and the minute in which the points last deserved it.
    var points = 0.0
    var deservedAt: Int64 = 0
  }

  package init() {}

  /// Ids of the incidents that are open.
  package var openIDs: [UInt64] { records.filter { $0.closedAt == nil }.map(\.id) }

  /// Ids of the incidents that are open, or may be again.
  package var ids: [UInt64] { records.map(\.id) }

  /// Anomalies of those, what is over among them: facts of all are asked for.
  package var members: [Anomaly] { records.flatMap(\.anomalies) }

  /// Takes in a tick's anomalies.
  ///
  /// - Parameters:
  ///   - anomalies: As `Detector.tick` returned them. Suppressed ones are left out here.
  ///   - facts: Asked for each anomaly of an open incident; nil leaves it out, as when its pattern was deleted.
  /// - Returns: The incidents that are open, and those closed or merged by this tick, most urgent first.
  package mutating func update(
    minute: Int64, _ anomalies: [Anomaly], links: IncidentLinks, facts: (Anomaly) -> SeriesFacts?
  ) -> [Incident] {
    records.removeAll { minute - ($0.closedAt ?? minute) > Self.reopeningMinutes }
    var fresh: [Anomaly] = []
    for anomaly in strongest(anomalies) where !absorb(anomaly, minute: minute) { fresh.append(anomaly) }

    // The graph over all that is open and all that is fresh; members of one incident stay together whatever it says.
    var nodes: [IncidentNode] = []
    var home: [Int?] = []
    for (index, record) in records.enumerated() where record.closedAt == nil {
      for anomaly in record.anomalies {
        guard let facts = facts(anomaly) else { continue }
        nodes.append(IncidentNode(anomaly: anomaly, facts: facts))
        home.append(index)
      }
    }
    for anomaly in fresh {
      guard let facts = facts(anomaly) else { continue }
      nodes.append(IncidentNode(anomaly: anomaly, facts: facts))
      home.append(nil)
    }
    var merged: [Incident] = []
    if home.contains(nil) { merged = join(nodes, home, minute: minute, links: links) }
    return (describe(nodes, minute: minute, links: links) + merged).sorted(by: Incident.isMoreUrgent)
  }

  /// One anomaly a series: the one that goes on, else the one that deviates most.
  private func strongest(_ anomalies: [Anomaly]) -> [Anomaly] {
    var best: [SeriesKey: Anomaly] = [:]
    for anomaly in anomalies where anomaly.suppressedBy == nil {
      guard let known = best[anomaly.key] else {
        best[anomaly.key] = anomaly
        continue
      }
      let (a, b) = (anomaly.phase != .ended, known.phase != .ended)
      if a != b ? a : abs(anomaly.evidence.z) > abs(known.evidence.z) { best[anomaly.key] = anomaly }
    }
    return best.values.sorted(by: Detector.precedes)
  }

  /// Puts an anomaly into the incident that has its series already, if there is one.
  private mutating func absorb(_ anomaly: Anomaly, minute: Int64) -> Bool {
    for index in records.indices {
      guard let member = records[index].anomalies.firstIndex(where: { $0.key == anomaly.key }) else { continue }
      // What ends while the incident is closed opens nothing.
      if records[index].closedAt != nil, anomaly.phase == .ended { return true }
      let known = records[index].anomalies[member]
      var kept = known.id == anomaly.id || abs(anomaly.evidence.z) >= abs(known.evidence.z) ? anomaly : known
      kept.phase = anomaly.phase
      kept.last = max(known.last, anomaly.last)
      kept.onset = min(known.onset, anomaly.onset)
      records[index].anomalies[member] = kept
      records[index].last = max(records[index].last, anomaly.phase == .ended ? anomaly.last : minute)
      records[index].closedAt = nil
      return true
    }
    // It was over before anybody could tell.
    return false
  }

  /// Joins fresh nodes to incidents and incidents to one another.
  private mutating func join(
    _ nodes: [IncidentNode], _ home: [Int?], minute: Int64, links: IncidentLinks
  ) -> [Incident] {
    var absorbed: [Int: Int] = [:]
    func survivor(_ index: Int) -> Int {
      var index = index
      while let next = absorbed[index] { index = next }
      return index
    }
    for component in IncidentGraph(nodes, links: links).components {
      let fresh = component.filter { home[$0] == nil }
      guard !fresh.isEmpty else { continue }
      let homes = Set(component.compactMap { home[$0] }.map(survivor)).sorted()
      // Records are in the order in which they began.
      let target: Int
      if let oldest = homes.first {
        target = oldest
        for other in homes.dropFirst() { absorbed[other] = oldest }
      } else {
        target = records.count
        records.append(
          Record(id: StableHash.of(0x1AC1, nodes[fresh[0]].anomaly.id), anomalies: [], last: minute))
      }
      for index in fresh { records[target].anomalies.append(nodes[index].anomaly) }
      records[target].last = max(records[target].last, minute)
      records[target].anomalies.sort { $0.key < $1.key }
    }
    var merged: [Incident] = []
    for (from, _) in absorbed.sorted(by: { $0.key < $1.key }) {
      let into = survivor(from)
      for anomaly in records[from].anomalies where !records[into].anomalies.contains(where: { $0.key == anomaly.key }) {
        records[into].anomalies.append(anomaly)
      }
      records[into].anomalies.sort { $0.key < $1.key }
      records[into].last = max(records[into].last, records[from].last)
      records[into].points = max(records[into].points, records[from].points)
      records[into].deservedAt = max(records[into].deservedAt, records[from].deservedAt)
      let members = nodes.indices.filter { home[$0] == from }.map { nodes[$0] }
      merged.append(
        Incident(id: records[from].id, state: .merged(into: records[into].id), of: members, links: links))
    }
    let gone = Set(absorbed.keys)
    records = records.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
    return merged
  }

  /// The incidents as values; those without anomalies for long enough are closed.
  private mutating func describe(_ nodes: [IncidentNode], minute: Int64, links: IncidentLinks) -> [Incident] {
    let byKey = Dictionary(nodes.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    var incidents: [Incident] = []
    for index in records.indices where records[index].closedAt == nil {
      let members = records[index].anomalies.compactMap { byKey[$0.key] }
      let closes = minute - records[index].last >= Self.closingMinutes || members.isEmpty
      if closes { records[index].closedAt = minute }
      guard !members.isEmpty else { continue }
      var incident = Incident(id: records[index].id, state: closes ? .closed : .open, of: members, links: links)
      incident.last = records[index].last
      if incident.points >= records[index].points || minute - records[index].deservedAt >= Self.calmingMinutes {
        records[index].points = incident.points
        records[index].deservedAt = minute
      }
      incident.grade = SeverityScore.Grade(points: records[index].points)
      incidents.append(incident)
    }
    return incidents
  }
}

// TRACKER STATE, version 1: magic "TLIT", u16 version, u64 FNV-1a of the rest, u32 incidents; each u64 id, i64 last minute,
// i64 minute of closing or -1, f64 points, i64 minute of those, u32 anomalies as `Anomaly.write` says.
extension IncidentTracker {
  private static let magic = Array("TLIT".utf8)
  private static let version: UInt16 = 1

  package func serialized() -> [UInt8] {
    var body = StateWriter()
    body.append(UInt32(records.count))
    for record in records {
      body.append(record.id)
      body.append(record.last)
      body.append(record.closedAt ?? -1)
      body.append(record.points)
      body.append(record.deservedAt)
      body.append(UInt32(record.anomalies.count))
      for anomaly in record.anomalies { anomaly.write(to: &body) }
    }
    var header = StateWriter()
    for byte in Self.magic { header.append(byte) }
    header.append(Self.version)
    header.append(StableHash.of(body.bytes))
    return header.bytes + body.bytes
  }

  /// - Throws: `.version` if another build wrote `bytes`, `.corrupt` if they are none of ours.
  package init(serialized bytes: [UInt8]) throws(DetectorStateError) {
    var reader = StateReader(bytes: bytes)
    for byte in Self.magic where try reader.byte() != byte { throw .corrupt }
    guard try reader.half() == Self.version else { throw .version }
    guard try reader.integer(UInt64.self) == StableHash.of(bytes[reader.position...]) else { throw .corrupt }
    for _ in 0..<(try reader.count(max: .max, byteCountEach: 44)) {
      let id = try reader.integer(UInt64.self)
      let last = try reader.long()
      let closedAt = try reader.long()
      var record = Record(id: id, anomalies: [], last: last, closedAt: closedAt < 0 ? nil : closedAt)
      record.points = try reader.double()
      record.deservedAt = try reader.long()
      let bound = Int64(Int32.max)
      guard (0..<bound).contains(last), closedAt < bound, (0..<bound).contains(record.deservedAt) else {
        throw .corrupt
      }
      for _ in 0..<(try reader.count(max: .max, byteCountEach: 64)) {
        record.anomalies.append(try Anomaly(from: &reader))
      }
      records.append(record)
    }
    guard reader.remaining == 0 else { throw .corrupt }
  }
}
