import Domain
import Testing

@testable import LogQuery

/// Whatever a query asks and whatever records hold, a chain answers or refuses; it does not fall.
@Suite struct PipeFuzzTests {
  private struct Maker {
    var random: PipeTestGenerator

    mutating func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &random)! }
    mutating func name() -> String { pick(["a", "b", "_time", "_msg", "c*", "*", "", "host", "é"]) }
    mutating func names() -> [String] { (0..<pick([0, 1, 2, 3])).map { _ in name() } }
    mutating func count() -> Int { pick([0, 1, 2, 7, -1, Int.max, Int.min]) }
    mutating func number() -> Double {
      pick([0, 1, -1, 0.1, 1e300, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, 4_294_967_296])
    }
    mutating func flag() -> Bool { Bool.random(using: &random) }

    mutating func filter() -> Filter? {
      switch pick([0, 1, 2, 3]) {
      case 0: .field(name(), .any)
      case 1: .not(.field(name(), .numericRange(lower: number(), upper: number())))
      case 2: .compareFields(name(), .less, name())
      default: nil
      }
    }

    mutating func keys() -> [SortKey] { names().map { SortKey(field: $0, descending: flag()) } }

    mutating func group() -> StatsGroup {
      let bucket: StatsGroup.Bucket =
        switch pick([0, 1, 2, 3, 4]) {
        case 0: .none
        case 1: .time(step: Int64(clamping: count()), offset: Int64(clamping: count()))
        case 2: .calendar(pick([.week, .month, .year]), offset: Int64(clamping: count()))
        case 3: .number(step: number(), offset: number())
        default: .ipv4(prefixLength: pick([-1, 0, 8, 32, 99]))
        }
      return StatsGroup(field: name(), bucket: bucket)
    }

    mutating func function() -> StatsFunction {
      let kind: StatsFunction.Kind = pick([
        .count, .countEmpty, .countUniq, .countUniqHash, .sum, .average, .minimum, .maximum, .median,
        .quantile(number()),
        .values, .uniqValues, .jsonValues, .rowAny, .rowMin(name()), .rowMax(name()), .rate, .rateSum, .sumLength,
        .histogram,
      ])
      return StatsFunction(
        kind: kind, fields: names(), limit: flag() ? count() : nil, condition: filter(), resultName: name())
    }

    mutating func expression(_ depth: Int = 0) -> MathExpression {
      switch pick(depth > 2 ? [0, 1] : [0, 1, 2, 3, 4]) {
      case 0: .number(number())
      case 1: .field(name())
      case 2: .negate(expression(depth + 1))
      case 3:
        .binary(
          pick([.add, .subtract, .multiply, .divide, .modulo, .power, .and, .or, .xor, .default]),
          expression(depth + 1),
          expression(depth + 1))
      default:
        .call(
          pick([.abs, .ceil, .exp, .floor, .ln, .max, .min, .now, .rand, .round]),
          (0..<pick([0, 1, 2, 3])).map { _ in expression(depth + 1) })
      }
    }

    mutating func pattern() -> String {
      pick(["<a>", "x<a> <b>y", "<a", "", "<_>=<host> ", "<time:a><q:b>", "(?P<a>.*)", "(", "$1"])
    }

    mutating func pipe() -> Pipe {
      let unpack = Unpack(
        from: name(), fields: names(), resultPrefix: pick(["", "p."]), keepOriginal: flag(), skipEmpty: flag(),
        condition: filter())
      switch Int.random(in: 0..<25, using: &random) {
      case 0: return .fields(names())
      case 1: return .delete(names())
      case 2: return .copy(names().map { ($0, name()) })
      case 3: return .rename(names().map { ($0, name()) })
      case 4: return .filter(filter() ?? .all)
      case 5, 6:
        return .sort(
          by: keys(), limit: flag() ? count() : nil, offset: count(), partitionBy: names(),
          rankField: flag() ? name() : nil)
      case 7: return .limit(count())
      case 8: return .offset(count())
      case 9: return .uniq(by: names(), withHits: flag(), limit: flag() ? count() : nil)
      case 10: return .top(count(), by: names(), hitsField: name(), rankField: flag() ? name() : nil)
      case 11, 12, 13: return .stats(by: (0..<pick([0, 1, 2])).map { _ in group() }, (0..<3).map { _ in function() })
      case 14:
        return .facets(limit: count(), maxValuesPerField: count(), maxValueLength: count(), keepConstant: flag())
      case 15: return .fieldNames(resultName: flag() ? name() : nil)
      case 16: return .fieldValues(name(), limit: flag() ? count() : nil)
      case 17:
        return .extract(pattern: pattern(), from: name(), keepOriginal: flag(), skipEmpty: flag(), condition: filter())
      case 18:
        return .extractRegexp(
          pattern: pattern(), from: name(), keepOriginal: flag(), skipEmpty: flag(), condition: filter())
      case 19: return flag() ? .unpackJSON(unpack) : .unpackLogfmt(unpack)
      case 20:
        return .format(pattern(), resultField: name(), keepOriginal: flag(), skipEmpty: flag(), condition: filter())
      case 21:
        return .replace(pattern(), with: pattern(), at: name(), limit: flag() ? count() : nil, condition: filter())
      case 22:
        return .replaceRegexp(
          pattern(), with: pattern(), at: name(), limit: flag() ? count() : nil, condition: filter())
      case 23: return .math([(expression(), name())])
      default: return flag() ? .first(count(), by: keys(), partitionBy: names()) : .sample(count())
      }
    }

    mutating func value() -> [UInt8] {
      switch pick([0, 1, 2]) {
      case 0: return (0..<pick([0, 1, 5, 40])).map { _ in UInt8.random(in: 0...255, using: &random) }
      case 1:
        return Array(
          pick([
            "1", "-5", "1.5s", "10KiB", "1.2.3.4", "2024-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00Z",
            "99999999999999999999", "1e999", "-1e308", #"{"a":{"b":[1]}}"#, "a=1 host=\"x\"", "NaN", "x=host y", "-",
            "+.",
          ]).utf8)
      default: return (0..<pick([1, 4, 9])).map { _ in pick(Array("0123456789.:-+eETZsmhKB ".utf8)) }
      }
    }

    mutating func row() -> Row {
      var row = Row()
      for name in ["a", "b", "_time", "_msg", "cc", "é"] where flag() { row[name] = value() }
      return row
    }
  }

  @Test(arguments: [61, 62, 63, 64])
  func `no chain falls`(seed: UInt64) {
    var maker = Maker(random: PipeTestGenerator(seed: seed))
    for _ in 0..<400 {
      let pipes = (0..<maker.pick([1, 2, 3])).map { _ in maker.pipe() }
      let rows = (0..<12).map { _ in maker.row() }
      do {
        _ = try run(pipes, on: rows, options: PipeOptions(now: pipeTestNow, byteCountMax: maker.pick([500, 1 << 20])))
      } catch {
        #expect(error is QueryError || error is PipeLimitError, "seed \(seed)")
      }
      _ = PipeChain.neededFields(by: pipes)
    }
  }
}
