/// Replaces secrets and personal data by placeholders, the same value by the same placeholder every time, so that a
/// reader who may not see a value can still tell where it comes back.
///
/// The values stay in this process. Keep one redactor for what belongs together, such as one request.
package struct Redactor: Sendable {
  private let scanner: SensitiveDataScanner
  private var placeholders: [Key: String] = [:]
  private var values: [String: (value: [UInt8], kind: SensitiveKind)] = [:]
  private var counts = [Int](repeating: 0, count: SensitiveKind.allCases.count)

  private struct Key: Hashable {
    var kind: SensitiveKind
    var value: [UInt8]
  }

  package init(policy: RedactionPolicy = .standard) { scanner = SensitiveDataScanner(policy: policy) }

  /// How many different values were hidden.
  package var hiddenCount: Int { placeholders.count }

  /// - Returns: Nil if there is nothing to hide.
  package mutating func redacted(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    let spans = scanner.spans(in: bytes)
    guard !spans.isEmpty else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 16)
    var end = 0
    for span in spans {
      result.append(contentsOf: bytes[end..<span.range.lowerBound])
      result.append(contentsOf: placeholder(for: Array(bytes[span.range]), span.kind).utf8)
      end = span.range.upperBound
    }
    result.append(contentsOf: bytes[end...])
    return result
  }

  package mutating func redact(_ bytes: [UInt8]) -> [UInt8] {
    bytes.withUnsafeBufferPointer { redacted($0) } ?? bytes
  }

  package mutating func redact(_ text: String) -> String {
    var text = text
    let hidden = text.withUTF8 { redacted($0) }
    return hidden.map { String(decoding: $0, as: UTF8.self) } ?? text
  }

  /// `text` with its placeholders of personal data replaced by what they stand for. Secrets stay hidden: whoever wrote
  /// `text` has no need to name them.
  package func restore(_ text: String) -> String {
    guard !values.isEmpty, text.utf8.contains(UInt8(ascii: "<")) else { return text }
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      // The longest placeholder is <NATIONAL_ID_ and a number.
      if bytes[index] == UInt8(ascii: "<"),
        let end = bytes[index..<min(bytes.count, index + 32)].firstIndex(of: UInt8(ascii: ">")),
        let known = values[String(decoding: bytes[index...end], as: UTF8.self)], !known.kind.isSecret
      {
        result.append(contentsOf: known.value)
        index = end + 1
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private mutating func placeholder(for value: [UInt8], _ kind: SensitiveKind) -> String {
    let key = Key(kind: kind, value: value)
    if let known = placeholders[key] { return known }
    counts[Int(kind.rawValue)] += 1
    let name = "<\(kind.label)_\(counts[Int(kind.rawValue)])>"
    placeholders[key] = name
    values[name] = (value, kind)
    return name
  }
}
