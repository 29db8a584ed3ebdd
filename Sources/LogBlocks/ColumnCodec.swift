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

  /// Whether the values encoded from `offset` on are known only together with their records' times.
  static func needsTimes(_ bytes: [UInt8], at offset: Int) -> Bool {
    offset < bytes.count && bytes[offset] & ~affixFlag == Kind.timestamp.rawValue
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

  private mutating func appendText(
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
  /// Reads `count` values to the end of `reader`.
  ///
  /// - Parameters:
  ///   - byteCountMax: What the values can hold together; more is refused before memory is taken.
  ///   - times: Of the records that the values belong to, one a value, where `needsTimes` says so.
  static func decode(
    count: Int, byteCountMax: Int, times: [Int64]?, from reader: inout ByteReader
  ) throws(BlockError) -> VariableColumn {
    let tag = try reader.byte()
    guard let kind = Kind(rawValue: tag & ~affixFlag) else { throw reader.corrupt }
    var prefix: [UInt8] = []
    var suffix: [UInt8] = []
    if tag & affixFlag != 0 {
      prefix = try reader.array(try reader.count(max: reader.remaining))
      suffix = try reader.array(try reader.count(max: reader.remaining))
    }
    if kind == .constant {
      try reader.expectEnd()
      var values = ValueList()
      values.append(prefix + suffix)
      return .dictionary(values: values, codes: [UInt32](repeating: 0, count: count))
    }
    if kind == .dictionary {
      guard prefix.isEmpty, suffix.isEmpty else { throw reader.corrupt }
      let distinctCount = try reader.count(max: count)
      let values = try decodeText(count: distinctCount, byteCountMax: byteCountMax, prefix, suffix, from: &reader)
      let codes = try CodeCodec.decode(count: count, limit: distinctCount, from: &reader)
      try reader.expectEnd()
      return .dictionary(values: values, codes: codes)
    }
    // The affixes are counted by themselves: a few bytes must not be able to ask for gigabytes.
    let affixByteCount = prefix.count + suffix.count
    guard affixByteCount == 0 || count <= byteCountMax / affixByteCount else { throw reader.corrupt }
    let values: ValueList
    switch kind {
    case .text, .constant, .dictionary:
      values = try decodeText(count: count, byteCountMax: byteCountMax, prefix, suffix, from: &reader)
    case .integer:
      let integers = try IntegerCodec.decode(count: count, from: &reader)
      let width = integers.reduce(1) { max($0, digitCount($1.magnitude) + ($1 < 0 ? 1 : 0)) }
      values = build(count: count, widthMax: width, prefix, suffix) { writeInteger(integers[$0], to: $1) }
    case .padded:
      let width = Int(try reader.byte())
      guard width <= 18, width * count <= byteCountMax else { throw reader.corrupt }
      let integers = try IntegerCodec.decode(count: count, from: &reader)
      for value in integers where value < 0 || value >= powersOfTen[width] { throw reader.corrupt }
      values = build(count: count, widthMax: width, prefix, suffix) {
        writeDigits(UInt64(integers[$0]), width: width, to: $1)
        return width
      }
    case .decimal:
      let places = Int(try reader.byte())
      guard (1...9).contains(places) else { throw reader.corrupt }
      let integers = try IntegerCodec.decode(count: count, from: &reader)
      for value in integers where value < 0 { throw reader.corrupt }
      let scale = powersOfTen[places]
      values = build(count: count, widthMax: 21, prefix, suffix) {
        let (whole, fraction) = integers[$0].quotientAndRemainder(dividingBy: scale)
        let width = writeInteger(whole, to: $1)
        $1[width] = UInt8(ascii: ".")
        writeDigits(UInt64(fraction), width: places, to: $1 + width + 1)
        return width + 1 + places
      }
    case .ipv4:
      guard count <= reader.remaining / 4 else { throw reader.corrupt }
      let planes = try reader.take(count * 4)
      values = build(count: count, widthMax: 15, prefix, suffix) {
        var width = writeInteger(Int64(planes[$0]), to: $1)
        for plane in 1..<4 {
          $1[width] = UInt8(ascii: ".")
          width += 1 + writeInteger(Int64(planes[plane * count + $0]), to: $1 + width + 1)
        }
        return width
      }
    case .number:
      let limit = Int(try reader.byte())
      let codes = try CodeCodec.decode(count: count, limit: limit, from: &reader)
      let integers = try IntegerCodec.decode(count: count, from: &reader)
      values = build(count: count, widthMax: 21 + limit / 2, prefix, suffix) {
        let code = Int(codes[$0])
        var width = 0
        if code & 1 == 1 {
          $1[0] = UInt8(ascii: "-")
          width = 1
        }
        for _ in 0..<code / 2 {
          $1[width] = UInt8(ascii: "0")
          width += 1
        }
        let magnitude = UInt64(bitPattern: integers[$0])
        let digits = digitCount(magnitude)
        writeDigits(magnitude, width: digits, to: $1 + width)
        return width + digits
      }
    case .timestamp:
      let pieces = try reader.array(Int(try reader.byte()))
      guard let layout = TimestampLayout(pieces: pieces), count <= byteCountMax / max(1, layout.byteCount),
        let times, times.count == count
      else { throw reader.corrupt }
      let distances = try IntegerCodec.decode(count: count, from: &reader)
      var day = TimestampLayout.Day()
      var isWhole = true
      values = build(count: count, widthMax: layout.byteCount, prefix, suffix) {
        if layout.write(distance: distances[$0], from: times[$0], to: $1, &day) { return layout.byteCount }
        isWhole = false
        return 0
      }
      guard isWhole else { throw reader.corrupt }
    case .hex, .upperHex:
      values = try decodeHex(
        count: count, letters: kind == .hex ? UInt8(ascii: "a") : UInt8(ascii: "A"), prefix, suffix, from: &reader)
    }
    try reader.expectEnd()
    return .list(values)
  }

  private static let powersOfTen: [Int64] = (0...18).map { (0..<$0).reduce(Int64(1)) { power, _ in power * 10 } }

  /// Values between a prefix and a suffix; `write` writes the core of one, at most `widthMax` bytes, and tells how
  /// many.
  @inline(__always)
  private static func build(
    count: Int, widthMax: Int, _ prefix: [UInt8], _ suffix: [UInt8], _ write: (Int, UnsafeMutablePointer<UInt8>) -> Int
  ) -> ValueList {
    var spans: [ByteSpan] = []
    spans.reserveCapacity(count)
    let capacity = count * (widthMax + prefix.count + suffix.count)
    let bytes = [UInt8](unsafeUninitializedCapacity: max(1, capacity)) { output, initialized in
      let base = output.baseAddress!
      var end = 0
      for index in 0..<count {
        let start = end
        for byte in prefix {
          base[end] = byte
          end += 1
        }
        end += write(index, base + end)
        for byte in suffix {
          base[end] = byte
          end += 1
        }
        spans.append(ByteSpan(offset: UInt32(start), length: UInt32(end - start)))
      }
      initialized = end
    }
    return ValueList(bytes: bytes, spans: spans)
  }

  /// Lengths that together are at most `byteCountMax`.
  private static func decodeLengths(
    count: Int, byteCountMax: Int, from reader: inout ByteReader
  ) throws(BlockError) -> (lengths: [Int64], total: Int) {
    let lengths = try IntegerCodec.decode(count: count, from: &reader)
    var total = 0
    for length in lengths {
      guard length >= 0, length <= Int64(byteCountMax - total) else { throw reader.corrupt }
      total += Int(length)
    }
    return (lengths, total)
  }

  private static func decodeText(
    count: Int, byteCountMax: Int, _ prefix: [UInt8], _ suffix: [UInt8], from reader: inout ByteReader
  ) throws(BlockError) -> ValueList {
    let (lengths, total) = try decodeLengths(
      count: count, byteCountMax: min(byteCountMax, reader.remaining), from: &reader)
    let text = try reader.take(total)
    if prefix.isEmpty, suffix.isEmpty {
      var offset: UInt32 = 0
      let spans = lengths.map { length in
        defer { offset += UInt32(length) }
        return ByteSpan(offset: offset, length: UInt32(length))
      }
      return ValueList(bytes: Array(text), spans: spans)
    }
    var list = ValueList()
    list.spans.reserveCapacity(count)
    list.bytes.reserveCapacity(total + count * (prefix.count + suffix.count))
    var offset = 0
    for length in lengths {
      let start = list.bytes.count
      list.bytes.append(contentsOf: prefix)
      list.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[offset..<offset + Int(length)]))
      list.bytes.append(contentsOf: suffix)
      offset += Int(length)
      list.spans.append(ByteSpan(start..<list.bytes.count))
    }
    return list
  }

  private static func decodeHex(
    count: Int, letters: UInt8, _ prefix: [UInt8], _ suffix: [UInt8], from reader: inout ByteReader
  ) throws(BlockError) -> ValueList {
    let (lengths, total) = try decodeLengths(count: count, byteCountMax: reader.remaining * 2, from: &reader)
    let packed = try reader.take((total + 1) / 2)
    var list = ValueList()
    list.spans.reserveCapacity(count)
    list.bytes.reserveCapacity(total + count * (prefix.count + suffix.count))
    var position = 0
    for length in lengths {
      let start = list.bytes.count
      list.bytes.append(contentsOf: prefix)
      for _ in 0..<length {
        let nibble = (packed[position >> 1] >> UInt8((position & 1) * 4)) & 0x0F
        list.bytes.append(nibble < 10 ? UInt8(ascii: "0") + nibble : letters + nibble - 10)
        position += 1
      }
      list.bytes.append(contentsOf: suffix)
      list.spans.append(ByteSpan(start..<list.bytes.count))
    }
    return list
  }

  /// Writes the decimal text of `value` and returns its length.
  @inline(__always)
  private static func writeInteger(_ value: Int64, to output: UnsafeMutablePointer<UInt8>) -> Int {
    let magnitude = value.magnitude
    let width = digitCount(magnitude)
    guard value < 0 else {
      writeDigits(magnitude, width: width, to: output)
      return width
    }
    output[0] = UInt8(ascii: "-")
    writeDigits(magnitude, width: width, to: output + 1)
    return width + 1
  }

  @inline(__always)
  static func writeDigits(_ value: UInt64, width: Int, to output: UnsafeMutablePointer<UInt8>) {
    var rest = value
    var index = width
    // Two digits a division.
    while index >= 2 {
      index -= 2
      let quotient = rest / 100
      let pair = UInt8(truncatingIfNeeded: rest &- quotient &* 100)
      let tens = pair / 10
      output[index] = UInt8(ascii: "0") &+ tens
      output[index + 1] = UInt8(ascii: "0") &+ (pair &- tens &* 10)
      rest = quotient
    }
    if index == 1 { output[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10) }
  }

  private static func digitCount(_ value: UInt64) -> Int {
    if value < 10 { return 1 }
    if value < 100 { return 2 }
    if value < 1000 { return 3 }
    if value < 10_000 { return 4 }
    var width = 4
    var rest = value / 10_000
    while rest > 0 {
      width += 1
      rest /= 10
    }
    return width
  }
}
