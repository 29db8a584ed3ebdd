import CKernels
import Domain

/// Where the parsers put records: the columns of `ParsedRecords`, with equal names, field sets and streams stored once.
///
/// A record is put in two steps: its fields one by one between `beginFields` and `endFields`, which answer what stands
/// for them from then on, then `append` with its time and message.
struct RecordSink {
  /// What stands for a set of fields: its place in the tables and the severity it states.
  struct FieldSet {
    var fieldSet: UInt32
    var stream: UInt32
    var severity: Severity?
  }

  enum NameRole: UInt8 { case plain, label, kubernetesLabel, otherLabel }

  private struct Name {
    var span: ByteSpan
    var role: NameRole
    var isLevel: Bool
  }

  private(set) var records = ParsedRecords()
  private let streamFields: StreamFields
  private var extras: [FieldSpan] = []

  private var names: [Name] = []
  private var nameIndex = HashIndex()
  private var staticNames: [(address: UInt, number: Int)] = []
  private var fieldSetIndex = HashIndex()
  private var fieldSetResults: [FieldSet] = []
  private var streamIndex = HashIndex()

  private var fields: [FieldSpan] = []
  private var labels: [FieldSpan] = []
  private var otherLabels: [FieldSpan] = []
  private var hasKubernetesLabel = false
  private var severity: Severity?
  private var bytesBefore = 0

  init(streamFields: StreamFields, extraFields: [Field], byteCount: Int) {
    self.streamFields = streamFields
    records.bytes.reserveCapacity(byteCount)
    for field in extraFields {
      let name = appendBytes(field.name)
      extras.append(FieldSpan(name: name, value: appendBytes(field.value)))
    }
  }

  private mutating func appendBytes(_ bytes: [UInt8]) -> ByteSpan {
    let start = records.bytes.count
    records.bytes += bytes
    return ByteSpan(start..<records.bytes.count)
  }

  /// Near the 4 GiB that spans reach: one record more of the largest size might not fit.
  var isFull: Bool { records.bytes.count > 0xE000_0000 }

  var fieldCount: Int { fields.count }

  // MARK: Fields

  mutating func beginFields() {
    fields.removeAll(keepingCapacity: true)
    labels.removeAll(keepingCapacity: true)
    otherLabels.removeAll(keepingCapacity: true)
    hasKubernetesLabel = false
    severity = nil
    bytesBefore = records.bytes.count
  }

  /// Forgets the fields since `beginFields`.
  mutating func abandonFields() { truncate(to: bytesBefore) }

  /// Adds a field whose value `write` appends to the bytes.
  @inline(__always)
  mutating func addField(_ name: UnsafeBufferPointer<UInt8>, _ write: (inout [UInt8]) -> Void) {
    let number = nameNumber(name)
    let start = records.bytes.count
    write(&records.bytes)
    addValue(name: number, start: start)
  }

  /// Adds a field with a copy of `value`.
  mutating func addField(_ name: StaticString, _ value: UnsafeBufferPointer<UInt8>) {
    let number = nameNumber(name)
    let start = records.bytes.count
    records.bytes.append(contentsOf: value)
    addValue(name: number, start: start)
  }

  /// Names in the program's text are few, and known by where they stand there.
  private mutating func nameNumber(_ name: StaticString) -> Int {
    let address = UInt(bitPattern: name.utf8Start)
    for known in staticNames where known.address == address { return known.number }
    let number = nameNumber(name.buffer)
    staticNames.append((address, number))
    return number
  }

  private mutating func addValue(name number: Int, start: Int) {
    let name = names[number]
    let value = ByteSpan(start..<records.bytes.count)
    let field = FieldSpan(name: name.span, value: value)
    fields.append(field)
    if name.isLevel, severity == nil {
      severity = records.bytes.withUnsafeBufferPointer { bytes in
        SeverityDetector.severity(fieldName: bytes.part(name.span.range), value: bytes.part(value.range))
      }
    }
    // A label that is empty or no name of anything would make a stream of its own for every record.
    guard name.role != .plain, value.length > 0, value.length <= 1024 else { return }
    switch name.role {
    case .plain: break
    case .label: labels.append(field)
    case .kubernetesLabel:
      labels.append(field)
      hasKubernetesLabel = true
    case .otherLabel: otherLabels.append(field)
    }
  }

  private mutating func nameNumber(_ name: UnsafeBufferPointer<UInt8>) -> Int {
    let hash = tl_hash64(name.baseAddress, name.count, 0)
    var slot = nameIndex.start(hash)
    while let number = nameIndex.next(hash, &slot) {
      if RecordSink.equal(names[number].span, name, in: records.bytes) { return number }
    }
    let start = records.bytes.count
    records.bytes.append(contentsOf: name)
    names.append(
      Name(
        span: ByteSpan(start..<records.bytes.count), role: role(of: name),
        isLevel: SeverityDetector.numbers(fieldName: name) != nil))
    nameIndex.insert(hash, names.count - 1)
    return names.count - 1
  }

  private func role(of name: UnsafeBufferPointer<UInt8>) -> NameRole {
    if streamFields.always.contains(where: { name.elementsEqual($0.utf8) }) {
      return ByteReader(name).hasPrefix("kubernetes.") ? .kubernetesLabel : .label
    }
    return streamFields.otherwise.contains(where: { name.elementsEqual($0.utf8) }) ? .otherLabel : .plain
  }

  /// Ends the fields of a record.
  mutating func endFields() -> FieldSet {
    if !hasKubernetesLabel { labels += otherLabels }
    for extra in extras where !has(extra.name) {
      fields.append(extra)
      labels.append(extra)
    }
    let hash = RecordSink.hash(fields, in: records.bytes)
    var slot = fieldSetIndex.start(hash)
    while let number = fieldSetIndex.next(hash, &slot) {
      if RecordSink.equal(records.fieldSetTable[number], fields, in: records.bytes) {
        truncate(to: bytesBefore)
        return fieldSetResults[number]
      }
    }
    let result = FieldSet(fieldSet: UInt32(records.fieldSetTable.count), stream: streamNumber(), severity: severity)
    fieldSetIndex.insert(hash, records.fieldSetTable.count)
    records.fieldSetTable.append(fields)
    fieldSetResults.append(result)
    return result
  }

  private func has(_ name: ByteSpan) -> Bool {
    for field in fields where RecordSink.equal(field.name, name, in: records.bytes) { return true }
    return false
  }

  private mutating func streamNumber() -> UInt32 {
    let hash = RecordSink.hash(labels, in: records.bytes)
    var slot = streamIndex.start(hash)
    while let number = streamIndex.next(hash, &slot) {
      if RecordSink.equal(records.streamTable[number], labels, in: records.bytes) { return UInt32(number) }
    }
    streamIndex.insert(hash, records.streamTable.count)
    records.streamTable.append(labels)
    return UInt32(records.streamTable.count - 1)
  }

  // MARK: Records

  /// Appends bytes of a message; `append` says where it starts.
  @inline(__always)
  mutating func appendMessage(_ write: (inout [UInt8]) -> Void) -> ByteSpan {
    let start = records.bytes.count
    write(&records.bytes)
    return ByteSpan(start..<records.bytes.count)
  }

  @inline(__always)
  mutating func append(time: Timestamp, message: ByteSpan, fields: FieldSet, severity: Severity? = nil) {
    let found =
      fields.severity ?? severity
      ?? records.bytes.withUnsafeBufferPointer { SeverityDetector.severity(message: $0.part(message.range)) }
    records.times.append(time.nanoseconds)
    records.severities.append(found)
    records.messages.append(message)
    records.streams.append(fields.stream)
    records.fieldSets.append(fields.fieldSet)
  }

  // MARK: Bytes

  /// Drops what a record left behind, but not a name: names are shared with the records that follow.
  private mutating func truncate(to byteCount: Int) {
    var keep = byteCount
    if let last = names.last { keep = max(keep, Int(last.span.offset + last.span.length)) }
    if records.bytes.count > keep { records.bytes.removeLast(records.bytes.count - keep) }
  }

  // Static, over the bytes alone: a method that reads `self` between its changes makes the compiler copy the whole
  // sink.

  private static func hash(_ fields: [FieldSpan], in bytes: [UInt8]) -> UInt64 {
    bytes.withUnsafeBufferPointer { bytes in
      var hash = UInt64(fields.count)
      for field in fields {
        hash = tl_hash64(bytes.part(field.name.range).baseAddress, Int(field.name.length), hash)
        hash = tl_hash64(bytes.part(field.value.range).baseAddress, Int(field.value.length), hash)
      }
      return hash
    }
  }

  private static func equal(_ left: [FieldSpan], _ right: [FieldSpan], in bytes: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    for index in left.indices {
      guard equal(left[index].name, right[index].name, in: bytes),
        equal(left[index].value, right[index].value, in: bytes)
      else { return false }
    }
    return true
  }

  private static func equal(_ left: ByteSpan, _ right: ByteSpan, in bytes: [UInt8]) -> Bool {
    left == right || bytes.withUnsafeBufferPointer { equal(left, $0.part(right.range), in: bytes) }
  }

  private static func equal(_ left: ByteSpan, _ right: UnsafeBufferPointer<UInt8>, in bytes: [UInt8]) -> Bool {
    Int(left.length) == right.count && bytes.withUnsafeBufferPointer { $0.part(left.range).elementsEqual(right) }
  }
}
