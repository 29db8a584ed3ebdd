import CKernels
import Synchronization

/// A regular expression of RE2's syntax over UTF-8 bytes, in time linear in the text.
///
/// Whether it matches is answered by a literal that must occur, then by a deterministic automaton: made ahead when it
/// is small, else as the text asks for it, within a bound. Captures are found by simulating the nondeterministic one.
package struct RegularExpression: Sendable {
  /// The names of the capture groups; index 0 is the whole match. Nil for a group without a name.
  package let groupNames: [String?]
  /// Texts that every match contains.
  let requiredTexts: [RequiredText]
  /// The expression is nothing but this text.
  let literal: [UInt8]?
  private let program: RegexProgram
  private let table: RegexTable?
  private let scratches = RegexScratchPool()

  /// Throws with `column` counted in scalars of `pattern`, from 1.
  ///
  /// - Parameter matchesWhole: As if it were written `^(?:pattern)$`.
  package init(_ pattern: String, matchesWhole: Bool = false) throws(QueryError) {
    var parser = RegexParser(pattern)
    var node = try parser.parse()
    groupNames = parser.groupNames
    let text = RegexLiterals(node)
    requiredTexts = text.required
    literal = matchesWhole ? nil : text.literal
    if matchesWhole { node = .concatenation([.assertion(.textStart), node, .assertion(.textEnd)]) }
    program = try RegexProgram(node, groupCount: groupNames.count)
    table = literal == nil ? RegexTable(program, stateCountMax: 512) : nil
  }

  /// Compiles `pattern` for its errors alone; returns the names of its groups.
  static func check(_ pattern: String) throws(QueryError) -> [String?] {
    var parser = RegexParser(pattern)
    let node = try parser.parse()
    _ = try RegexProgram(node, groupCount: parser.groupNames.count)
    return parser.groupNames
  }

  /// Whether a place in the pattern looks at what is around it (`^`, `\b`, …).
  var hasAssertions: Bool { program.hasAssertions }

  /// Whether the expression matches anywhere in `text`.
  package func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    for required in requiredTexts where !required.isContained(in: text) { return false }
    if literal != nil { return true }
    if let table { return table.matches(text) }
    return scratches.withScratch(program) { $0.matches(text) }
  }

  /// `matches` for many texts.
  func predicate() -> (UnsafeBufferPointer<UInt8>) -> Bool {
    guard let table else { return matches }
    let needles = Needles(requiredTexts.filter { $0.alternatives.count <= 4 })
    return { needles.areAll(in: $0) && table.matches($0) }
  }

  /// The leftmost match that starts at `start` or later, as Perl would find it: ranges by group, 0 the whole; nil for
  /// a group that took no part.
  package func captures(in text: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> [Range<Int>?]? {
    guard start <= text.count, text.count < Int(Int32.max) else { return nil }
    if start == 0 {
      guard matches(text) else { return nil }
    } else {
      let rest = UnsafeBufferPointer(rebasing: text[start...])
      for required in requiredTexts where !required.isContained(in: rest) { return nil }
    }
    let slots = scratches.withScratch(program) { $0.run(text, from: start) }
    guard let slots else { return nil }
    return (0..<groupNames.count).map { group in
      let (start, end) = (slots[2 * group], slots[2 * group + 1])
      return start >= 0 && end >= start ? Int(start)..<Int(end) : nil
    }
  }
}

/// A few scratches that threads take and put back without waiting for each other.
private final class RegexScratchPool: Sendable {
  // Each holds a retained reference or nothing; an exchange hands it to one thread alone.
  private let first = Atomic<UInt>(0)
  private let second = Atomic<UInt>(0)

  func withScratch<Result>(_ program: RegexProgram, _ body: (RegexScratch) -> Result) -> Result {
    let scratch = take(first) ?? take(second) ?? RegexScratch(program)
    defer {
      let reference = UInt(bitPattern: Unmanaged.passRetained(scratch).toOpaque())
      if !put(reference, first), !put(reference, second) { release(reference) }
    }
    return body(scratch)
  }

  private func take(_ place: borrowing Atomic<UInt>) -> RegexScratch? {
    let reference = place.exchange(0, ordering: .acquiring)
    guard let pointer = UnsafeRawPointer(bitPattern: reference) else { return nil }
    return Unmanaged<RegexScratch>.fromOpaque(pointer).takeRetainedValue()
  }

  private func put(_ reference: UInt, _ place: borrowing Atomic<UInt>) -> Bool {
    place.compareExchange(expected: 0, desired: reference, ordering: .releasing).exchanged
  }

  private func release(_ reference: UInt) {
    guard let pointer = UnsafeRawPointer(bitPattern: reference) else { return }
    Unmanaged<RegexScratch>.fromOpaque(pointer).release()
  }

  deinit {
    release(first.load(ordering: .acquiring))
    release(second.load(ordering: .acquiring))
  }
}
