internal import CKernels
internal import Domain

/// What has stood in one variable of a pattern: how often, which values most, how many distinct, which numbers.
///
/// Pure and mergeable: two of different blocks or hours make one of both. Memory: 0.3 KiB where there were few values,
/// 2.5 KiB with many short ones, at most 5 KiB.
package struct ParameterStatistics: Sendable, Equatable {
  /// A value and how often it occurred: at least `count - error` and at most `count` times.
  package struct TopValue: Sendable, Equatable {
    /// At most `valueBytesMax` bytes of it.
    package var value: [UInt8]
    package var count: UInt64
    package var error: UInt64
  }

  package struct Numbers: Sendable, Equatable {
    package var count: UInt64
    package var min: Double
    /// Within 4 % of the true one where the numbers span up to 2^16, within 7 % up to 2^32.
    package var median: Double
    package var max: Double
  }

  /// Values seen.
  package private(set) var count: UInt64 = 0
  private var top: [TopValue] = []
  private var distinct = DistinctCounter()
  private var numbers = NumberSketch()

  package static let topValuesMax = 16
  package static let valueBytesMax = 64

  package init() {}

  /// Takes in a value.
  ///
  /// - Returns: Whether it is new here, while that means something: a variable that had more than
  ///   `DistinctCounter.exactMax` values has new ones all the time.
  @discardableResult
  package mutating func insert(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    count += 1
    let isNew = distinct.insert(tl_hash64(value.baseAddress, value.count, 0))
    countTop(UnsafeBufferPointer(rebasing: value.prefix(ParameterStatistics.valueBytesMax)))
    if let number = NumberText.value(of: value) { numbers.insert(number) }
    return isNew
  }

  /// Whether `value` would be new: no value like it has been seen, and those seen are few enough to say so.
  package func isNew(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    distinct.isNew(tl_hash64(value.baseAddress, value.count, 0))
  }

  package mutating func merge(_ other: ParameterStatistics) {
    // Each may have missed what the other's least is the bound of (Agarwal and others 2012, Mergeable Summaries).
    let (leastHere, leastThere) = (least, other.least)
    var merged = top
    for theirs in other.top {
      if let index = merged.firstIndex(where: { $0.value == theirs.value }) {
        merged[index].count += theirs.count
        merged[index].error += theirs.error
      } else {
        merged.append(
          TopValue(value: theirs.value, count: theirs.count + leastHere, error: theirs.error + leastHere))
      }
    }
    for index in top.indices where !other.top.contains(where: { $0.value == top[index].value }) {
      merged[index].count += leastThere
      merged[index].error += leastThere
    }
    top = Array(merged.sorted(by: ParameterStatistics.isAbove).prefix(ParameterStatistics.topValuesMax))
    count += other.count
    distinct.merge(other.distinct)
    numbers.merge(other.numbers)
  }

  /// The most frequent values, the first the most.
  package var topValues: [TopValue] { top.sorted(by: ParameterStatistics.isAbove) }

  /// Distinct values: exact up to `DistinctCounter.exactMax`, within about 7 % beyond.
  package var distinctCount: Int { distinct.estimate }

  /// Of values that are numbers, durations in seconds; nil if none was.
  package var numberRange: Numbers? { numbers.summary }

  /// The one value that has always stood here, if there were at least `countMin` of it.
  package func constant(countMin: UInt64) -> [UInt8]? {
    count >= countMin && top.count == 1 && distinct.estimate == 1 ? top[0].value : nil
  }

  private var least: UInt64 {
    top.count < ParameterStatistics.topValuesMax ? 0 : top.reduce(UInt64.max) { min($0, $1.count) }
  }

  private static func isAbove(_ left: TopValue, _ right: TopValue) -> Bool {
    left.count == right.count ? left.value.lexicographicallyPrecedes(right.value) : left.count > right.count
  }

  /// SpaceSaving (Metwally, Agrawal and El Abbadi 2005): a value without a place takes that of the rarest, and its count
  /// as the error.
  private mutating func countTop(_ value: UnsafeBufferPointer<UInt8>) {
    var rarest = 0
    for index in top.indices {
      if top[index].value.count == value.count, top[index].value.elementsEqual(value) {
        top[index].count += 1
        return
      }
      if top[index].count < top[rarest].count { rarest = index }
    }
    if top.count < ParameterStatistics.topValuesMax {
      top.append(TopValue(value: Array(value), count: 1, error: 0))
    } else {
      let before = top[rarest].count
      top[rarest] = TopValue(value: Array(value), count: before + 1, error: before)
    }
  }
}

/// How many distinct values were seen, of their hashes: all of them while they are few, then HyperLogLog (Flajolet and
/// others 2007) with 256 registers.
struct DistinctCounter: Sendable, Equatable {
  /// As many are told apart for sure.
  static let exactMax = 64

  /// Ascending, until there are too many.
  private var hashes: [UInt64] = []
  /// Empty until then.
  private var registers: [UInt8] = []

  private static let registerBits = 8
  private static let registerCount = 1 << registerBits

  /// - Returns: Whether the value is new, as far as is known.
  mutating func insert(_ hash: UInt64) -> Bool {
    guard registers.isEmpty else {
      register(hash)
      return false
    }
    let place = self.place(of: hash)
    if place < hashes.count, hashes[place] == hash { return false }
    hashes.insert(hash, at: place)
    if hashes.count > DistinctCounter.exactMax { becomeEstimate() }
    return true
  }

  func isNew(_ hash: UInt64) -> Bool {
    guard registers.isEmpty else { return false }
    let place = self.place(of: hash)
    return place == hashes.count || hashes[place] != hash
  }

  mutating func merge(_ other: DistinctCounter) {
    if other.registers.isEmpty {
      for hash in other.hashes { _ = insert(hash) }
      return
    }
    if registers.isEmpty { becomeEstimate() }
    for index in registers.indices { registers[index] = max(registers[index], other.registers[index]) }
  }

  var estimate: Int {
    guard !registers.isEmpty else { return hashes.count }
    let count = Double(DistinctCounter.registerCount)
    var sum = 0.0
    for register in registers { sum += 1 / Double(UInt64(1) << UInt64(register)) }
    // Beyond `exactMax` values of 256 registers few are empty; the raw estimate's bias there is below its error.
    let raw = 0.7213 / (1 + 1.079 / count) * count * count / sum
    let empty = registers.count { $0 == 0 }
    guard raw <= 2.5 * count, empty > 0 else { return Int(raw) }
    return Int(count * DistinctCounter.naturalLogarithm(of: count / Double(empty)))
  }

  private func place(of hash: UInt64) -> Int {
    var low = 0
    var high = hashes.count
    while low < high {
      let middle = (low + high) / 2
      if hashes[middle] < hash { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func becomeEstimate() {
    registers = Array(repeating: 0, count: DistinctCounter.registerCount)
    for hash in hashes { register(hash) }
    hashes = []
  }

  private mutating func register(_ hash: UInt64) {
    let index = Int(hash >> UInt64(64 - DistinctCounter.registerBits))
    let rest = hash << UInt64(DistinctCounter.registerBits)
    let rank = UInt8(min(rest.leadingZeroBitCount, 64 - DistinctCounter.registerBits) + 1)
    registers[index] = max(registers[index], rank)
  }

  /// For `x` of 1 and more: the exponent, and the series of the rest.
  private static func naturalLogarithm(of x: Double) -> Double {
    let ratio = (x.significand - 1) / (x.significand + 1)
    var power = ratio
    var sum = 0.0
    for term in stride(from: 1.0, through: 19, by: 2) {
      sum += power / term
      power *= ratio * ratio
    }
    return 2 * sum + Double(x.exponent) * 0.693_147_180_559_945_3
  }
}

/// Numbers by their order of size: buckets of equal relative width, as in DDSketch (Masson, Rim and Lee 2019), read off
/// the bits of the number.
struct NumberSketch: Sendable, Equatable {
  private var count: UInt64 = 0
  private var min = Double.infinity
  private var max = -Double.infinity
  /// Ascending by key.
  private var buckets: [Bucket] = []
  /// Each step halves the resolution.
  private var coarseness = 0

  private struct Bucket: Sendable, Equatable {
    var key: Int32
    var count: UInt32
  }

  static let bucketsMax = 256
  /// Of the mantissa: 16 buckets from one power of two to the next, each within 3.2 % of its middle.
  private static let mantissaBits = 4

  mutating func insert(_ number: Double) {
    guard number.isFinite else { return }
    count += 1
    min = Swift.min(min, number)
    max = Swift.max(max, number)
    add(key(of: number), 1)
    compact()
  }

  mutating func merge(_ other: NumberSketch) {
    guard other.count > 0 else { return }
    count += other.count
    min = Swift.min(min, other.min)
    max = Swift.max(max, other.max)
    while coarseness < other.coarseness { coarsen() }
    for bucket in other.buckets { add(bucket.key >> Int32(coarseness - other.coarseness), bucket.count) }
    compact()
  }

  var summary: ParameterStatistics.Numbers? {
    guard count > 0 else { return nil }
    var left = (count + 1) / 2
    var median = max
    for bucket in buckets {
      if UInt64(bucket.count) >= left {
        median = value(of: bucket.key)
        break
      }
      left -= UInt64(bucket.count)
    }
    return .init(count: count, min: min, median: Swift.min(Swift.max(median, min), max), max: max)
  }

  /// Ascending with the number: the high bits of its magnitude, with its sign.
  private func key(of number: Double) -> Int32 {
    let bits = Int32(truncatingIfNeeded: number.magnitude.bitPattern >> UInt64(52 - NumberSketch.mantissaBits))
    return (number < 0 ? -bits : bits) >> Int32(coarseness)
  }

  private func value(of key: Int32) -> Double {
    let bits = key << Int32(coarseness)
    let low = UInt64(bits.magnitude) << UInt64(52 - NumberSketch.mantissaBits)
    if low == 0 { return 0 }
    let magnitude = Double(bitPattern: low + 1 << UInt64(51 - NumberSketch.mantissaBits + coarseness))
    return key < 0 ? -magnitude : magnitude
  }

  private mutating func add(_ key: Int32, _ count: UInt32) {
    var low = 0
    var high = buckets.count
    while low < high {
      let middle = (low + high) / 2
      if buckets[middle].key < key { low = middle + 1 } else { high = middle }
    }
    if low < buckets.count, buckets[low].key == key {
      let sum = buckets[low].count.addingReportingOverflow(count)
      buckets[low].count = sum.overflow ? .max : sum.partialValue
    } else {
      buckets.insert(Bucket(key: key, count: count), at: low)
    }
  }

  private mutating func compact() {
    while buckets.count > NumberSketch.bucketsMax { coarsen() }
  }

  private mutating func coarsen() {
    coarseness += 1
    let old = buckets
    buckets = []
    for bucket in old { add(bucket.key >> 1, bucket.count) }
  }
}

/// Numbers as logs write them.
enum NumberText {
  /// The value of `12`, `-3.5`, `35ms` or `1h2m` (in seconds); nil for anything else.
  static func value(of text: UnsafeBufferPointer<UInt8>) -> Double? {
    guard text.count > 0, text.count <= 40 else { return nil }
    var index = 0
    let isNegative = text[0] == 0x2D
    if isNegative || text[0] == 0x2B { index = 1 }
    var total = 0.0
    var isFirst = true
    while index < text.count {
      var digits = 0
      var number = 0.0
      while index < text.count, text[index] &- 0x30 < 10 {
        number = number * 10 + Double(text[index] &- 0x30)
        digits += 1
        index += 1
      }
      if index + 1 < text.count, text[index] == 0x2E, digits > 0, text[index + 1] &- 0x30 < 10 {
        index += 1
        var place = 10.0
        while index < text.count, text[index] &- 0x30 < 10 {
          number += Double(text[index] &- 0x30) / place
          place *= 10
          index += 1
        }
      }
      guard digits > 0 else { return nil }
      if index == text.count, isFirst {
        total = number
        break
      }
      let unit = index
      while index < text.count, text[index] &- 0x30 >= 10, text[index] != 0x2E { index += 1 }
      guard let seconds = seconds(UnsafeBufferPointer(rebasing: text[unit..<index])) else { return nil }
      total += number * seconds
      isFirst = false
    }
    return isNegative ? -total : total
  }

  private static func seconds(_ unit: UnsafeBufferPointer<UInt8>) -> Double? {
    let units: [(StaticString, Double)] = [
      ("ms", 1e-3), ("s", 1), ("us", 1e-6), ("ns", 1e-9), ("m", 60), ("h", 3600), ("d", 86_400), ("sec", 1),
      ("min", 60), ("hr", 3600), ("msec", 1e-3), ("\u{B5}s", 1e-6), ("\u{3BC}s", 1e-6),
    ]
    for (name, seconds) in units
    where name.utf8CodeUnitCount == unit.count
      && unit.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    {
      return seconds
    }
    return nil
  }
}
