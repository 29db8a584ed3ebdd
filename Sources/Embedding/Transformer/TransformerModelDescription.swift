/// What a model file says of itself.
package struct TransformerModelDescription: Hashable, Sendable {
  /// Such as "all-MiniLM-L6-v2"; "unnamed" if the file gives no name.
  package let name: String
  /// Under which the weights may be used, such as "Apache-2.0"; empty if the file does not say.
  package let license: String
  /// Where the weights come from; empty if the file does not say.
  package let origin: String
  /// Components of a vector.
  package let dimension: Int
  package let byteCount: Int
  /// CRC-32C of the file.
  package let checksum: UInt32

  /// The name and the checksum: two files whose vectors may be compared have the same.
  package var identity: String { name + "-" + TransformerModelError.hexadecimal(checksum) }

  /// Reads and checks a whole model file: some milliseconds.
  ///
  /// - Throws: What is wrong with it.
  package init(validating file: TransformerModelBytes) throws(TransformerModelError) {
    self = try TransformerModelFile(file.bytes).description
  }

  init(texts: Slice<UnsafeRawBufferPointer>, dimension: Int, byteCount: Int, checksum: UInt32) {
    var fields: [String: String] = [:]
    for line in texts.split(separator: UInt8(ascii: "\n")) {
      let text = String(decoding: line, as: UTF8.self)
      let parts = text.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      fields[String(parts[0])] = String(parts[1].drop { $0 == " " })
    }
    name = fields["name"] ?? "unnamed"
    license = fields["license"] ?? ""
    origin = fields["origin"] ?? ""
    self.dimension = dimension
    self.byteCount = byteCount
    self.checksum = checksum
  }
}
