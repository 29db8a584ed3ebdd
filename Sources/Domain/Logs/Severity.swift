/// How serious a record is, normalized from whatever its sender said. Raw values are stored: never renumber.
package enum Severity: UInt8, CaseIterable, Comparable, Sendable {
  case unknown = 0
  case trace = 1
  case debug = 2
  case info = 3
  case warning = 4
  case error = 5
  case critical = 6

  package static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }

  package var name: String {
    switch self {
    case .unknown: "unknown"
    case .trace: "trace"
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    case .critical: "critical"
    }
  }

  package init?(name: String) {
    guard let match = Severity.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }
}
