import Domain
import FoundationEssentials

/// A record as a query answers it, for people to read.
struct LogLine {
  private let fields: [String: String]

  /// Nil if `json` is not an object of strings.
  init?(json: [UInt8]) {
    // A line that is no record is passed over by the caller.
    guard let fields = try? JSONDecoder().decode([String: String].self, from: Data(json)) else { return nil }
    self.fields = fields
  }

  /// `13:44:27.32  ERR  payments-7d9f  charge failed: …` or, for rows that pipes made, `name=value` pairs.
  var text: String {
    guard let message = fields["_msg"], let time = fields["_time"] else {
      return fields.sorted { $0.key < $1.key }
        .map { Terminal.colored(Terminal.printable($0.key) + "=", .dim) + Terminal.printable($0.value) }.joined(
          separator: "  ")
    }
    let severity = Severity(name: fields["severity"] ?? "") ?? .unknown
    let source =
      fields["kubernetes.pod_name"] ?? fields["kubernetes.container_name"] ?? fields["service"] ?? fields["source"]
      ?? ""
    return [
      Terminal.colored(Terminal.printable(time), .dim), LogLine.word(severity),
      Terminal.colored(Terminal.printable(source), .blue),
      Terminal.printable(message),
    ].filter { !$0.isEmpty }.joined(separator: "  ")
  }

  private static func word(_ severity: Severity) -> String {
    switch severity {
    case .unknown: "   "
    case .trace: Terminal.colored("TRC", .dim)
    case .debug: Terminal.colored("DBG", .dim)
    case .info: Terminal.colored("INF", .blue)
    case .warning: Terminal.colored("WRN", .yellow)
    case .error: Terminal.colored("ERR", .red)
    case .critical: Terminal.colored("FTL", .redInverse)
    }
  }
}
