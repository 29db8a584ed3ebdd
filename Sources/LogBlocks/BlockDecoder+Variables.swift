internal import CKernels
package import Domain

/// What is known so far of one slot's values.
struct SlotState {
  var column: VariableColumn?
  /// How many values have been read one by one.
  var singleCount = 0
}

extension BlockDecoder {
  package func rows(ofTemplate number: UInt32) throws -> [UInt32] {
    guard let code = summary.templateCode(of: number) else { return [] }
    let groups = try groups()
    return Array(groups.rows[groups.range(of: code)])
  }

  package func slotCount(ofTemplate number: UInt32) throws -> Int {
    guard let code = summary.templateCode(of: number) else { return 0 }
    return try directory().slotRange(ofTemplate: code).count
  }

  package func characterClasses(ofTemplate number: UInt32, slot: Int) throws -> CharacterClasses {
    guard let code = summary.templateCode(of: number) else { return [] }
    let directory = try directory()
    guard let index = directory.index(template: code, slot: slot) else { return [] }
    return directory.entries[index].classes
  }

  package func variables(ofTemplate number: UInt32, slot: Int) throws -> VariableColumn {
    guard let code = summary.templateCode(of: number) else { return .list(ValueList()) }
    return try variables(templateCode: code, slot: slot)
  }

  func variables(templateCode code: Int, slot: Int) throws -> VariableColumn {
    let directory = try directory()
    guard let index = directory.index(template: code, slot: slot) else { return .list(ValueList()) }
    if slots.isEmpty { slots = Array(repeating: SlotState(), count: directory.entries.count) }
    if let known = slots[index].column { return known }
    let column = try memory.scope {
      try decode(directory.entries[index], templateCode: code).column(
        count: Int(summary.templateCounts[code].count))
    }
    slots[index].column = column
    return column
  }

  /// A slot's values in working memory.
  private func decode(_ entry: VariableDirectory.Entry, templateCode code: Int) throws -> ColumnCodec.DecodedValues {
    let group = try variableGroup(entry.group)
    let count = Int(summary.templateCounts[code].count)
    let byteCountMax = summary.rawByteCount
    var times: UnsafeMutablePointer<Int64>?
    if ColumnCodec.needsTimes(entry.firstByte(of: group)) {
      let own = memory.allocate(Int64.self, count)
      let groups = try groups()
      let first = groups.range(of: code).lowerBound
      try self.times().withUnsafeBufferPointer { all in
        for ordinal in 0..<count { own[ordinal] = all[Int(groups.rows[first + ordinal])] }
      }
      times = own
    }
    return try group.bytes.read(ColumnKey.variableGroupPlace(entry.group)) { (reader) throws(BlockError) in
      _ = try reader.take(entry.offset)
      var part = ByteReader(try reader.take(entry.byteCount))
      return try ColumnCodec.decode(
        count: count, byteCountMax: byteCountMax, times: times, in: self.memory, from: &part)
    }
  }

  package func slotMayContain(
    _ literal: [UInt8], ignoringCase: Bool, ofTemplate number: UInt32, slot: Int
  ) throws -> Bool {
    guard let code = summary.templateCode(of: number) else { return false }
    let directory = try directory()
    guard let index = directory.index(template: code, slot: slot) else { return false }
    let entry = directory.entries[index]
    guard !literal.isEmpty else { return true }
    guard entry.classes.mayHold(literal, ignoringCase: ignoringCase) else { return false }
    let group = try variableGroup(entry.group)
    let count = Int(summary.templateCounts[code].count)
    return try memory.scope {
      try group.bytes.read(ColumnKey.variableGroupPlace(entry.group)) { (reader) throws(BlockError) -> Bool in
        _ = try reader.take(entry.offset)
        var part = ByteReader(try reader.take(entry.byteCount))
        return try ColumnCodec.mayContain(
          literal, ignoringCase: ignoringCase, count: count, in: self.memory, from: &part)
      }
    }
  }

  // MARK: - Messages

  package func appendMessage(ofRow row: Int, template: Template, to bytes: inout [UInt8]) throws {
    if let (tail, place) = tailPlace(ofRow: row) {
      return try template.appendMessage(to: &bytes) { try tail.appendVariable($0, at: place, to: &$1) }
    }
    let code = try templateCodes()[row]
    let ordinal = try ordinal(ofRow: row)
    try template.appendMessage(to: &bytes) { slot, bytes in
      try appendVariable(ordinal, row: row, templateCode: code, slot: slot, to: &bytes)
    }
  }

  /// Appends one value; reads it alone while few of its slot are asked for, and decodes the slot when they become many.
  private func appendVariable(
    _ ordinal: Int, row: Int, templateCode code: Int, slot: Int, to bytes: inout [UInt8]
  ) throws {
    let directory = try directory()
    guard let index = directory.index(template: code, slot: slot) else {
      throw BlockError.corrupt(place: "column \(ColumnKey.variableDirectory)")
    }
    if slots.isEmpty { slots = Array(repeating: SlotState(), count: directory.entries.count) }
    let count = Int(summary.templateCounts[code].count)
    slots[index].singleCount += 1
    // A value alone costs what about 30 of a whole column cost, and in a long one a tenth of all of it: what comes before
    // has to be summed up.
    if slots[index].column != nil || slots[index].singleCount > 10 || slots[index].singleCount * 30 > count {
      try variables(templateCode: code, slot: slot).withValue(at: ordinal) { bytes.append(contentsOf: $0) }
      return
    }
    let entry = directory.entries[index]
    let group = try variableGroup(entry.group)
    let byteCountMax = summary.rawByteCount
    let time = ColumnCodec.needsTimes(entry.firstByte(of: group)) ? try self.times()[row] : 0
    // Not a capture of `bytes` by the closure: it would be copied.
    var value: [UInt8] = []
    try memory.scope {
      try group.bytes.read(ColumnKey.variableGroupPlace(entry.group)) { (reader) throws(BlockError) in
        _ = try reader.take(entry.offset)
        var part = ByteReader(try reader.take(entry.byteCount))
        try ColumnCodec.appendValue(
          ordinal, of: count, byteCountMax: byteCountMax, time: time, in: self.memory, from: &part, to: &value)
      }
    }
    bytes.append(contentsOf: value)
  }

  package func forEachMessage(
    ofTemplate number: UInt32, template: Template, within rows: RowBits?,
    _ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Bool
  ) throws {
    try withSlots(ofTemplate: number, template, within: rows) { records, slots in
      let slotCount = slots.count
      let literals = PaddedLiterals(template)
      var scratch = [UInt8](repeating: 0, count: literals.byteCount + 1024)
      try literals.withPointers { literalBytes, literalSpans in
        for (ordinal, row) in records.enumerated() {
          if let rows, !rows.containsRow(Int(row)) { continue }
          var capacity = scratch.count
          var byteCount = tl_compose(
            literalBytes, literalSpans, slots.baseAddress, slotCount, ordinal, literals.byteCount, &scratch, capacity)
          if byteCount + 16 > capacity {
            scratch = [UInt8](repeating: 0, count: byteCount * 2 + 16)
            capacity = scratch.count
            byteCount = tl_compose(
              literalBytes, literalSpans, slots.baseAddress, slotCount, ordinal, literals.byteCount, &scratch, capacity)
          }
          let goesOn = try scratch.withUnsafeBufferPointer {
            try body(Int(row), UnsafeBufferPointer(rebasing: $0[..<byteCount]))
          }
          if !goesOn { return }
        }
      }
    }
  }

  package func forEachPieces(
    ofTemplate number: UInt32, template: Template, within rows: RowBits?,
    _ body: (Int, UnsafeBufferPointer<UnsafeBufferPointer<UInt8>>) throws -> Bool
  ) throws {
    try withSlots(ofTemplate: number, template, within: rows) { records, slots in
      try template.withPieces { pieces in
        for (ordinal, row) in records.enumerated() {
          if let rows, !rows.containsRow(Int(row)) { continue }
          for slot in slots.indices {
            let values = slots[slot]
            let place = values.codes.map { Int($0[ordinal]) } ?? ordinal
            let span = values.spans[place]
            pieces[2 * slot + 1] = UnsafeBufferPointer(start: values.bytes + Int(span.offset), count: Int(span.length))
          }
          guard try body(Int(row), UnsafeBufferPointer(pieces)) else { return }
        }
      }
    }
  }

  package func forEachRow(
    ofTemplate number: UInt32, slot: Int, where passes: (UnsafeBufferPointer<UInt8>) -> Bool, _ body: (Int) -> Void
  ) throws {
    guard let code = summary.templateCode(of: number) else { return }
    let column = try variables(templateCode: code, slot: slot)
    guard column.count > 0 else { return }
    let groups = try groups()
    let first = groups.range(of: code).lowerBound
    groups.rows.withUnsafeBufferPointer { rows in
      switch column {
      case .dictionary(let values, let codes):
        var isPassing = [Bool](repeating: false, count: values.count)
        values.forEach { isPassing[$0] = passes($1) }
        if !isPassing.contains(true) { return }
        for (ordinal, code) in codes.enumerated() where isPassing[Int(code)] { body(Int(rows[first + ordinal])) }
      case .list(let values):
        values.forEach { ordinal, value in
          if passes(value) { body(Int(rows[first + ordinal])) }
        }
      }
    }
  }

  /// Calls `body` with the template's rows and the values of its slots, decoded for as long as it runs.
  private func withSlots(
    ofTemplate number: UInt32, _ template: Template, within rows: RowBits?,
    _ body: (UnsafeBufferPointer<UInt32>, UnsafeBufferPointer<tl_slot>) throws -> Void
  ) throws {
    guard let code = summary.templateCode(of: number) else { return }
    let groups = try groups()
    let range = groups.range(of: code)
    if let rows, !groups.rows[range].contains(where: { rows.containsRow(Int($0)) }) { return }
    let slotCount = try directory().slotRange(ofTemplate: code).count
    guard template.slotCount == slotCount else {
      throw BlockError.corrupt(place: "column \(ColumnKey.variableDirectory)")
    }
    let directory = try directory()
    let first = directory.slotRange(ofTemplate: code).lowerBound
    try memory.scope {
      let slots = memory.allocate(tl_slot.self, slotCount)
      for slot in 0..<slotCount {
        slots[slot] = try decode(directory.entries[first + slot], templateCode: code).slot
      }
      try groups.rows.withUnsafeBufferPointer { all in
        try body(UnsafeBufferPointer(rebasing: all[range]), UnsafeBufferPointer(start: slots, count: slotCount))
      }
    }
  }
}

/// A template's literals in one buffer that goes on after the last of them.
private struct PaddedLiterals {
  private var bytes: [UInt8] = []
  private var spans: [tl_span] = []
  let byteCount: Int

  init(_ template: Template) {
    var start = 0
    func close(_ bytes: inout [UInt8], _ spans: inout [tl_span]) {
      spans.append(tl_span(offset: UInt32(start), length: UInt32(bytes.count - start)))
      start = bytes.count
    }
    var index = 0
    let text = template.text
    bytes.reserveCapacity(text.count + ValueList.padding)
    while index < text.count {
      if text[index] == Template.slotMarker, index + 1 < text.count {
        close(&bytes, &spans)
        index += 2
      } else {
        bytes.append(text[index])
        index += 1
      }
    }
    close(&bytes, &spans)
    byteCount = bytes.count
    bytes += [UInt8](repeating: 0, count: ValueList.padding)
  }

  func withPointers(_ body: (UnsafePointer<UInt8>, UnsafePointer<tl_span>) throws -> Void) rethrows {
    try bytes.withUnsafeBufferPointer { bytes in
      try spans.withUnsafeBufferPointer { try body(bytes.baseAddress!, $0.baseAddress!) }
    }
  }
}

/// Where each slot's values are.
struct VariableDirectory {
  struct Entry {
    var classes: CharacterClasses
    var group: Int
    var offset: Int
    var byteCount: Int

    func firstByte(of group: FrameContent) -> UInt8? {
      byteCount > 0 && offset < group.bytes.count ? group.bytes[offset] : nil
    }
  }

  /// Those of one template one after another, templates in the order of their codes.
  private(set) var entries: [Entry] = []
  private var starts: [Int] = [0]

  init(templateCount: Int, from reader: inout ByteReader) throws(BlockError) {
    var ends: [Int] = []
    var farEnds: [Int: Int] = [:]
    starts.reserveCapacity(templateCount + 1)
    entries.reserveCapacity(reader.remaining / 4)
    for _ in 0..<templateCount {
      for _ in 0..<(try reader.count(max: reader.remaining)) {
        let classes = CharacterClasses(rawValue: try reader.byte())
        let group = try reader.count(max: Int(UInt32.max))
        let byteCount = try reader.count(max: Int(UInt32.max))
        var offset = 0
        if group < 1024 {
          while ends.count <= group { ends.append(0) }
          offset = ends[group]
          ends[group] = offset + byteCount
        } else {
          offset = farEnds[group, default: 0]
          farEnds[group] = offset + byteCount
        }
        entries.append(Entry(classes: classes, group: group, offset: offset, byteCount: byteCount))
      }
      starts.append(entries.count)
    }
  }

  func slotRange(ofTemplate code: Int) -> Range<Int> { starts[code]..<starts[code + 1] }

  /// The index in `entries`; nil if the template has no such slot.
  func index(template code: Int, slot: Int) -> Int? {
    let range = slotRange(ofTemplate: code)
    return slot >= 0 && slot < range.count ? range.lowerBound + slot : nil
  }
}

extension Template {
  var slotCount: Int {
    text.withUnsafeBufferPointer { text in
      var count = 0
      var index = 0
      while index + 1 < text.count {
        if text[index] == Template.slotMarker {
          count += 1
          index += 1
        }
        index += 1
      }
      return count
    }
  }

  /// Calls `body` with the literals at even places; the odd ones between them are for the variables.
  func withPieces<Result>(
    _ body: (UnsafeMutableBufferPointer<UnsafeBufferPointer<UInt8>>) throws -> Result
  ) rethrows -> Result {
    try text.withUnsafeBufferPointer { text in
      var pieces: [UnsafeBufferPointer<UInt8>] = []
      var start = 0
      var index = 0
      while index < text.count {
        if text[index] == Template.slotMarker, index + 1 < text.count {
          pieces.append(UnsafeBufferPointer(rebasing: text[start..<index]))
          pieces.append(UnsafeBufferPointer(start: nil, count: 0))
          index += 2
          start = index
        } else {
          index += 1
        }
      }
      pieces.append(UnsafeBufferPointer(rebasing: text[start...]))
      return try pieces.withUnsafeMutableBufferPointer { try body($0) }
    }
  }

  /// Appends the literals to `bytes` and lets `appendVariable` append what belongs in each slot.
  func appendMessage(to bytes: inout [UInt8], _ appendVariable: (Int, inout [UInt8]) throws -> Void) rethrows {
    try text.withUnsafeBufferPointer { text in
      var start = 0
      var index = 0
      var slot = 0
      while index < text.count {
        if text[index] == Template.slotMarker, index + 1 < text.count {
          bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
          try appendVariable(slot, &bytes)
          slot += 1
          index += 2
          start = index
        } else {
          index += 1
        }
      }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
    }
  }
}
