/// The name of one record, stable for its life: its time, its stream's number, and a checksum of its message.
///
/// Nothing is stored for it. Two records equal in all three are told apart by nobody, and both answer to the id.
/// Text form: `<nanoseconds, 16 hex digits>-<stream number, hex>-<message CRC-32C, 8 hex digits>`.
package struct RecordID: Hashable, Sendable {
  package var time: Timestamp
  package var stream: UInt32
  package var messageChecksum: UInt32

  package init(time: Timestamp, stream: UInt32, messageChecksum: UInt32) {
    self.time = time
    self.stream = stream
    self.messageChecksum = messageChecksum
  }

  package init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].count == 16, parts[2].count == 8,
      let time = UInt64(parts[0], radix: 16), let stream = UInt32(parts[1], radix: 16),
      let checksum = UInt32(parts[2], radix: 16)
    else { return nil }
    self.init(time: Timestamp(nanoseconds: Int64(bitPattern: time)), stream: stream, messageChecksum: checksum)
  }

  package var description: String {
    func hex(_ value: UInt64, width: Int) -> String {
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return hex(UInt64(bitPattern: time.nanoseconds), width: 16) + "-" + hex(UInt64(stream), width: 1) + "-"
      + hex(UInt64(messageChecksum), width: 8)
  }
}
