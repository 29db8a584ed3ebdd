package import Domain

/// What the caller knows of an anomalous series: names, texts and where its records came from.
package struct SeriesFacts: Sendable {
  /// A pod that wrote records of the series while it was anomalous.
  package struct Pod: Hashable, Sendable {
    package var name: String
    /// Empty if it is not known.
    package var node: String
    package var count: Int

    package init(name: String, node: String, count: Int) {
      self.name = name
      self.node = node
      self.count = count
    }
  }

  /// The pattern's text with `<*>`, or for a workload as a whole its name.
  package var text: String
  package var workload: String
  package var namespace: String
  /// Other names that lines call the workload by: service hosts, addresses.
  package var addresses: [String]
  package var severity: SeverityScore
  package var pods: [Pod]
  /// All pods of the workload, affected or not.
  package var podCount: Int
  /// Hashes of trace and request ids on its records; a sample is enough.
  package var links: Set<UInt64>
  /// Some of its records: the first and the last of the anomaly, and a few between, in the order of time.
  package var lines: [EvidenceLine]

  package init(
    text: String, workload: String, namespace: String = "", addresses: [String] = [], severity: SeverityScore,
    pods: [Pod] = [], podCount: Int = 0, links: Set<UInt64> = [], lines: [EvidenceLine] = []
  ) {
    self.text = text
    self.workload = workload
    self.namespace = namespace
    self.addresses = addresses
    self.severity = severity
    self.pods = pods
    self.podCount = podCount
    self.links = links
    self.lines = lines
  }
}

/// A record that shows what an incident is about.
package struct EvidenceLine: Hashable, Sendable {
  /// The record's id, by which it can be opened.
  package var id: String
  package var time: Timestamp
  package var text: String
  package var workload: String
  package var key: SeriesKey

  package init(id: String, time: Timestamp, text: String, workload: String, key: SeriesKey) {
    self.id = id
    self.time = time
    self.text = text
    self.workload = workload
    self.key = key
  }
}

/// What connects two anomalous series.
package struct IncidentLinks {
  /// The cosine of two patterns' embeddings.
  package var similarity: (UInt32, UInt32) -> Float
  /// Whether shared traces show the first workload to call the second.
  package var calls: (UInt32, UInt32) -> Bool

  package init(
    similarity: @escaping (UInt32, UInt32) -> Float = { _, _ in 0 },
    calls: @escaping (UInt32, UInt32) -> Bool = { _, _ in false }
  ) {
    self.similarity = similarity
    self.calls = calls
  }
}
