/// `filter`
final class FilterStage: PipeStage {
  private let matcher: RecordMatcher

  init(_ matcher: RecordMatcher, next: PipeStage) {
    self.matcher = matcher
    super.init(next: next)
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    matcher.matches(row) ? try forward(row) : true
  }
}

/// `limit`
final class LimitStage: PipeStage {
  private var left: Int

  init(_ count: Int, next: PipeStage) {
    left = count
    super.init(next: next)
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    guard left > 0 else { return false }
    left -= 1
    return try forward(row) && left > 0
  }
}

/// `offset`
final class OffsetStage: PipeStage {
  private var left: Int

  init(_ count: Int, next: PipeStage) {
    left = count
    super.init(next: next)
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    guard left > 0 else { return try forward(row) }
    left -= 1
    return true
  }
}

/// `sample`: each row with the chance of one in `oneOf`.
final class SampleStage: PipeStage {
  private let oneOf: UInt64
  private var random: PipeRandom

  init(oneOf count: Int, seed: UInt64, next: PipeStage) {
    oneOf = UInt64(max(1, count))
    random = PipeRandom(seed: seed)
    super.init(next: next)
  }

  override func push(_ row: consuming Row) throws(PipeLimitError) -> Bool {
    random.next() % oneOf == 0 ? try forward(row) : true
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same seed gives the same numbers.
struct PipeRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// `0 ..< 1`
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
