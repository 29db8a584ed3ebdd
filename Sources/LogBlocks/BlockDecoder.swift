internal import CKernels
package import Domain

/// A stored block as a `RecordSource`: reads a column when it is first needed, and keeps it.
///
/// An instance is used by one thread at a time: it fills its caches without a lock.
package final class BlockDecoder: RecordSource {
  package let summary: BlockSummary
  /// Stored bytes read so far: what a query cost.
  package private(set) var loadedByteCount = 0

  private let load: (String) throws -> [UInt8]
  private let decompressor: Decompressor
  var memory: WorkingMemory { decompressor.memory }
  private let keys: Set<String>

  private(set) var loadedTimes: [Int64]?
  private var loadedSeverityCodes: StoredCodes?
  private var loadedSeverities: [Severity]?
  private var loadedStreams: [UInt32]?
  private var loadedTemplates: [UInt32]?
  private var loadedTemplateCodes: StoredCodes?
  private var loadedGroups: RowGroups?
  private var loadedDirectory: VariableDirectory?
  /// Token filters as they are stored.
  private var messageWords: [Int: FrameContent] = [:]
  private var loadedLetterRuns: LetterRuns?
  private var fieldWords: [Int: FrameContent] = [:]
  private var loadedShapes: Shapes?
  /// Read when the newest rows are asked for; single rows are then taken from it.
  private(set) var loadedTail: BlockTail?

  // Caches of the extensions.
  /// By number of the group: its content.
  var variableGroups: [FrameContent?] = []
  /// By slot, as the directory counts them.
  var slots: [SlotState] = []
  var knownFieldValues: [Int: FieldValues] = [:]
  var fieldColumns: [Int: FieldColumn] = [:]
  var loadedSharedFields: SharedFields?
  var loadedFieldCounts: [Int: FieldValueCounts]?
  /// `summary.streamCounts` as the rows they end at, made when first asked for.
  private var loadedStreamEnds: [Int] = []

  /// - Parameters:
  ///   - decompressor: Best one for all blocks that a thread reads.
  ///   - load: The stored bytes of a column by its key; called at most once a key.
  package init(
    summary: BlockSummary, decompressor: Decompressor = Decompressor(),
    load: @escaping (_ key: String) throws -> [UInt8]
  ) {
    self.summary = summary
    self.decompressor = decompressor
    self.load = load
    keys = Set(summary.columns.lazy.map(\.key))
  }

  package var count: Int { summary.recordCount }
  package var templateCounts: [NumberCount] { summary.templateCounts }
  package var streamCounts: [NumberCount] { summary.streamCounts }

  // MARK: - Columns of every row

  package func times() throws -> [Int64] {
    if let loadedTimes { return loadedTimes }
    let times = try read(ColumnKey.times) { (reader) throws(BlockError) -> [Int64] in
      let scale: Int64
      switch try reader.byte() {
      case 0: scale = 1
      case 3: scale = 1000
      case 6: scale = 1_000_000
      case 9: scale = 1_000_000_000
      default: throw reader.corrupt
      }
      let base = try reader.signed()
      var times = try IntegerCodec.decode(count: self.count, from: &reader)
      times.withUnsafeMutableBytes { times in
        let words = times.assumingMemoryBound(to: UInt64.self)
        tl_scale(words.baseAddress, words.count, UInt64(bitPattern: base), UInt64(scale))
      }
      return times
    }
    loadedTimes = times
    return times
  }

  package func severities() throws -> [Severity] {
    if let loadedSeverities { return loadedSeverities }
    let known = Severity.allCases
    let severities = try severityCodes().expanded.map { known[Int($0)] }
    loadedSeverities = severities
    return severities
  }

  func severityCodes() throws -> StoredCodes {
    if let loadedSeverityCodes { return loadedSeverityCodes }
    let codes = try codes(ColumnKey.severities, limit: Severity.allCases.count)
    loadedSeverityCodes = codes
    return codes
  }

  package func streams() throws -> [UInt32] {
    if let loadedStreams { return loadedStreams }
    let streams = try numbers(summary.streamCounts, codes: codes(ColumnKey.streams, limit: summary.streamCounts.count))
    loadedStreams = streams
    return streams
  }

  /// The rows at which each of the summary's streams ends: rows are in the order of (stream, time).
  var streamEnds: [Int] {
    if loadedStreamEnds.isEmpty {
      var end = 0
      loadedStreamEnds = summary.streamCounts.map { entry in
        end += Int(entry.count)
        return end
      }
    }
    return loadedStreamEnds
  }

  package func templates() throws -> [UInt32] {
    if let loadedTemplates { return loadedTemplates }
    let templates = try numbers(summary.templateCounts, codes: templateCodes())
    loadedTemplates = templates
    return templates
  }

  /// Indexes into `summary.templateCounts`, one a row.
  func templateCodes() throws -> StoredCodes {
    if let loadedTemplateCodes { return loadedTemplateCodes }
    let codes = try codes(ColumnKey.templates, limit: summary.templateCounts.count)
    loadedTemplateCodes = codes
    return codes
  }

  private func codes(_ key: String, limit: Int) throws -> StoredCodes {
    if limit == 1 { return StoredCodes(count: count, limit: 1, .zeros) }
    return try read(key) { (reader) throws(BlockError) in
      try CodeCodec.decode(count: self.count, limit: limit, from: &reader)
    }
  }

  private func numbers(_ counts: [NumberCount], codes: StoredCodes) -> [UInt32] {
    codes.expanded.map { counts[Int($0)].number }
  }

  /// Rows by template.
  func groups() throws -> RowGroups {
    if let loadedGroups { return loadedGroups }
    let groups = RowGroups(codes: try templateCodes().expanded, groupCount: summary.templateCounts.count)
    for (code, entry) in summary.templateCounts.enumerated() where groups.range(of: code).count != Int(entry.count) {
      throw BlockError.corrupt(place: ColumnKey.templates)
    }
    loadedGroups = groups
    return groups
  }

  /// The row's place among the rows of its template.
  ///
  /// - Throws: `.corrupt` if the template has fewer rows by the summary.
  func ordinal(ofRow row: Int) throws -> Int {
    let codes = try templateCodes()
    if let loadedGroups { return loadedGroups.ordinal(ofRow: row, code: codes[row]) }
    let ordinal = codes.ordinal(ofRow: row)
    guard ordinal < Int(summary.templateCounts[codes[row]].count) else {
      throw BlockError.corrupt(place: ColumnKey.templates)
    }
    return ordinal
  }

  func directory() throws -> VariableDirectory {
    if let loadedDirectory { return loadedDirectory }
    let directory = try read(ColumnKey.variableDirectory) { (reader) throws(BlockError) in
      try VariableDirectory(templateCount: self.summary.templateCounts.count, from: &reader)
    }
    loadedDirectory = directory
    return directory
  }

  func shapes() throws -> Shapes {
    if let loadedShapes { return loadedShapes }
    let shapes = try read(ColumnKey.shapes) { (reader) throws(BlockError) in
      try Shapes(fieldCount: self.summary.fields.count, rowCount: self.count, from: &reader)
    }
    loadedShapes = shapes
    return shapes
  }

  /// The newest records, if they are stored by themselves.
  func tail() throws -> BlockTail? {
    if loadedTail == nil, hasColumn(ColumnKey.tail) {
      loadedTail = try read(ColumnKey.tail) { (reader) throws(BlockError) in
        try BlockTail(blockRecordCount: self.count, from: &reader)
      }
    }
    return loadedTail
  }

  /// The row among the newest records, if they have been read and it is one of them.
  func tailPlace(ofRow row: Int) -> (tail: BlockTail, place: Int)? {
    guard let loadedTail, let place = loadedTail.place(ofRow: row) else { return nil }
    return (loadedTail, place)
  }

  // MARK: - Token filters

  package func variablesMayContain(word: [UInt8]) throws -> Bool {
    guard TokenFilter.answersInMessages(word) else { return true }
    let isParted = !hasColumn(ColumnKey.words)
    let part = isParted ? TokenFilter.part(of: word.withUnsafeBufferPointer { TokenFilter.key($0) }) : 0
    let key = isParted ? ColumnKey.words(part: part) : ColumnKey.words
    let filter = try messageWords[part] ?? lentContent(key)
    messageWords[part] = filter
    return try TokenFilter.mayContain(word, in: filter.bytes, place: key)
  }

  /// Reads every filter of messages' words.
  func verifyWordFilters() throws {
    let isParted = !hasColumn(ColumnKey.words)
    for key in isParted ? (0..<TokenFilter.partCount).map(ColumnKey.words(part:)) : [ColumnKey.words] {
      let filter = try lentContent(key)
      _ = try TokenFilter.mayContain([], in: filter.bytes, place: key)
    }
  }

  package func variablesMayContain(_ run: LetterRun, ignoringCase: Bool) throws -> Bool {
    try letterRuns()?.mayContain(run, ignoringCase: ignoringCase) ?? true
  }

  /// Nil if the block lists none.
  func letterRuns() throws -> LetterRuns? {
    if let loadedLetterRuns { return loadedLetterRuns }
    guard hasColumn(ColumnKey.letters) else { return nil }
    let runs = LetterRuns(decoding: try content(ColumnKey.letters))
    loadedLetterRuns = runs
    return runs
  }

  package func field(_ name: [UInt8], mayContain word: [UInt8]) throws -> Bool {
    guard let index = summary.fieldIndex(of: name) else { return false }
    switch summary.fields[index].storage {
    case .constant(let value): return WordTokenizer.words(of: value).contains(word)
    case .dictionary, .shared: return true
    case .list:
      let key = ColumnKey.fieldWords(index)
      let filter = try fieldWords[index] ?? lentContent(key)
      fieldWords[index] = filter
      return try TokenFilter.mayContain(word, in: filter.bytes, place: key)
    }
  }

  // MARK: - Reading

  func hasColumn(_ key: String) -> Bool { keys.contains(key) }

  private func frame(_ key: String) throws -> [UInt8] {
    guard keys.contains(key) else { throw BlockError.missingColumn(key) }
    let frame = try load(key)
    loadedByteCount += frame.count
    return frame
  }

  func content(_ key: String) throws -> [UInt8] {
    try decompressor.open(frame(key), place: "column \(key)")
  }

  private func lentContent(_ key: String) throws -> FrameContent {
    try decompressor.openContent(frame(key), place: "column \(key)")
  }

  func variableGroup(_ number: Int) throws -> FrameContent {
    if number < variableGroups.count, let known = variableGroups[number] { return known }
    let key = ColumnKey.variableGroup(number)
    let content = try lentContent(key)
    // A group that there is has a number below the count of columns, or the block is damaged.
    guard number < keys.count + 2 else { throw BlockError.corrupt(place: "column \(key)") }
    while variableGroups.count <= number { variableGroups.append(nil) }
    variableGroups[number] = content
    return content
  }

  func read<Result>(
    _ key: String, _ body: (inout ByteReader) throws(BlockError) -> Result
  ) throws -> Result {
    try content(key).read("column \(key)") { (reader) throws(BlockError) -> Result in
      let result = try body(&reader)
      try reader.expectEnd()
      return result
    }
  }
}

extension BlockSummary {
  /// The index in `templateCounts`.
  package func templateCode(of number: UInt32) -> Int? { templateCounts.index(of: number) }

  package func hasStream(_ number: UInt32) -> Bool { streamCounts.index(of: number) != nil }

  /// The index in `fields` of the first field of that name.
  package func fieldIndex(of name: [UInt8]) -> Int? {
    fields.firstIndex { $0.occurrence == 0 && $0.name == name }
  }
}

extension [NumberCount] {
  /// The place of a number among ascending ones.
  func index(of number: UInt32) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low].number == number ? low : nil
  }
}
