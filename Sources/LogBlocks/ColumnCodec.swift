internal import CKernels
internal import Domain

// VALUE LAYOUT: a list of byte strings whose count the reader knows.
//   byte    kind; 0x80 is added where every value starts and ends alike
//   affixes only with 0x80: varint prefix length, prefix, varint suffix length, suffix; the rest holds what is between
//   them
//   rest    by kind:
//     0 text        lengths (IntegerCodec), then the bytes of all values
//     1 constant    nothing: every value is prefix and suffix
//     2 dictionary  varint d, d lengths (IntegerCodec), bytes of the d distinct values, one index a value (CodeCodec)
//     3 integer     IntegerCodec; decimal text without a plus or leading zeros
//     4 padded      byte w, IntegerCodec; w digits with leading zeros, w at most 18
//     5 hex         lengths (IntegerCodec), then one nibble a digit, low nibble first; digits 0-9a-f
//     6 upper hex   the same with 0-9A-F
//     7 IPv4        four byte planes: all first octets, all second octets…
//     8 decimal     byte f, IntegerCodec; digits with f of them after a point, no sign, no needless leading zero
//     9 number      byte c, one code a value (CodeCodec, limit c), IntegerCodec of the magnitudes' 64 bits; the code is
//                   twice the number of leading zeros, plus one for a minus
//    10 timestamp   byte count and bytes of the layout (TimestampLayout.swift), IntegerCodec of the distances from the
//                   records' times

/// A list of byte strings to bytes and back, in the form that suits them.
enum ColumnCodec {
  enum Kind: UInt8 {
    case text = 0
    case constant = 1
    case dictionary = 2
    case integer = 3
    case padded = 4
    case hex = 5
    case upperHex = 6
    case ipv4 = 7
    case decimal = 8
    case number = 9
    case timestamp = 10

    /// Whether its bytes look like text to zstd, or like packed numbers.
    var isTextual: Bool { self == .text || self == .constant || self == .dictionary }
  }

  static let affixFlag: UInt8 = 0x80

  /// Whether values whose encoding begins with this byte are known only together with their records' times.
  static func needsTimes(_ first: UInt8?) -> Bool {
    first.map { $0 & ~affixFlag == Kind.timestamp.rawValue } ?? false
  }
}

/// Encodes lists of values; keeps its working memory from one list to the next.
struct ValueEncoder {
  /// The kind and classes of the list encoded last.
  private(set) var kind = ColumnCodec.Kind.text
  private(set) var classes = CharacterClasses()
  /// The distinct values if the list encoded last is a dictionary or constant.
  private(set) var distinct: [ByteSpan] = []

  private var interner = ByteInterner()
  private var codes: [UInt32] = []
  private var integers: [Int64] = []
  private var payload: [UInt8] = []

  /// Appends the encoded values to `output`. There is at least one.
  ///
  /// - Parameter times: Of the records that the values belong to, one a value.
  mutating func encode(
    _ spans: UnsafeBufferPointer<ByteSpan>, in bytes: UnsafeBufferPointer<UInt8>, times: UnsafeBufferPointer<Int64>,
    into output: inout [UInt8]
  ) {
    classes = ValueEncoder.classes(of: spans, in: bytes)
    distinct.removeAll(keepingCapacity: true)
    if isConstant(spans, in: bytes) {
      kind = .constant
      distinct.append(spans[0])
      output.append(ColumnCodec.Kind.constant.rawValue | ColumnCodec.affixFlag)
      output.appendVarint(spans[0].length)
      output.append(contentsOf: bytes[spans[0].range])
      output.appendVarint(0)
      return
    }
    if encodeTimestamps(spans, in: bytes, times: times, into: &output) { return }
    if internValues(spans, in: bytes) {
      kind = .dictionary
      distinct.append(contentsOf: interner.spans)
      distinct.withUnsafeBufferPointer { distinct in
        codes.withUnsafeBufferPointer { codes in
          encodeDictionary(distinct, codes: codes, in: bytes, into: &output)
        }
      }
      return
    }
    encodeCoresAndAffixes(spans, in: bytes, into: &output)
  }

  /// Appends values that the caller has already numbered.
  mutating func encodeDictionary(
    _ values: UnsafeBufferPointer<ByteSpan>, codes: UnsafeBufferPointer<UInt32>, in bytes: UnsafeBufferPointer<UInt8>,
    into output: inout [UInt8]
  ) {
    output.append(ColumnCodec.Kind.dictionary.rawValue)
    output.appendVarint(values.count)
    appendText(values, in: bytes, into: &output)
    CodeCodec.encode(codes, limit: values.count, into: &output)
  }

  /// Appends values of which most differ.
  mutating func encodeList(
    _ spans: UnsafeBufferPointer<ByteSpan>, in bytes: UnsafeBufferPointer<UInt8>, times: UnsafeBufferPointer<Int64>,
    into output: inout [UInt8]
  ) {
    if encodeTimestamps(spans, in: bytes, times: times, into: &output) { return }
    encodeCoresAndAffixes(spans, in: bytes, into: &output)
  }

  /// Appends the values as distances from their records' times; false, and nothing appended, if they are not all of one
  /// layout.
  private mutating func encodeTimestamps(
    _ spans: UnsafeBufferPointer<ByteSpan>, in bytes: UnsafeBufferPointer<UInt8>, times: UnsafeBufferPointer<Int64>,
    into output: inout [UInt8]
  ) -> Bool {
    guard times.count == spans.count, spans.count > 1 else { return false }
    let first = UnsafeBufferPointer(rebasing: bytes[spans[0].range])
    layouts: for layout in TimestampLayout.candidates(for: first, time: times[0]) {
      var day = TimestampLayout.Day()
      integers.removeAll(keepingCapacity: true)
      for (index, span) in spans.enumerated() {
        let text = UnsafeBufferPointer(rebasing: bytes[span.range])
        guard let distance = layout.distance(of: text, from: times[index], &day) else { continue layouts }
        integers.append(distance)
      }
      kind = .timestamp
      output.append(kind.rawValue)
      output.append(UInt8(layout.pieces.count))
      output.append(contentsOf: layout.pieces)
      integers.withUnsafeBufferPointer { IntegerCodec.encode($0, into: &output) }
      return true
    }
    return false
  }

  private mutating func encodeCoresAndAffixes(
    _ spans: UnsafeBufferPointer<ByteSpan>, in bytes: UnsafeBufferPointer<UInt8>, into output: inout [UInt8]
  ) {
    let (prefix, suffix) = spans.count >= 4 ? affixes(of: spans, in: bytes) : (0, 0)
    payload.removeAll(keepingCapacity: true)
    kind = encodeCores(spans, in: bytes, prefix: prefix, suffix: suffix)
    let hasAffixes = prefix + suffix > 0
    output.append(kind.rawValue | (hasAffixes ? ColumnCodec.affixFlag : 0))
    if hasAffixes {
      let first = spans[0].range
      output.appendVarint(prefix)
      output.append(contentsOf: bytes[first.prefix(prefix)])
      output.appendVarint(suffix)
      output.append(contentsOf: bytes[first.suffix(suffix)])
    }
    output.append(contentsOf: payload)
  }

  // MARK: - What the values are like

  private static func classes(
    of spans: UnsafeBufferPointer<ByteSpan>, in bytes: UnsafeBufferPointer<UInt8>
  ) -> CharacterClasses {
    CharacterClasses.table.withUnsafeBufferPointer { table in
      var mask: UInt8 = 0
      for span in spans {
        for index in span.range { mask |= table[Int(bytes[index])] }
      }
      return CharacterClasses(rawValue: mask)
    }
  }

  private func isConstant(_ spans: UnsafeBufferPointer<ByteSpan>, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let first = spans[0]
    for span in spans where !equal(bytes, first, span) { return false }
    return true
  }

  /// Numbers the values; false if too many of them differ for a dictionary to pay.
  private mutating func internValues(
    _ spans: UnsafeBufferPointer<ByteSpan>, in bytes: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard spans.count >= 8 else { return false }
    interner.removeAll()
    codes.removeAll(keepingCapacity: true)
    let limit = spans.count / 4
    for (index, span) in spans.enumerated() {
      codes.append(interner.intern(span, in: bytes))
      if interner.count > limit { return false }
      // A list that begins with 200 different values of 256 seldom turns out to repeat itself.
      if index == 255, interner.count > 200 { return false }
    }
    return true
  }

  /// How many bytes all values share at their start and at their end. A prefix does not end and a suffix does not begin
  /// inside a number, so that what is between stays one.
  private func affixes(
    of spans: UnsafeBufferPointer<ByteSpan>, in bytes: UnsafeBufferPointer<UInt8>
  ) -> (prefix: Int, suffix: Int) {
    let first = spans[0].range
    var prefix = first.count
    var suffix = first.count
    for span in spans {
      let range = span.range
      prefix = min(prefix, range.count)
      suffix = min(suffix, range.count)
      var same = 0
      while same < prefix, bytes[first.lowerBound + same] == bytes[range.lowerBound + same] { same += 1 }
      prefix = same
      same = 0
      while same < suffix, bytes[first.upperBound - 1 - same] == bytes[range.upperBound - 1 - same] { same += 1 }
      suffix = same
      if prefix == 0, suffix == 0 { return (0, 0) }
    }
    while prefix > 0, ValueEncoder.isHexDigit(bytes[first.lowerBound + prefix - 1]) { prefix -= 1 }
    while suffix > 0, ValueEncoder.isDigit(bytes[first.upperBound - suffix]) { suffix -= 1 }
    let shortest = spans.reduce(Int.max) { min($0, Int($1.length)) }
    if prefix + suffix > shortest { suffix = shortest - prefix }
    return (prefix, suffix)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  private static func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 6 }

  // MARK: - The forms

  /// Fills `payload` with what stands between the affixes.
  private mutating func encodeCores(
    _ spans: UnsafeBufferPointer<ByteSpan>, in bytes: UnsafeBufferPointer<UInt8>, prefix: Int, suffix: Int
  ) -> ColumnCodec.Kind {
    func core(_ span: ByteSpan) -> UnsafeBufferPointer<UInt8> {
      let range = span.range
      return UnsafeBufferPointer(rebasing: bytes[range.lowerBound + prefix..<range.upperBound - suffix])
    }
    let shortest = core(spans[0])
    if let first = shortest.first, ValueEncoder.isDigit(first) || first == UInt8(ascii: "-") {
      if collect(spans, core, ValueEncoder.canonicalInteger) { return finish(.integer) }
      let width = shortest.count
      if width <= 18, collect(spans, core, { ValueEncoder.paddedInteger($0, width: width) }) {
        payload.append(UInt8(width))
        return finish(.padded)
      }
      if encodeNumbers(spans, core) { return .number }
      if let point = shortest.firstIndex(of: UInt8(ascii: ".")) {
        let places = width - point - 1
        if (1...9).contains(places), collect(spans, core, { ValueEncoder.decimal($0, places: places) }) {
          payload.append(UInt8(places))
          return finish(.decimal)
        }
        if encodeAddresses(spans, core) { return .ipv4 }
      }
    }
    if let first = shortest.first, ValueEncoder.isHexDigit(first) {
      if encodeHex(spans, core, letters: UInt8(ascii: "a")) { return .hex }
      if encodeHex(spans, core, letters: UInt8(ascii: "A")) { return .upperHex }
    }
    integers.removeAll(keepingCapacity: true)
    var byteCount = 0
    for span in spans {
      integers.append(Int64(Int(span.length) - prefix - suffix))
      byteCount += Int(span.length) - prefix - suffix
    }
    integers.withUnsafeBufferPointer { IntegerCodec.encode($0, into: &payload) }
    payload.reserveCapacity(payload.count + byteCount)
    for span in spans { payload.append(contentsOf: core(span)) }
    return .text
  }

  private mutating func finish(_ kind: ColumnCodec.Kind) -> ColumnCodec.Kind {
    integers.withUnsafeBufferPointer { IntegerCodec.encode($0, into: &payload) }
    return kind
  }

  private mutating func collect(
    _ spans: UnsafeBufferPointer<ByteSpan>, _ core: (ByteSpan) -> UnsafeBufferPointer<UInt8>,
    _ parse: (UnsafeBufferPointer<UInt8>) -> Int64?
  ) -> Bool {
    integers.removeAll(keepingCapacity: true)
    for span in spans {
      guard let value = parse(core(span)) else { return false }
      integers.append(value)
    }
    return true
  }

  /// The value of decimal text that this very number is written as; nil for `007`, `-0`, `+1` and what is no Int64.
  private static func canonicalInteger(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard (1...20).contains(text.count) else { return nil }
    let isNegative = text[0] == UInt8(ascii: "-")
    let start = isNegative ? 1 : 0
    guard start < text.count else { return nil }
    if text[start] == UInt8(ascii: "0") { return text.count == 1 ? 0 : nil }
    guard text.count - start <= 19 else { return nil }
    var magnitude: UInt64 = 0
    for index in start..<text.count {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      magnitude = magnitude * 10 + UInt64(digit)  // at most 19 digits: below 2^64
    }
    if isNegative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
    return Int64(exactly: magnitude)
  }

  private static func paddedInteger(_ text: UnsafeBufferPointer<UInt8>, width: Int) -> Int64? {
    guard text.count == width else { return nil }
    var value: Int64 = 0
    for byte in text {
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int64(digit)
    }
    return value
  }

  private static func decimal(_ text: UnsafeBufferPointer<UInt8>, places: Int) -> Int64? {
    let point = text.count - places - 1
    guard point >= 1, text.count <= 19, text[point] == UInt8(ascii: ".") else { return nil }
    if text[0] == UInt8(ascii: "0"), point > 1 { return nil }
    var value: Int64 = 0
    for index in text.indices where index != point {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int64(digit)
    }
    return value
  }

  /// Digits of any length whose value fits 64 bits, with leading zeros and a minus as they come.
  private mutating func encodeNumbers(
    _ spans: UnsafeBufferPointer<ByteSpan>, _ core: (ByteSpan) -> UnsafeBufferPointer<UInt8>
  ) -> Bool {
    integers.removeAll(keepingCapacity: true)
    codes.removeAll(keepingCapacity: true)
    var highest: UInt32 = 0
    for span in spans {
      let text = core(span)
      let isNegative = text.first == UInt8(ascii: "-")
      var index = isNegative ? 1 : 0
      guard index < text.count else { return false }
      let start = index
      while index < text.count - 1, text[index] == UInt8(ascii: "0") { index += 1 }
      let zeroCount = index - start
      guard zeroCount < 100 else { return false }
      var magnitude: UInt64 = 0
      while index < text.count {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return false }
        let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
        let (sum, overflowToo) = product.addingReportingOverflow(UInt64(digit))
        guard !overflow, !overflowToo else { return false }
        magnitude = sum
        index += 1
      }
      let code = UInt32(zeroCount * 2 + (isNegative ? 1 : 0))
      highest = max(highest, code)
      codes.append(code)
      integers.append(Int64(bitPattern: magnitude))
    }
    payload.append(UInt8(highest + 1))
    codes.withUnsafeBufferPointer { CodeCodec.encode($0, limit: Int(highest) + 1, into: &payload) }
    integers.withUnsafeBufferPointer { IntegerCodec.encode($0, into: &payload) }
    return true
  }

  private mutating func encodeAddresses(
    _ spans: UnsafeBufferPointer<ByteSpan>, _ core: (ByteSpan) -> UnsafeBufferPointer<UInt8>
  ) -> Bool {
    integers.removeAll(keepingCapacity: true)
    for span in spans {
      let text = core(span)
      guard (7...15).contains(text.count) else { return false }
      var address: Int64 = 0
      var octet = 0
      var digits = 0
      var points = 0
      for byte in text {
        if byte == UInt8(ascii: ".") {
          guard digits > 0 else { return false }
          address = address << 8 | Int64(octet)
          octet = 0
          digits = 0
          points += 1
        } else {
          let digit = Int(byte &- UInt8(ascii: "0"))
          guard digit < 10, digits == 0 || octet > 0 else { return false }
          octet = octet * 10 + digit
          digits += 1
          guard octet < 256 else { return false }
        }
      }
      guard points == 3, digits > 0 else { return false }
      integers.append(address << 8 | Int64(octet))
    }
    for shift in [24, 16, 8, 0] as [Int64] {
      for address in integers { payload.append(UInt8(truncatingIfNeeded: address >> shift)) }
    }
    return true
  }

  private mutating func encodeHex(
    _ spans: UnsafeBufferPointer<ByteSpan>, _ core: (ByteSpan) -> UnsafeBufferPointer<UInt8>, letters: UInt8
  ) -> Bool {
    for span in spans {
      for byte in core(span) {
        guard byte &- UInt8(ascii: "0") < 10 || byte &- letters < 6 else { return false }
      }
    }
    integers.removeAll(keepingCapacity: true)
    for span in spans { integers.append(Int64(core(span).count)) }
    integers.withUnsafeBufferPointer { IntegerCodec.encode($0, into: &payload) }
    var pending: UInt8 = 0
    var isHalf = false
    for span in spans {
      for byte in core(span) {
        let digit = byte &- UInt8(ascii: "0")
        let nibble = digit < 10 ? digit : byte &- letters + 10
        if isHalf {
          payload.append(pending | nibble << 4)
        } else {
          pending = nibble
        }
        isHalf.toggle()
      }
    }
    if isHalf { payload.append(pending) }
    return true
  }

  /// Appends the values' lengths, then their bytes.
  mutating func appendText(
    _ values: UnsafeBufferPointer<ByteSpan>, in bytes: UnsafeBufferPointer<UInt8>, into output: inout [UInt8]
  ) {
    integers.removeAll(keepingCapacity: true)
    for value in values { integers.append(Int64(value.length)) }
    integers.withUnsafeBufferPointer { IntegerCodec.encode($0, into: &output) }
    for value in values { output.append(contentsOf: bytes[value.range]) }
  }
}

// MARK: - Decoding

extension ColumnCodec {
  /// What stands before the values' own bytes.
  private struct Head {
    var kind: Kind
    var prefix: UnsafeBufferPointer<UInt8>
    var suffix: UnsafeBufferPointer<UInt8>

    init(from reader: inout ByteReader) throws(BlockError) {
      let tag = try reader.byte()
      guard let kind = Kind(rawValue: tag & ~affixFlag) else { throw reader.corrupt }
      self.kind = kind
      prefix = UnsafeBufferPointer(start: nil, count: 0)
      suffix = UnsafeBufferPointer(start: nil, count: 0)
      if tag & affixFlag != 0 {
        prefix = try reader.take(try reader.count(max: reader.remaining))
        suffix = try reader.take(try reader.count(max: reader.remaining))
      }
      if kind == .dictionary, affixByteCount > 0 { throw reader.corrupt }
    }

    var affixByteCount: Int { prefix.count + suffix.count }

    var affixes: tl_affixes {
      tl_affixes(
        prefix: prefix.baseAddress, prefix_count: prefix.count, suffix: suffix.baseAddress, suffix_count: suffix.count)
    }
  }

  /// A list's distinct values and codes, or its values, as stored.
  enum StoredValues {
    case dictionary(values: ValueList, codes: StoredCodes)
    case list(ValueList)

    var column: VariableColumn {
      switch self {
      case .dictionary(let values, let codes): .dictionary(values: values, codes: codes.expanded)
      case .list(let values): .list(values)
      }
    }
  }

  /// Values in working memory.
  struct DecodedValues {
    /// With `ValueList.padding` bytes behind the last.
    var bytes: UnsafeMutablePointer<UInt8>
    var byteCount = 0
    /// The distinct values', or one a value.
    var spans: UnsafeMutablePointer<tl_span>
    var spanCount: Int
    /// One a value; nil where `spans` are.
    var codes: UnsafeMutablePointer<UInt32>?

    fileprivate init(_ memory: WorkingMemory, count: Int, byteCountMax: Int) {
      bytes = memory.allocate(UInt8.self, byteCountMax)
      spans = memory.allocate(tl_span.self, count)
      spanCount = count
    }

    var slot: tl_slot { tl_slot(bytes: bytes, spans: spans, codes: codes) }

    var list: ValueList {
      // A `ByteSpan` lies in memory as a `tl_span` does; a test says so.
      let copies = [ByteSpan](unsafeUninitializedCapacity: spanCount) { output, initialized in
        if spanCount > 0 {
          UnsafeMutableRawPointer(output.baseAddress!).copyMemory(
            from: spans, byteCount: spanCount * MemoryLayout<ByteSpan>.stride)
        }
        initialized = spanCount
      }
      return ValueList(bytes: Array(UnsafeBufferPointer(start: bytes, count: byteCount)), spans: copies)
    }

    func column(count: Int) -> VariableColumn {
      guard let codes else { return .list(list) }
      return .dictionary(values: list, codes: Array(UnsafeBufferPointer(start: codes, count: count)))
    }
  }

  /// Reads `count` values to the end of `reader`, into working memory.
  ///
  /// - Parameters:
  ///   - byteCountMax: What the values can hold together; more is refused before memory is taken.
  ///   - times: Of the records that the values belong to, one a value, where `needsTimes` says so.
  static func decode(
    count: Int, byteCountMax: Int, times: UnsafePointer<Int64>?, in memory: WorkingMemory,
    from reader: inout ByteReader
  ) throws(BlockError) -> DecodedValues {
    let head = try Head(from: &reader)
    let values: DecodedValues
    switch head.kind {
    case .constant:
      var constant = DecodedValues(memory, count: 1, byteCountMax: head.affixByteCount)
      constant.byteCount = tl_format_slices(nil, [0], 1, head.affixes, constant.bytes, constant.spans)
      let codes = memory.allocate(UInt32.self, count)
      codes.update(repeating: 0, count: count)
      constant.codes = codes
      values = constant
    case .dictionary:
      let distinctCount = try reader.count(max: count)
      var distinct = try decodeText(
        count: distinctCount, byteCountMax: byteCountMax, head, in: memory, from: &reader)
      distinct.codes = try CodeCodec.decode(count: count, limit: distinctCount, in: memory, from: &reader)
      values = distinct
    default:
      values = try decodeList(head, count: count, byteCountMax: byteCountMax, times: times, in: memory, from: &reader)
    }
    try reader.expectEnd()
    return values
  }

  /// Reads `count` values to the end of `reader`, codes as they are stored.
  static func decodeStored(
    count: Int, byteCountMax: Int, times: [Int64]?, in memory: WorkingMemory, from reader: inout ByteReader
  ) throws(BlockError) -> StoredValues {
    var ahead = reader
    let head = try Head(from: &ahead)
    let values: StoredValues
    switch head.kind {
    case .constant:
      reader = ahead
      var list = ValueList()
      list.append(Array(head.prefix) + Array(head.suffix))
      values = .dictionary(values: list, codes: StoredCodes(count: count, limit: 1, .zeros))
    case .dictionary:
      reader = ahead
      let distinctCount = try reader.count(max: count)
      let distinct = try decodeText(count: distinctCount, byteCountMax: byteCountMax, head, in: memory, from: &reader)
      let codes = try CodeCodec.decode(count: count, limit: distinctCount, from: &reader)
      values = .dictionary(values: distinct.list, codes: codes)
    default:
      guard times == nil || times?.count == count else { throw reader.corrupt }
      reader = ahead
      var failure: BlockError?
      var list = ValueList()
      // `withUnsafeBufferPointer` of an optional: none is none.
      (times ?? []).withUnsafeBufferPointer { pointer in
        do throws(BlockError) {
          list = try decodeList(
            head, count: count, byteCountMax: byteCountMax, times: times == nil ? nil : pointer.baseAddress,
            in: memory, from: &reader
          ).list
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      values = .list(list)
    }
    try reader.expectEnd()
    return values
  }

  private static func decodeList(
    _ head: Head, count: Int, byteCountMax: Int, times: UnsafePointer<Int64>?, in memory: WorkingMemory,
    from reader: inout ByteReader
  ) throws(BlockError) -> DecodedValues {
    // The affixes are counted by themselves: a few bytes must not be able to ask for gigabytes.
    let affixByteCount = head.affixByteCount
    guard affixByteCount == 0 || count <= byteCountMax / affixByteCount else { throw reader.corrupt }
    let affixes = head.affixes
    func room(_ widthMax: Int) -> DecodedValues {
      DecodedValues(memory, count: count, byteCountMax: count * (widthMax + affixByteCount))
    }
    var values: DecodedValues
    switch head.kind {
    case .text, .constant, .dictionary:
      values = try decodeText(count: count, byteCountMax: byteCountMax, head, in: memory, from: &reader)
    case .integer:
      let integers = try IntegerCodec.decode(count: count, in: memory, from: &reader)
      values = room(20)
      values.byteCount = tl_format_integers(integers, count, affixes, values.bytes, values.spans)
    case .padded:
      let width = Int(try reader.byte())
      guard width <= 18, width * count <= byteCountMax else { throw reader.corrupt }
      let integers = try IntegerCodec.decode(count: count, in: memory, from: &reader)
      for index in 0..<count where integers[index] < 0 || integers[index] >= powersOfTen[width] {
        throw reader.corrupt
      }
      values = room(width)
      values.byteCount = tl_format_padded(integers, count, UInt32(width), affixes, values.bytes, values.spans)
    case .decimal:
      let places = Int(try reader.byte())
      guard (1...9).contains(places) else { throw reader.corrupt }
      let integers = try IntegerCodec.decode(count: count, in: memory, from: &reader)
      for index in 0..<count where integers[index] < 0 { throw reader.corrupt }
      values = room(21)
      values.byteCount = tl_format_decimals(integers, count, UInt32(places), affixes, values.bytes, values.spans)
    case .ipv4:
      guard count <= reader.remaining / 4 else { throw reader.corrupt }
      let planes = try reader.take(count * 4)
      values = room(15)
      values.byteCount = tl_format_addresses(planes.baseAddress, count, affixes, values.bytes, values.spans)
    case .number:
      let limit = Int(try reader.byte())
      let codes = try CodeCodec.decode(count: count, limit: limit, in: memory, from: &reader)
      let integers = try IntegerCodec.decode(count: count, in: memory, from: &reader)
      values = room(21 + limit / 2)
      values.byteCount = tl_format_numbers(integers, codes, count, affixes, values.bytes, values.spans)
    case .timestamp:
      let layout = try decodeLayout(from: &reader)
      guard affixByteCount == 0, count <= byteCountMax / max(1, layout.byteCount), let times else {
        throw reader.corrupt
      }
      let distances = try IntegerCodec.decode(count: count, in: memory, from: &reader)
      values = room(layout.byteCount)
      guard layout.write(distances: distances, from: times, count: count, to: values.bytes) else {
        throw reader.corrupt
      }
      for index in 0..<count {
        values.spans[index] = tl_span(offset: UInt32(index * layout.byteCount), length: UInt32(layout.byteCount))
      }
      values.byteCount = count * layout.byteCount
    case .hex, .upperHex:
      let (lengths, total) = try decodeLengths(
        count: count, byteCountMax: reader.remaining * 2, in: memory, from: &reader)
      let packed = try reader.take((total + 1) / 2)
      let letters = head.kind == .hex ? UInt8(ascii: "a") : UInt8(ascii: "A")
      if affixByteCount > 0 {
        let digits = memory.allocate(UInt8.self, total)
        tl_hex_digits(packed.baseAddress, total, letters, digits)
        values = DecodedValues(memory, count: count, byteCountMax: total + count * affixByteCount)
        values.byteCount = tl_format_slices(digits, lengths, count, affixes, values.bytes, values.spans)
      } else {
        values = DecodedValues(memory, count: count, byteCountMax: total)
        tl_hex_digits(packed.baseAddress, total, letters, values.bytes)
        values.byteCount = Int(tl_spans(lengths, count, 0, values.spans))
      }
    }
    return values
  }

  private static func decodeLayout(from reader: inout ByteReader) throws(BlockError) -> TimestampLayout {
    let pieces = try reader.array(Int(try reader.byte()))
    guard let layout = TimestampLayout(pieces: pieces) else { throw reader.corrupt }
    return layout
  }

  private static func hexDigits(_ packed: UnsafeBufferPointer<UInt8>, count: Int, _ kind: Kind) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      if count > 0 {
        tl_hex_digits(
          packed.baseAddress, count, kind == .hex ? UInt8(ascii: "a") : UInt8(ascii: "A"), output.baseAddress)
      }
      initialized = count
    }
  }

  private static let powersOfTen: [Int64] = (0...18).map { (0..<$0).reduce(Int64(1)) { power, _ in power * 10 } }

  /// Lengths that together are at most `byteCountMax`.
  private static func decodeLengths(
    count: Int, byteCountMax: Int, in memory: WorkingMemory, from reader: inout ByteReader
  ) throws(BlockError) -> (lengths: UnsafeMutablePointer<Int64>, total: Int) {
    let lengths = try IntegerCodec.decode(count: count, in: memory, from: &reader)
    let total = tl_sum_lengths(lengths, count, Int64(byteCountMax))
    guard total >= 0 else { throw reader.corrupt }
    return (lengths, Int(total))
  }

  private static func decodeText(
    count: Int, byteCountMax: Int, _ head: Head?, in memory: WorkingMemory, from reader: inout ByteReader
  ) throws(BlockError) -> DecodedValues {
    let (lengths, total) = try decodeLengths(
      count: count, byteCountMax: min(byteCountMax, reader.remaining), in: memory, from: &reader)
    let text = try reader.take(total)
    let affixByteCount = head?.affixByteCount ?? 0
    var values = DecodedValues(memory, count: count, byteCountMax: total + count * affixByteCount)
    if let head, affixByteCount > 0 {
      values.byteCount = tl_format_slices(
        text.baseAddress, lengths, count, head.affixes, values.bytes, values.spans)
    } else {
      if let base = text.baseAddress { values.bytes.update(from: base, count: total) }
      values.byteCount = Int(tl_spans(lengths, count, 0, values.spans))
    }
    return values
  }

  /// Values as a dictionary's are stored: lengths, then bytes.
  static func decodeValues(
    count: Int, in memory: WorkingMemory, from reader: inout ByteReader
  ) throws(BlockError) -> ValueList {
    try decodeText(count: count, byteCountMax: reader.remaining, nil, in: memory, from: &reader).list
  }

  // MARK: - One value

  /// Appends value `index` of `count`, reading as little as its form allows.
  ///
  /// - Parameter time: Of its record; used where `needsTimes` says so.
  static func appendValue(
    _ index: Int, of count: Int, byteCountMax: Int, time: Int64, in memory: WorkingMemory,
    from reader: inout ByteReader, to bytes: inout [UInt8]
  ) throws(BlockError) {
    let head = try Head(from: &reader)
    var core = reader
    bytes.append(contentsOf: head.prefix)
    switch head.kind {
    case .constant: break
    case .dictionary:
      let distinctCount = try core.count(max: count)
      let (lengths, total) = try decodeLengths(
        count: distinctCount, byteCountMax: min(byteCountMax, core.remaining), in: memory, from: &core)
      let text = try core.take(total)
      let code = try CodeCodec.decode(count: count, limit: distinctCount, from: &core)[index]
      appendSlice(code, of: text, lengths, to: &bytes)
    case .text:
      let (before, length) = try place(index, of: count, byteCountMax: min(byteCountMax, core.remaining), from: &core)
      _ = try core.take(before)
      bytes.append(contentsOf: try core.take(length))
    case .hex, .upperHex:
      let (before, length) = try place(index, of: count, byteCountMax: core.remaining * 2, from: &core)
      _ = try core.take(before / 2)
      let packed = try core.take((length + (before & 1) + 1) / 2)
      bytes.append(contentsOf: hexDigits(packed, count: length + before & 1, head.kind)[(before & 1)...])
    case .integer:
      let value = try integer(index, of: count, from: &core)
      appendFormatted(21, to: &bytes) { tl_format_integers([value], 1, tl_affixes(), $0, $1) }
    case .padded:
      let width = Int(try core.byte())
      guard width <= 18 else { throw core.corrupt }
      let value = try integer(index, of: count, from: &core)
      guard value >= 0, value < powersOfTen[width] else { throw core.corrupt }
      appendFormatted(18, to: &bytes) { tl_format_padded([value], 1, UInt32(width), tl_affixes(), $0, $1) }
    case .decimal:
      let places = Int(try core.byte())
      guard (1...9).contains(places) else { throw core.corrupt }
      let value = try integer(index, of: count, from: &core)
      guard value >= 0 else { throw core.corrupt }
      appendFormatted(21, to: &bytes) { tl_format_decimals([value], 1, UInt32(places), tl_affixes(), $0, $1) }
    case .number:
      let limit = Int(try core.byte())
      let code = UInt32(try CodeCodec.decode(count: count, limit: limit, from: &core)[index])
      let value = try integer(index, of: count, from: &core)
      appendFormatted(21 + limit / 2, to: &bytes) { tl_format_numbers([value], [code], 1, tl_affixes(), $0, $1) }
    case .ipv4:
      guard count <= core.remaining / 4 else { throw core.corrupt }
      let planes = try core.take(count * 4)
      let octets = (0..<4).map { planes[$0 * count + index] }
      appendFormatted(15, to: &bytes) { tl_format_addresses(octets, 1, tl_affixes(), $0, $1) }
    case .timestamp:
      let layout = try decodeLayout(from: &core)
      let distance = try integer(index, of: count, from: &core)
      var isWhole = false
      appendFormatted(layout.byteCount, to: &bytes) { output, _ in
        isWhole = layout.write(distances: [distance], from: [time], count: 1, to: output)
        return isWhole ? layout.byteCount : 0
      }
      guard isWhole else { throw core.corrupt }
    }
    bytes.append(contentsOf: head.suffix)
  }

  private static func integer(
    _ index: Int, of count: Int, from reader: inout ByteReader
  ) throws(BlockError) -> Int64 {
    try IntegerCodec.decode(first: index + 1, of: count, from: &reader)[index]
  }

  /// Where a piece of text lies, by its length and those before it; `reader` is left behind all lengths.
  private static func place(
    _ index: Int, of count: Int, byteCountMax: Int, from reader: inout ByteReader
  ) throws(BlockError) -> (before: Int, length: Int) {
    let lengths = try IntegerCodec.decode(first: index + 1, of: count, from: &reader)
    try IntegerCodec.skip(count: count - lengths.count, from: &reader)
    let before = tl_sum_lengths(lengths, index, Int64(byteCountMax))
    guard before >= 0, lengths[index] >= 0, lengths[index] <= Int64(byteCountMax) - before else { throw reader.corrupt }
    return (Int(before), Int(lengths[index]))
  }

  private static func appendSlice(
    _ index: Int, of text: UnsafeBufferPointer<UInt8>, _ lengths: UnsafePointer<Int64>, to bytes: inout [UInt8]
  ) {
    var start = 0
    for before in 0..<index { start += Int(lengths[before]) }
    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<start + Int(lengths[index])]))
  }

  private static func appendFormatted(
    _ byteCountMax: Int, to bytes: inout [UInt8],
    _ write: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<tl_span>) -> Int
  ) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: byteCountMax + ValueList.padding) { output in
      var span = tl_span()
      let count = write(output.baseAddress!, &span)
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: output[..<count]))
    }
  }

  // MARK: - Whether a literal occurs

  /// Whether one of `count` values may hold `literal`, which is not empty; false only if none does. No value is made.
  static func mayContain(
    _ literal: [UInt8], ignoringCase: Bool, count: Int, in memory: WorkingMemory, from reader: inout ByteReader
  ) throws(BlockError) -> Bool {
    let head = try Head(from: &reader)
    if head.kind == .constant {
      return (Array(head.prefix) + Array(head.suffix)).withUnsafeBufferPointer {
        $0.contains(literal, ignoringCase: ignoringCase)
      }
    }
    let core = try core(of: head, count: count, in: memory, from: &reader)
    if core.mayContain(literal[...], ignoringCase: ignoringCase) { return true }
    guard head.affixByteCount > 0 else { return false }
    for affix in [head.prefix, head.suffix] where affix.contains(literal, ignoringCase: ignoringCase) { return true }
    func isEnd(_ part: ArraySlice<UInt8>, of affix: UnsafeBufferPointer<UInt8>) -> Bool {
      affix.count >= part.count
        && UnsafeBufferPointer(rebasing: affix.suffix(part.count)).contains(Array(part), ignoringCase: ignoringCase)
    }
    func isStart(_ part: ArraySlice<UInt8>, of affix: UnsafeBufferPointer<UInt8>) -> Bool {
      affix.count >= part.count
        && UnsafeBufferPointer(rebasing: affix.prefix(part.count)).contains(Array(part), ignoringCase: ignoringCase)
    }
    // Across an affix and what is between them.
    for length in 1..<literal.count {
      let (start, end) = (literal[..<length], literal[length...])
      if isStart(end, of: head.suffix), core.mayContain(start, ignoringCase: ignoringCase) { return true }
      guard isEnd(start, of: head.prefix) else { continue }
      for middle in end.indices where core.mayContain(end[...middle], ignoringCase: ignoringCase) {
        if isStart(end[(middle + 1)...], of: head.suffix) { return true }
      }
      if isStart(end, of: head.suffix) { return true }
    }
    return false
  }

  /// What can be asked of the bytes between the affixes without making the values.
  private enum Core {
    /// The values' own bytes, one after another.
    case text(UnsafeBufferPointer<UInt8>)
    case digits([UInt8])
    /// Digits, points and minuses.
    case numbers
    case unknown

    func mayContain(_ part: ArraySlice<UInt8>, ignoringCase: Bool) -> Bool {
      switch self {
      case .text(let bytes): bytes.contains(Array(part), ignoringCase: ignoringCase)
      case .digits(let bytes):
        bytes.withUnsafeBufferPointer { $0.contains(Array(part), ignoringCase: ignoringCase) }
      case .numbers:
        part.allSatisfy { $0 &- UInt8(ascii: "0") < 10 || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
      case .unknown: true
      }
    }
  }

  private static func core(
    of head: Head, count: Int, in memory: WorkingMemory, from reader: inout ByteReader
  ) throws(BlockError) -> Core {
    switch head.kind {
    case .constant, .timestamp: return .unknown
    case .integer, .padded, .ipv4, .decimal, .number: return .numbers
    case .dictionary:
      let distinctCount = try reader.count(max: count)
      let (_, total) = try decodeLengths(
        count: distinctCount, byteCountMax: reader.remaining, in: memory, from: &reader)
      return .text(try reader.take(total))
    case .text:
      try IntegerCodec.skip(count: count, from: &reader)
      return .text(try reader.take(reader.remaining))
    case .hex, .upperHex:
      try IntegerCodec.skip(count: count, from: &reader)
      let packed = try reader.take(reader.remaining)
      return .digits(hexDigits(packed, count: packed.count * 2, head.kind))
    }
  }
}
