/// Why a file is no model that can be used.
package enum TransformerModelError: Error, Equatable, Sendable {
  /// It does not begin as a model file does.
  case magic
  case version(UInt32)
  /// The header is cut off, or says what no model can be.
  case header(String)
  /// Its length is not what its header asks for.
  case byteCount(expected: Int, actual: Int)
  case checksum(expected: UInt32, actual: UInt32)
  case vocabulary(String)
  /// A table holds an infinity or what is no number.
  case notFinite(String)
}

extension TransformerModelError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .magic: "not a model file: it must come from scripts/convert_model.py"
    case .version(let version): "a model file of version \(version), and this build reads version 1"
    case .header(let reason): "the model file's header is damaged: \(reason)"
    case .byteCount(let expected, let actual):
      "the model file has \(actual) bytes and should have \(expected): copy or convert it again"
    case .checksum(let expected, let actual):
      "the model file is damaged: checksum \(TransformerModelError.hexadecimal(actual)) instead of "
        + TransformerModelError.hexadecimal(expected)
    case .vocabulary(let reason): "the model file's vocabulary is damaged: \(reason)"
    case .notFinite(let table): "the model file is damaged: \(table) holds what is no number"
    }
  }

  static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
