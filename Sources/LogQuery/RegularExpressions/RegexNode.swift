/// The tree of a regular expression.
indirect enum RegexNode {
  case empty
  /// One scalar out of a set.
  case scalars(ScalarSet)
  case concatenation([RegexNode])
  case alternation([RegexNode])
  case repetition(RegexNode, min: Int, max: Int?, greedy: Bool)
  case group(RegexNode, index: Int)
  case assertion(RegexAssertion)
}

/// Conditions on a place between two bytes. Words are ASCII words here, as in RE2.
enum RegexAssertion: Int32 {
  case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary
}

/// A set of Unicode scalars as sorted ranges with gaps between them.
struct ScalarSet: Equatable {
  private(set) var ranges: [ClosedRange<UInt32>] = []

  static let last: UInt32 = 0x10FFFF

  init() {}

  init(_ ranges: [ClosedRange<UInt32>]) {
    let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
    for range in sorted {
      if let end = self.ranges.last, range.lowerBound <= end.upperBound &+ 1 {
        self.ranges[self.ranges.count - 1] = end.lowerBound...max(end.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

  /// The ASCII characters between pairs: `"09AZ"` is digits and capitals.
  init(pairs: StaticString) {
    var ranges: [ClosedRange<UInt32>] = []
    pairs.withUTF8Buffer { bytes in
      for index in stride(from: 0, to: bytes.count - 1, by: 2) {
        ranges.append(UInt32(bytes[index])...UInt32(bytes[index + 1]))
      }
    }
    self.init(ranges)
  }

  var inverted: ScalarSet {
    var result = ScalarSet()
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { result.ranges.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= ScalarSet.last { result.ranges.append(next...ScalarSet.last) }
    return result
  }

  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  func contains(_ scalar: UInt32) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].lowerBound <= scalar
  }

  /// The one scalar of the set, if it has one.
  var single: Unicode.Scalar? {
    guard ranges.count == 1, ranges[0].count == 1 else { return nil }
    return Unicode.Scalar(ranges[0].lowerBound)
  }

  /// Whether every scalar outside ASCII belongs.
  var holdsAllNonASCII: Bool { ranges.last.map { $0.lowerBound <= 0x80 && $0.upperBound == ScalarSet.last } ?? false }

  /// With every case variant of its scalars.
  var caseFolded: ScalarSet {
    if let single, single.isASCII {
      let value = single.value
      guard value | 0x20 >= 0x61, value | 0x20 <= 0x7A else { return self }
      var all = [(value | 0x20)...(value | 0x20), (value & ~0x20)...(value & ~0x20)]
      if value | 0x20 == 0x6B { all.append(0x212A...0x212A) }
      if value | 0x20 == 0x73 { all.append(0x17F...0x17F) }
      return ScalarSet(all)
    }
    var added = ranges
    for orbit in CaseOrbits.all where orbit.contains(where: contains) { added += orbit.map { $0...$0 } }
    return ScalarSet(added)
  }

  static let digits = ScalarSet(pairs: "09")
  static let word = ScalarSet(pairs: "09AZ__az")
  static let space = ScalarSet(pairs: "\t\n\u{0C}\r  ")
  static let any = ScalarSet([0...last])
  static let notNewline = ScalarSet([0x0A...0x0A]).inverted
}

/// Scalars that differ in case only, by Unicode's simple mappings.
enum CaseOrbits {
  /// Orbits of at least two scalars.
  static let all: [[UInt32]] = {
    // Where Unicode has letters with case.
    let blocks: [ClosedRange<UInt32>] = [
      0x41...0x5A, 0x61...0x7A, 0xB5...0x58F, 0x10A0...0x10FF, 0x13A0...0x13FF, 0x1C80...0x1CBF, 0x1D79...0x1D8E,
      0x1E00...0x1FFF,
      0x2126...0x2188, 0x24B6...0x24E9, 0x2C00...0x2D2D, 0xA640...0xA69B, 0xA722...0xA7FF, 0xAB53...0xABBF,
      0xFF21...0xFF5A,
      0x10400...0x104FF, 0x10570...0x105BF, 0x10C80...0x10CFF, 0x118A0...0x118DF, 0x16E40...0x16E7F, 0x1E900...0x1E943,
    ]
    var byKey: [UInt32: [UInt32]] = [:]
    for block in blocks {
      for value in block {
        guard let scalar = Unicode.Scalar(value) else { continue }
        byKey[foldKey(scalar), default: []].append(value)
      }
    }
    return byKey.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
  }()

  /// Equal for the scalars of one orbit: upper case first brings `ſ` to `S` and `ς` to `Σ`, lower case then `K` to `k`.
  private static func foldKey(_ scalar: Unicode.Scalar) -> UInt32 {
    lowercased(single(scalar.properties.uppercaseMapping) ?? scalar).value
  }

  /// The simple lower case of a scalar.
  static func lowercased(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    if scalar.isASCII {
      return scalar.value >= 0x41 && scalar.value <= 0x5A ? Unicode.Scalar(UInt8(scalar.value | 0x20)) : scalar
    }
    return single(scalar.properties.lowercaseMapping) ?? scalar
  }

  /// The simple upper case of a scalar.
  static func uppercased(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    single(scalar.properties.uppercaseMapping) ?? scalar
  }

  private static func single(_ mapping: String) -> Unicode.Scalar? {
    let scalars = mapping.unicodeScalars
    return scalars.count == 1 ? scalars.first : nil
  }
}

/// Unicode's general categories as sets.
enum ScalarCategories {
  /// The set named `L`, `Lu`, `Nd`, …; nil if there is none of that name.
  static func set(named name: String) -> ScalarSet? {
    if name == "Any" { return .any }
    let wanted = runs.filter { $0.category == name || name.utf8.count == 1 && $0.category.hasPrefix(name) }
    guard !wanted.isEmpty else { return nil }
    return ScalarSet(wanted.map(\.range))
  }

  private static let runs: [(range: ClosedRange<UInt32>, category: String)] = {
    var runs: [(range: ClosedRange<UInt32>, category: String)] = []
    var current = ""
    var start: UInt32 = 0
    func end(at value: UInt32) { if !current.isEmpty, value > start { runs.append((start...value - 1, current)) } }
    // Planes 4 to 13 hold nothing, 15 and 16 are private.
    for plane in [0...0x323AF, 0xE0000...0xE01FF] as [ClosedRange<UInt32>] {
      current = ""
      for value in plane {
        let category = Unicode.Scalar(value).map { abbreviation($0.properties.generalCategory) } ?? ""
        if category != current {
          end(at: value)
          (current, start) = (category, value)
        }
      }
      end(at: plane.upperBound + 1)
    }
    runs.append((0xF0000...0xFFFFD, "Co"))
    runs.append((0x100000...0x10FFFD, "Co"))
    return runs
  }()

  private static func abbreviation(_ category: Unicode.GeneralCategory) -> String {
    switch category {
    case .uppercaseLetter: "Lu"
    case .lowercaseLetter: "Ll"
    case .titlecaseLetter: "Lt"
    case .modifierLetter: "Lm"
    case .otherLetter: "Lo"
    case .nonspacingMark: "Mn"
    case .spacingMark: "Mc"
    case .enclosingMark: "Me"
    case .decimalNumber: "Nd"
    case .letterNumber: "Nl"
    case .otherNumber: "No"
    case .connectorPunctuation: "Pc"
    case .dashPunctuation: "Pd"
    case .openPunctuation: "Ps"
    case .closePunctuation: "Pe"
    case .initialPunctuation: "Pi"
    case .finalPunctuation: "Pf"
    case .otherPunctuation: "Po"
    case .mathSymbol: "Sm"
    case .currencySymbol: "Sc"
    case .modifierSymbol: "Sk"
    case .otherSymbol: "So"
    case .spaceSeparator: "Zs"
    case .lineSeparator: "Zl"
    case .paragraphSeparator: "Zp"
    case .control: "Cc"
    case .format: "Cf"
    case .privateUse: "Co"
    case .surrogate, .unassigned: ""
    @unknown default: ""
    }
  }
}
