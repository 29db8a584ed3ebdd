internal import Domain

/// A template taken apart for the words that its variables take part in.
///
/// A word may run across a literal's end into a variable (`user_<number>`, `<duration>ms`), so a variable's own words
/// are not enough. A cluster is a run of slots that no ASCII byte outside of words parts, with the literal bytes on its
/// sides that may belong to a word with it: what the tokenizer finds in a cluster's text is what it finds there in the
/// whole message.
struct TemplateWords {
  struct Cluster {
    var slots: Range<Int>
    /// One more than slots: what stands before, between and after them.
    var literals: [[UInt8]]

    /// Whether the slot's value alone holds the cluster's words.
    var isPlain: Bool { slots.count == 1 && literals[0].isEmpty && literals[1].isEmpty }
  }

  var slotCount: Int
  var literalByteCount: Int
  var clusters: [Cluster] = []

  init(_ template: Template) {
    let literals = template.literals
    slotCount = literals.count - 1
    literalByteCount = literals.reduce(0) { $0 + $1.count }
    func parts(_ byte: UInt8) -> Bool { byte < 0x80 && !WordTokenizer.isASCIIWord(byte) }
    for slot in 0..<slotCount {
      let before = literals[slot]
      let after = literals[slot + 1]
      let head = Array(after.prefix { !parts($0) })
      if slot > 0, !before.contains(where: parts) {
        clusters[clusters.count - 1].slots = clusters[clusters.count - 1].slots.lowerBound..<slot + 1
        clusters[clusters.count - 1].literals.append(head)
      } else {
        let tail = before.lastIndex(where: parts).map { Array(before[($0 + 1)...]) } ?? before
        clusters.append(Cluster(slots: slot..<slot + 1, literals: [tail, head]))
      }
    }
  }
}

extension BlockEncoder {
  /// Open groups: packed numbers and text are kept apart, so that zstd's one table of literals a group suits what is in
  /// it.
  private struct Group {
    var number: Int
    var bytes: [UInt8] = []
  }

  mutating func encodeVariables(_ rows: [UInt32], _ templates: NumberColumn) {
    let records = records
    let byTemplate = RowGroups(codes: templates.codes, groupCount: templates.counts.count)
    var directory: [UInt8] = []
    var groups = [Group(number: 0), Group(number: 1)]
    var groupCount = 2
    var spans: [ByteSpan] = []
    var payload: [UInt8] = []
    var starts: [Int] = []
    var times: [Int64] = []
    words.removeAll()
    records.bytes.withUnsafeBufferPointer { bytes in
      for (code, entry) in templates.counts.enumerated() {
        guard let template = self.templates[entry.number] else { continue }
        directory.appendVarint(template.slotCount)
        guard template.slotCount > 0 else { continue }
        starts.removeAll(keepingCapacity: true)
        times.removeAll(keepingCapacity: true)
        for index in byTemplate.range(of: code) {
          let row = Int(rows[Int(byTemplate.rows[index])])
          starts.append(Int(records.variableStarts[row]))
          times.append(records.times[row])
        }
        var distinctBySlot: [[ByteSpan]] = Array(repeating: [], count: template.slotCount)
        for slot in 0..<template.slotCount {
          spans.removeAll(keepingCapacity: true)
          for start in starts { spans.append(records.variables[start + slot]) }
          payload.removeAll(keepingCapacity: true)
          spans.withUnsafeBufferPointer { spans in
            times.withUnsafeBufferPointer { values.encode(spans, in: bytes, times: $0, into: &payload) }
          }
          distinctBySlot[slot] = values.distinct

          let side = values.kind.isTextual ? 0 : 1
          if !groups[side].bytes.isEmpty, groups[side].bytes.count + payload.count > BlockEncoder.groupByteCount {
            append(ColumnKey.variableGroup(groups[side].number), groups[side].bytes)
            groups[side] = Group(number: groupCount)
            groupCount += 1
          }
          directory.append(values.classes.rawValue)
          directory.appendVarint(groups[side].number)
          directory.appendVarint(payload.count)
          groups[side].bytes.append(contentsOf: payload)
        }
        collectWords(template, starts: starts, distinctBySlot, bytes)
      }
    }
    for group in groups where !group.bytes.isEmpty { append(ColumnKey.variableGroup(group.number), group.bytes) }
    append(ColumnKey.variableDirectory, directory)
    appendWordFilters()
    if let letters = words.letters.encoded { append(ColumnKey.letters, letters) }
  }

  /// One filter, or where words are many one for each of their parts: who looks for a word reads its part alone.
  private mutating func appendWordFilters() {
    guard words.keys.count >= TokenFilter.partedCountMin else {
      append(ColumnKey.words, TokenFilter(keys: words.keys).encoded)
      return
    }
    var parts = [[UInt64]](repeating: [], count: TokenFilter.partCount)
    for key in words.keys { parts[TokenFilter.part(of: key)].append(key) }
    for (part, keys) in parts.enumerated() {
      append(ColumnKey.words(part: part), TokenFilter(keys: keys).encoded)
    }
  }

  /// - Parameters:
  ///   - starts: Where the variables of each of the template's records start.
  ///   - distinctBySlot: A slot's distinct values where they are few, else empty.
  private mutating func collectWords(
    _ template: TemplateWords, starts: [Int], _ distinctBySlot: [[ByteSpan]], _ bytes: UnsafeBufferPointer<UInt8>
  ) {
    var text: [UInt8] = []
    for cluster in template.clusters {
      let first = cluster.slots.lowerBound
      if cluster.slots.count == 1, !distinctBySlot[first].isEmpty {
        for span in distinctBySlot[first] { insertWords(cluster, [span], bytes, &text) }
      } else if cluster.isPlain {
        for start in starts {
          words.insertWords(
            of: UnsafeBufferPointer(rebasing: bytes[records.variables[start + first].range]), onlyOfMessages: true)
        }
      } else {
        for start in starts {
          let range = start + cluster.slots.lowerBound..<start + cluster.slots.upperBound
          insertWords(cluster, records.variables[range], bytes, &text)
        }
      }
    }
  }

  private mutating func insertWords(
    _ cluster: TemplateWords.Cluster, _ spans: some Collection<ByteSpan>, _ bytes: UnsafeBufferPointer<UInt8>,
    _ text: inout [UInt8]
  ) {
    text.removeAll(keepingCapacity: true)
    text.append(contentsOf: cluster.literals[0])
    for (index, span) in spans.enumerated() {
      text.append(contentsOf: bytes[span.range])
      text.append(contentsOf: cluster.literals[index + 1])
    }
    text.withUnsafeBufferPointer { words.insertWords(of: $0, onlyOfMessages: true) }
  }
}
