internal import CKernels
internal import Domain

// FILTER LAYOUT, the content of a filter column's frame:
//   byte   form: 0 holds nothing, 1 fuse, 2 may hold anything
//   form 1 only: byte log2 of the segment length l; varint segment count s; 8 bytes seed, little-endian; (s + 2) · 2^l
//   fingerprints
//
// A filter of 8,192 words and more is stored as 16, each of the words whose keys begin with its number's four bits.
// A word's key is `tl_hash64` of its bytes with seed 0.

/// The words a column may hold: no false "no", and about one false "yes" in 256.
///
/// A 3-wise binary fuse filter with 8-bit fingerprints (Graf and Lemire, "Binary Fuse Filters: Fast and Smaller Than
/// Xor Filters", 2022): 9 to 10 bits a word where a Bloom filter of the same precision takes 11.5.
package struct TokenFilter: Sendable {
  /// Only words of a message that are this long and hold a digit are in its filter: the rest is in templates.
  package static let messageWordByteCountMin = 5

  private enum Form: UInt8 {
    case nothing = 0
    case fuse = 1
    case anything = 2
  }

  private var form = Form.nothing
  private var segmentLengthLog2 = 0
  private var segmentCount = 0
  private var seed: UInt64 = 0
  private var fingerprints: [UInt8] = []

  /// Whether a message's filter answers for this word.
  package static func answersInMessages(_ word: some Collection<UInt8>) -> Bool {
    word.count >= messageWordByteCountMin && word.contains { $0 &- UInt8(ascii: "0") < 10 }
  }

  /// From so many words on a message's filter is stored in parts.
  static let partedCountMin = 8192
  static let partCount = 16

  /// The part that a word is in: by its key's top bits, which say nothing of its places in the part.
  static func part(of key: UInt64) -> Int { Int(key >> 60) }

  package static func key(_ word: UnsafeBufferPointer<UInt8>) -> UInt64 { tl_hash64(word.baseAddress, word.count, 0) }

  package func mayContain(_ word: [UInt8]) -> Bool {
    word.withUnsafeBufferPointer { mayContain(key: TokenFilter.key($0)) }
  }

  package func mayContain(key: UInt64) -> Bool {
    fingerprints.withUnsafeBufferPointer { mayContain(key: key, in: $0) }
  }

  private func mayContain(key: UInt64, in fingerprints: UnsafeBufferPointer<UInt8>) -> Bool {
    switch form {
    case .nothing: return false
    case .anything: return true
    case .fuse:
      let hash = TokenFilter.mix(key, seed)
      let (a, b, c) = places(of: hash)
      return fingerprints[a] ^ fingerprints[b] ^ fingerprints[c] == TokenFilter.fingerprint(of: hash)
    }
  }

  /// Asks a filter where it is stored, without a copy of it.
  static func mayContain(
    _ word: [UInt8], in stored: UnsafeBufferPointer<UInt8>, place: @autoclosure () -> String
  ) throws(BlockError) -> Bool {
    try stored.read(place()) { (reader) throws(BlockError) -> Bool in
      let (filter, fingerprints) = try TokenFilter.parts(from: &reader)
      return word.withUnsafeBufferPointer { filter.mayContain(key: TokenFilter.key($0), in: fingerprints) }
    }
  }

  // MARK: - Building

  /// - Parameter keys: Distinct.
  init(keys: [UInt64]) {
    guard !keys.isEmpty else { return }
    form = .fuse
    // Sizes by the formulas of the paper's section 4: they make peeling succeed nearly always.
    let count = Double(keys.count)
    segmentLengthLog2 = min(18, max(2, TokenFilter.floorLog(count, base: 3.33, offset: 2.25)))
    let segmentLength = 1 << segmentLengthLog2
    let factor = keys.count < 2 ? 0 : max(1.125, 0.875 + 0.25 * TokenFilter.log2(1_000_000) / TokenFilter.log2(count))
    let capacity = Int(count * factor + 0.5)
    segmentCount = max(1, (capacity + segmentLength - 1) / segmentLength - 2)
    fingerprints = [UInt8](repeating: 0, count: (segmentCount + 2) * segmentLength)
    for attempt in 1...64 {
      seed = UInt64(attempt) &* 0x9E37_79B9_7F4A_7C15
      if fill(keys) { return }
    }
    form = .anything
    segmentCount = 0
    fingerprints = []
  }

  /// Solves for fingerprints by peeling; false if this seed's graph has a core.
  private mutating func fill(_ keys: [UInt64]) -> Bool {
    var degrees = [UInt8](repeating: 0, count: fingerprints.count)
    var xors = [UInt64](repeating: 0, count: fingerprints.count)
    for key in keys {
      let hash = TokenFilter.mix(key, seed)
      let (a, b, c) = places(of: hash)
      guard max(degrees[a], degrees[b], degrees[c]) < .max else { return false }
      degrees[a] += 1
      degrees[b] += 1
      degrees[c] += 1
      xors[a] ^= hash
      xors[b] ^= hash
      xors[c] ^= hash
    }
    var single: [UInt32] = []
    single.reserveCapacity(fingerprints.count)
    for place in degrees.indices where degrees[place] == 1 { single.append(UInt32(place)) }
    var order: [(hash: UInt64, place: UInt32)] = []
    order.reserveCapacity(keys.count)
    while let next = single.popLast() {
      guard degrees[Int(next)] == 1 else { continue }
      let hash = xors[Int(next)]
      order.append((hash, next))
      let (a, b, c) = places(of: hash)
      for index in 0..<3 {
        let place = index == 0 ? a : index == 1 ? b : c
        degrees[place] -= 1
        xors[place] ^= hash
        if degrees[place] == 1 { single.append(UInt32(place)) }
      }
    }
    guard order.count == keys.count else { return false }
    for index in fingerprints.indices { fingerprints[index] = 0 }
    for (hash, place) in order.reversed() {
      let (a, b, c) = places(of: hash)
      fingerprints[Int(place)] = 0
      fingerprints[Int(place)] =
        TokenFilter.fingerprint(of: hash) ^ fingerprints[a] ^ fingerprints[b] ^ fingerprints[c]
    }
    return true
  }

  @inline(__always)
  private func places(of hash: UInt64) -> (Int, Int, Int) {
    let mask = UInt64(1) << UInt64(segmentLengthLog2) - 1
    let span = UInt64(segmentCount) << UInt64(segmentLengthLog2)
    let a = hash.multipliedFullWidth(by: span).high
    let length = UInt64(1) << UInt64(segmentLengthLog2)
    let b = (a + length) ^ ((hash >> 18) & mask)
    let c = (a + 2 * length) ^ (hash & mask)
    return (Int(a), Int(b), Int(c))
  }

  @inline(__always)
  private static func fingerprint(of hash: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: hash ^ (hash >> 32)) }

  /// The finalizer of MurmurHash3 (Appleby, public domain): a key spread anew for each seed.
  @inline(__always)
  private static func mix(_ key: UInt64, _ seed: UInt64) -> UInt64 {
    var hash = key &+ seed
    hash ^= hash >> 33
    hash &*= 0xFF51_AFD7_ED55_8CCD
    hash ^= hash >> 33
    hash &*= 0xC4CE_B9FE_1A85_EC53
    return hash ^ (hash >> 33)
  }

  /// Base 2, to about six digits: the sizes need no more, and the standard library has no logarithm.
  private static func log2(_ value: Double) -> Double {
    let fraction = value.significand
    // ln(m) by the series of atanh((m - 1) / (m + 1)), m in 1..<2.
    let ratio = (fraction - 1) / (fraction + 1)
    var term = ratio
    var sum = 0.0
    for step in 0..<8 {
      sum += term / Double(2 * step + 1)
      term *= ratio * ratio
    }
    return Double(value.exponent) + 2 * sum / 0.693_147_180_559_945_3
  }

  /// The logarithm plus `offset`, rounded down; the sum is not negative.
  private static func floorLog(_ value: Double, base: Double, offset: Double) -> Int {
    Int(log2(value) / log2(base) + offset)
  }

  // MARK: - Stored form

  var encoded: [UInt8] {
    var bytes = [form.rawValue]
    guard form == .fuse else { return bytes }
    bytes.append(UInt8(segmentLengthLog2))
    bytes.appendVarint(segmentCount)
    bytes.appendLittleEndian32(UInt32(truncatingIfNeeded: seed))
    bytes.appendLittleEndian32(UInt32(truncatingIfNeeded: seed >> 32))
    bytes.append(contentsOf: fingerprints)
    return bytes
  }

  init(decoding bytes: [UInt8], place: @autoclosure () -> String) throws(BlockError) {
    self = try bytes.read(place()) { (reader) throws(BlockError) -> TokenFilter in
      var (filter, fingerprints) = try TokenFilter.parts(from: &reader)
      filter.fingerprints = Array(fingerprints)
      return filter
    }
  }

  /// A filter without its fingerprints, and those.
  private static func parts(
    from reader: inout ByteReader
  ) throws(BlockError) -> (filter: TokenFilter, fingerprints: UnsafeBufferPointer<UInt8>) {
    var filter = TokenFilter(keys: [])
    var fingerprints = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    guard let form = Form(rawValue: try reader.byte()) else { throw reader.corrupt }
    filter.form = form
    if form == .fuse {
      filter.segmentLengthLog2 = Int(try reader.byte())
      guard filter.segmentLengthLog2 <= 18 else { throw reader.corrupt }
      filter.segmentCount = try reader.count(max: reader.remaining)
      guard filter.segmentCount > 0 else { throw reader.corrupt }
      let low = UInt64(try reader.littleEndian32())
      filter.seed = low | UInt64(try reader.littleEndian32()) << 32
      fingerprints = try reader.take((filter.segmentCount + 2) << filter.segmentLengthLog2)
    }
    try reader.expectEnd()
    return (filter, fingerprints)
  }
}

/// Words as filter keys, each once.
struct WordCollector {
  private(set) var keys: [UInt64] = []
  /// What letters the words of messages are made of.
  private(set) var letters = LetterRuns()
  private var slots = [UInt64](repeating: 0, count: 1024)
  private var holdsZero = false

  mutating func removeAll() {
    keys.removeAll(keepingCapacity: true)
    letters.removeAll()
    for index in slots.indices { slots[index] = 0 }
    holdsZero = false
  }

  mutating func insert(_ key: UInt64) {
    guard key != 0 else {
      if !holdsZero { keys.append(0) }
      holdsZero = true
      return
    }
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: key) & mask
    while slots[slot] != 0 {
      if slots[slot] == key { return }
      slot = (slot + 1) & mask
    }
    slots[slot] = key
    keys.append(key)
    if keys.count * 2 > slots.count { grow() }
  }

  private mutating func grow() {
    let mask = slots.count * 4 - 1
    slots = [UInt64](repeating: 0, count: mask + 1)
    for key in keys where key != 0 {
      var slot = Int(truncatingIfNeeded: key) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = key
    }
  }

  /// The words of `text` by `WordTokenizer`; with `onlyOfMessages` those that a message's filter answers for.
  mutating func insertWords(of text: UnsafeBufferPointer<UInt8>, onlyOfMessages: Bool) {
    if onlyOfMessages, text.count < LetterRuns.byteCountMin { return }
    // ASCII is told by one table; the first other byte hands the text to Domain's tokenizer.
    let wordClasses = CharacterClasses([.digits, .lowerHex, .lowerRest, .upperHex, .upperRest, .underscore]).rawValue
    let isASCII = CharacterClasses.table.withUnsafeBufferPointer { table -> Bool in
      var start = 0
      var mask: UInt8 = 0
      for index in text.indices {
        let byteClass = table[Int(text[index])]
        if byteClass & wordClasses != 0 {
          mask |= byteClass
          continue
        }
        if byteClass == CharacterClasses.nonASCII.rawValue { return false }
        insertWord(text, start..<index, mask, onlyOfMessages)
        start = index + 1
        mask = 0
      }
      insertWord(text, start..<text.count, mask, onlyOfMessages)
      return true
    }
    guard !isASCII else { return }
    WordTokenizer.forEachWord(in: text) { range in
      let word = UnsafeBufferPointer(rebasing: text[range])
      if onlyOfMessages { letters.insertRuns(of: word) }
      if !onlyOfMessages || TokenFilter.answersInMessages(word) { insert(TokenFilter.key(word)) }
    }
  }

  @inline(__always)
  private mutating func insertWord(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ mask: UInt8, _ onlyOfMessages: Bool
  ) {
    if range.isEmpty { return }
    if onlyOfMessages {
      if mask & LetterRuns.telling.rawValue != 0 {
        letters.insertRuns(of: UnsafeBufferPointer(rebasing: text[range]))
      }
      guard range.count >= TokenFilter.messageWordByteCountMin, mask & CharacterClasses.digits.rawValue != 0 else {
        return
      }
    }
    insert(TokenFilter.key(UnsafeBufferPointer(rebasing: text[range])))
  }
}
