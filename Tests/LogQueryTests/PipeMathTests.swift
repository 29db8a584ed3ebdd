import Domain
import Testing

@testable import LogQuery

@Suite struct PipeMathTests {
  private static let fields = "a=7 b=2.5 d=1.5s s=1KiB ip=0.0.1.0 t=1970-01-01T00:00:01Z w=word"

  private static func value(_ expression: MathExpression) throws -> String {
    text(of: "r", in: try run([.math([(expression, "r")])], on: [row(fields)]).rows[0])
  }

  @Test(arguments: [
    (MathOperator.add, "a", "b", "9.5"), (.subtract, "a", "b", "4.5"), (.multiply, "a", "b", "17.5"),
    (.divide, "a", "b", "2.8"),
    (.modulo, "a", "b", "2"), (.power, "a", "a", "823543"), (.add, "d", "a", "1500000007"), (.add, "s", "a", "1031"),
    (.add, "ip", "a", "263"), (.add, "t", "a", "1000000007"), (.add, "w", "a", "NaN"), (.default, "w", "a", "7"),
    (.default, "a", "b", "7"),
    (.add, "missing", "a", "NaN"), (.and, "a", "b", "2"), (.or, "a", "ip", "263"), (.xor, "a", "b", "5"),
  ])
  func `operators work on what fields mean`(operation: MathOperator, left: String, right: String, expected: String)
    throws
  {
    #expect(try Self.value(.binary(operation, .field(left), .field(right))) == expected)
  }

  @Test(arguments: [
    (MathFunction.abs, [-2.5], "2.5"), (.ceil, [1.2], "2"), (.floor, [-1.2], "-2"), (.round, [2.5], "3"),
    (.round, [1.2345, 0.1], "1.2"),
    (.round, [1234, 100], "1200"), (.round, [1.2345, 0.001], "1.235"), (.round, [7, 0], "7"), (.exp, [0], "1"),
    (.ln, [1], "0"), (.max, [1, .nan, 3], "3"),
    (.min, [1, .nan, 3], "1"), (.min, [.nan], "NaN"), (.now, [], "1700000000000000000"), (.ln, [-1], "NaN"),
  ])
  func `functions`(function: MathFunction, arguments: [Double], expected: String) throws {
    #expect(try Self.value(.call(function, arguments.map { .number($0) })) == expected)
  }

  @Test func `rand is in its range and repeats for a seed`() throws {
    let first = try Self.value(.call(.rand, []))

    #expect(try Self.value(.call(.rand, [])) == first)
    #expect((0..<1).contains(Double(first)!))
  }

  @Test func `a later expression sees an earlier result`() throws {
    let pipe = Pipe.math([(.binary(.add, .field("a"), .number(1)), "x"), (.negate(.field("x")), "y")])

    #expect(try run(pipe, on: ["a=1"]) == ["a=1 x=2 y=-2"])
  }

  @Test func `bits of what is negative are no number`() throws {
    #expect(try Self.value(.binary(.and, .number(-1), .number(3))) == "NaN")
    #expect(try Self.value(.binary(.or, .number(1e300), .number(3))) == "NaN")
  }

  @Test(arguments: [
    (0.1, "0.1"), (3.0, "3"), (-0.0, "0"), (1e20, "100000000000000000000"), (1.5e-7, "0.00000015"),
    (1e16, "10000000000000000"), (-2.5, "-2.5"),
    (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (123456789.125, "123456789.125"),
    (1.7976931348623157e308, "17976931348623157" + String(repeating: "0", count: 292)),
    (.leastNonzeroMagnitude, "0." + String(repeating: "0", count: 323) + "5"),
  ])
  func `numbers are written short and without exponent`(number: Double, expected: String) {
    #expect(String(decoding: NumberText.number(number), as: UTF8.self) == expected)
  }

  @Test(arguments: [41, 42])
  func `what is written reads back`(seed: UInt64) {
    var random = PipeTestGenerator(seed: seed)
    for _ in 0..<2000 {
      let number = Double(bitPattern: random.next())
      if number.isFinite { #expect(Double(String(decoding: NumberText.number(number), as: UTF8.self)) == number) }
      let nanoseconds = Int64(bitPattern: random.next()) >> Int64.random(in: 11...63, using: &random)
      let duration = NumberText.duration(nanoseconds)
      #expect(nanoseconds == 0 || duration.withUnsafeBufferPointer { FieldNumber.duration($0) } == nanoseconds)
    }
  }
}
