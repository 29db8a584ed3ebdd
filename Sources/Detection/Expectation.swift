/// How many records a minute are to be expected of a series, and how far counts stray from that.
package struct Expectation: Hashable, Sendable {
  /// What an expectation rests on, in the order of preference.
  package enum Basis: Hashable, Sendable {
    /// The median of the same hour of the week, over so many weeks.
    case hourOfWeek(weeks: Int)
    /// The median of the same hour of the day, over so many days.
    case hourOfDay(days: Int)
    /// The median of so many minutes before.
    case recent(minutes: Int)
    /// The median of so many other windows.
    case windows(Int)
    /// Nothing is known yet.
    case none

    /// `same hour of the week, 4 weeks`
    package var description: String {
      switch self {
      case .hourOfWeek(let weeks): "same hour of the week, \(weeks) weeks"
      case .hourOfDay(let days): "same hour of the day, \(days) days"
      case .recent(let minutes): "the \(minutes) minutes before"
      case .windows(let count): "the median of \(count) other windows"
      case .none: "nothing known before"
      }
    }
  }

  package var rate: Double
  /// A standard deviation upward and downward, as measured: bursts are common where pauses are not.
  package var spreadAbove: Double
  package var spreadBelow: Double
  package var basis: Basis

  package static let none = Expectation(rate: 0, spreadAbove: 0, spreadBelow: 0, basis: .none)

  /// The deviation of a minute's count, in standard deviations.
  package func z(_ observed: Double) -> Double {
    Deviation.z(observed: observed, expected: rate, spread: observed >= rate ? spreadAbove : spreadBelow)
  }

  /// The deviation of the sum of `minutes` counts. The tenth of the level does not average out: it is how far levels
  /// drift, not noise.
  func z(sum: Double, minutes: Int) -> Double {
    let count = Double(minutes)
    let spread = sum >= rate * count ? spreadAbove : spreadBelow
    return (sum - rate * count)
      / (count * (max(rate, 0.5) + spread * spread) + (0.1 * rate * count) * (0.1 * rate * count)).squareRoot()
  }
}

extension Expectation.Basis {
  var code: (kind: UInt8, count: UInt16) {
    switch self {
    case .none: (0, 0)
    case .recent(let minutes): (1, UInt16(clamping: minutes))
    case .hourOfDay(let days): (2, UInt16(clamping: days))
    case .hourOfWeek(let weeks): (3, UInt16(clamping: weeks))
    case .windows(let count): (4, UInt16(clamping: count))
    }
  }

  init(kind: UInt8, count: UInt16) throws(DetectorStateError) {
    switch kind {
    case 0: self = .none
    case 1: self = .recent(minutes: Int(count))
    case 2: self = .hourOfDay(days: Int(count))
    case 3: self = .hourOfWeek(weeks: Int(count))
    case 4: self = .windows(Int(count))
    default: throw .corrupt
    }
  }
}

extension Expectation {
  func write(to writer: inout StateWriter) {
    writer.append(rate)
    writer.append(spreadAbove)
    writer.append(spreadBelow)
    writer.append(basis.code.kind)
    writer.append(basis.code.count)
  }

  init(from reader: inout StateReader) throws(DetectorStateError) {
    rate = try reader.double()
    spreadAbove = try reader.double()
    spreadBelow = try reader.double()
    guard rate >= 0, spreadAbove >= 0, spreadBelow >= 0 else { throw .corrupt }
    let kind = try reader.byte()
    basis = try Basis(kind: kind, count: try reader.half())
  }
}
