/// Templates that a person would call the same kind of line.
package struct Pattern: Hashable, Sendable {
  /// Stays for the tenant's life.
  package var number: UInt32
  /// For people: `Connection to <*> timed out after <*>`.
  package var text: String
  /// The most serious level seen on its records.
  package var severity: Severity
  package var firstSeen: Timestamp
  package var lastSeen: Timestamp

  package init(number: UInt32, text: String, severity: Severity, firstSeen: Timestamp, lastSeen: Timestamp) {
    self.number = number
    self.text = text
    self.severity = severity
    self.firstSeen = firstSeen
    self.lastSeen = lastSeen
  }
}
