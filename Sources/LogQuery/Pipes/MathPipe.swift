import Domain

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// `math`: arithmetic on fields read as numbers. What is no number is NaN, and so is what is made of it.
enum MathPipe {
  static func stage(
    _ entries: [(expression: MathExpression, resultField: String)], _ options: PipeOptions, next: PipeStage
  ) -> PipeStage {
    var calculator = MathCalculator(options)
    return RowStage(next: next) { row in
      for (expression, result) in entries {
        row[result] = NumberText.number(calculator.value(of: expression, in: row))
      }
    }
  }
}

struct MathCalculator {
  private let now: Double
  private var random: PipeRandom

  init(_ options: PipeOptions) {
    now = Double(options.now.nanoseconds)
    random = PipeRandom(seed: options.seed)
  }

  mutating func value(of expression: MathExpression, in row: Row) -> Double {
    switch expression {
    case .number(let number): return number
    case .field(let name): return row.withField(name) { FieldNumber.value($0) ?? .nan }
    case .negate(let inner): return -value(of: inner, in: row)
    case .binary(let operation, let left, let right):
      return MathCalculator.apply(operation, value(of: left, in: row), value(of: right, in: row))
    case .call(let function, let arguments): return call(function, arguments, row)
    }
  }

  private static func apply(_ operation: MathOperator, _ left: Double, _ right: Double) -> Double {
    switch operation {
    case .add: left + right
    case .subtract: left - right
    case .multiply: left * right
    case .divide: left / right
    case .modulo: fmod(left, right)
    case .power: pow(left, right)
    case .and: bitwise(left, right, &)
    case .or: bitwise(left, right, |)
    case .xor: bitwise(left, right, ^)
    case .default: left.isNaN ? right : left
    }
  }

  /// NaN unless both are at least 0 and fit 64 bits; fractions are cut off.
  private static func bitwise(_ left: Double, _ right: Double, _ operation: (UInt64, UInt64) -> UInt64) -> Double {
    guard left >= 0, right >= 0, left < 0x1p64, right < 0x1p64 else { return .nan }
    return Double(operation(UInt64(left), UInt64(right)))
  }

  private mutating func call(_ function: MathFunction, _ arguments: [MathExpression], _ row: Row) -> Double {
    let values = arguments.map { value(of: $0, in: row) }
    let first = values.first ?? .nan
    switch function {
    case .abs: return first.magnitude
    case .ceil: return first.rounded(.up)
    case .floor: return first.rounded(.down)
    case .exp: return exp(first)
    case .ln: return log(first)
    case .max: return values.filter { !$0.isNaN }.max() ?? .nan
    case .min: return values.filter { !$0.isNaN }.min() ?? .nan
    case .now: return now
    case .rand: return random.unit()
    case .round: return values.count > 1 ? MathCalculator.round(first, to: values[1]) : first.rounded()
    }
  }

  /// To the nearest multiple of `step`. Steps like 0.1 are taken as one of ten parts: 1.2 then prints as 1.2.
  private static func round(_ value: Double, to step: Double) -> Double {
    let step = step.magnitude
    guard step > 0, step.isFinite, value.isFinite else { return value }
    if step < 1 {
      let parts = (1 / step).rounded()
      if (parts * step - 1).magnitude < 1e-12, (value * parts).isFinite { return (value * parts).rounded() / parts }
    }
    return (value / step).rounded() * step
  }
}
