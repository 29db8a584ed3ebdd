import CKernels
import Domain
import Indexing
import LogBlocks
import Storage

/// The texts behind one tenant's numbers, for the life of one query.
///
/// Used by one task at a time.
final class TenantNames: TemplateSource, @unchecked Sendable {
  // Sendable: the caches are touched only by the one task that runs the query.
  private let database: TenantDatabase
  private let patternMap: PatternMap
  private let words: TemplateWords
  private var streamTexts: [UInt32: (text: [UInt8], id: [UInt8])] = [:]
  /// By pages of 256 numbers: a query mostly touches few of many thousand.
  private var templatePages: [[Template?]] = []

  init(_ database: TenantDatabase, patterns: PatternMap, words: TemplateWords) {
    self.database = database
    patternMap = patterns
    self.words = words
  }

  var streamCount: Int { database.streamCount }

  var templateCount: Int { database.templateCount }

  /// The same names for another thread.
  func copy() -> TenantNames { TenantNames(database, patterns: patternMap, words: words) }

  func template(_ number: UInt32) -> Template? {
    let (page, place) = (Int(number >> 8), Int(number & 255))
    if page < templatePages.count, !templatePages[page].isEmpty, let known = templatePages[page][place] { return known }
    guard let template = database.template(number) else { return nil }
    if page >= templatePages.count {
      templatePages.append(contentsOf: repeatElement([], count: page + 1 - templatePages.count))
    }
    if templatePages[page].isEmpty { templatePages[page] = Array(repeating: nil, count: 256) }
    templatePages[page][place] = template
    return template
  }

  func knowledge(of words: [[UInt8]]) -> [UInt8]? {
    self.words.knowledge(of: words, count: database.templateCount) { database.template($0) }
  }

  /// - Throws: `BlockError.corrupt` if a record names a template that the tenant does not have.
  func requiredTemplate(_ number: UInt32) throws -> Template {
    guard let template = template(number) else { throw BlockError.corrupt(place: "template \(number)") }
    return template
  }

  func templates(where isIncluded: (Template) -> Bool) -> NumberSet {
    var numbers = NumberSet()
    for number in 0..<UInt32(database.templateCount) {
      if let template = database.template(number), isIncluded(template) { numbers.insert(number) }
    }
    return numbers
  }

  func streams(where isIncluded: (Stream) -> Bool) -> Set<UInt32> {
    var numbers: Set<UInt32> = []
    for number in 0..<UInt32(database.streamCount) {
      if let stream = database.stream(number), isIncluded(stream) { numbers.insert(number) }
    }
    return numbers
  }

  func streamNumbers(where isIncluded: (UInt32) -> Bool) -> Set<UInt32> {
    Set((0..<UInt32(database.streamCount)).filter(isIncluded))
  }

  func streams(withIDs ids: Set<String>) -> Set<UInt32> {
    streamNumbers { ids.contains(String(decoding: streamID($0), as: UTF8.self)) }
  }

  /// `{pod="api-0"}`; `{}` for a number that is not known.
  func streamText(_ number: UInt32) -> [UInt8] { texts(ofStream: number).text }

  /// 32 hex digits: a hash of the labels.
  func streamID(_ number: UInt32) -> [UInt8] { texts(ofStream: number).id }

  func pattern(ofTemplate number: UInt32) -> UInt32? { patternMap.pattern(ofTemplate: number) }

  func patterns(where isIncluded: (UInt32) -> Bool) -> NumberSet {
    var numbers = NumberSet(patternMap.patterns.lazy.map(\.number).filter(isIncluded))
    // Who kept the number of a pattern that was merged finds what became of it.
    for old in patternMap.mergedInto.keys where isIncluded(old) { numbers.insert(patternMap.current(old)) }
    return numbers
  }

  func templates(ofPatterns patterns: NumberSet) -> NumberSet { patternMap.templates(ofPatterns: patterns) }

  func stream(_ number: UInt32) -> Stream? { database.stream(number) }

  func pattern(_ number: UInt32) -> Pattern? { patternMap.pattern(number) }

  private func texts(ofStream number: UInt32) -> (text: [UInt8], id: [UInt8]) {
    if let known = streamTexts[number] { return known }
    let text = database.stream(number)?.description ?? Array("{}".utf8)
    var hash: (UInt64, UInt64) = (0, 0)
    text.withUnsafeBytes { bytes in
      withUnsafeMutableBytes(of: &hash) { out in
        tl_hash128(bytes.baseAddress, bytes.count, 0, out.assumingMemoryBound(to: UInt64.self).baseAddress)
      }
    }
    func hex(_ value: UInt64) -> [UInt8] {
      let digits = Array(String(value, radix: 16).utf8)
      return Array(repeating: UInt8(ascii: "0"), count: 16 - digits.count) + digits
    }
    let texts = (text, hex(hash.0) + hex(hash.1))
    streamTexts[number] = texts
    return texts
  }
}
