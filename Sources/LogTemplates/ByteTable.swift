internal import CKernels

/// Distinct byte strings, numbered from 0 as they come: one buffer for all of them and open addressing over it.
struct ByteTable: Sendable {
  private(set) var bytes: [UInt8] = []
  /// `count + 1` places in `bytes`.
  private(set) var starts: [UInt32] = [0]
  private var hashes: [UInt32] = []
  /// Number + 1 of the text in this place, 0 for none. The count is a power of two, at most half of it in use.
  private var places = [UInt32](repeating: 0, count: 64)

  var count: Int { starts.count - 1 }

  func range(of number: Int) -> Range<Int> { Int(starts[number])..<Int(starts[number + 1]) }

  subscript(number: Int) -> ArraySlice<UInt8> { bytes[range(of: number)] }

  /// The number of `text`, which is added if it is new.
  mutating func insert(_ text: UnsafeBufferPointer<UInt8>) -> (number: Int, isNew: Bool) {
    let hash = tl_hash64(text.baseAddress, text.count, 0)
    if let known = find(text, hash) { return (known, false) }
    let number = count
    bytes.append(contentsOf: text)
    starts.append(UInt32(truncatingIfNeeded: bytes.count))
    hashes.append(UInt32(truncatingIfNeeded: hash))
    if hashes.count * 2 > places.count {
      places = [UInt32](repeating: 0, count: places.count * 2)
      for number in hashes.indices { place(number) }
    } else {
      place(number)
    }
    return (number, true)
  }

  /// The number of `text` if it is known.
  func number(of text: UnsafeBufferPointer<UInt8>) -> Int? { find(text, tl_hash64(text.baseAddress, text.count, 0)) }

  mutating func insert(_ text: [UInt8]) -> (number: Int, isNew: Bool) { text.withUnsafeBufferPointer { insert($0) } }

  private func find(_ text: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int? {
    let short = UInt32(truncatingIfNeeded: hash)
    var place = Int(short) & (places.count - 1)
    while places[place] != 0 {
      let number = Int(places[place]) - 1
      if hashes[number] == short {
        let range = range(of: number)
        if range.count == text.count, bytes.withUnsafeBufferPointer({ $0[range].elementsEqual(text) }) { return number }
      }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }

  private mutating func place(_ number: Int) {
    var place = Int(hashes[number]) & (places.count - 1)
    while places[place] != 0 { place = (place + 1) & (places.count - 1) }
    places[place] = UInt32(truncatingIfNeeded: number + 1)
  }
}
