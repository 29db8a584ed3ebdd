import Domain
import Testing

@testable import LogQuery

@Suite struct PipeNeedTests {
  private static let a = Filter.field("a", .any)

  @Test(
    arguments: [
      ([], .all), ([.limit(1)], .all), ([.fields(["a", "b"])], .only(["a", "b"])), ([.fields(["a*"])], .all),
      ([.fields(["*"])], .all),
      ([.fields(["b"]), .filter(a)], .only(["b"])), ([.filter(a), .fields(["b"])], .only(["b", "a"])),
      ([.delete(["b"]), .fields(["a", "b"])], .only(["a"])), ([.copy([("a", "b")]), .fields(["b"])], .only(["a"])),
      ([.copy([("a", "b")]), .fields(["a", "b"])], .only(["a"])),
      ([.rename([("a", "b")]), .fields(["a", "b"])], .only(["a"])),
      ([.rename([("p*", "*")]), .fields(["x"])], .only(["x", "px"])), ([.stats(by: [], [count()])], .only([])),
      ([.stats(by: [], [count("*")])], .only([])),
      ([.stats(by: [StatsGroup(field: "h")], [count("x")])], .only(["h", "x"])),
      ([.stats(by: [], [of(.sum, "p*")])], .all), ([.stats(by: [], [of(.rate)])], .only(["_time"])),
      ([.stats(by: [], [of(.rowAny)])], .all),
      ([.stats(by: [], [of(.rowMax("m"), "x")])], .only(["x", "m"])),
      ([.stats(by: [], [of(.countUniq, "u", if: a)])], .only(["u", "a"])),
      ([.uniq(by: ["a"], withHits: true, limit: nil)], .only(["a"])),
      ([.uniq(by: [], withHits: true, limit: nil)], .all),
      ([.top(3, by: ["a"], hitsField: "hits", rankField: nil), .fields(["hits"])], .only(["a"])),
      (
        [
          .sort(by: [SortKey(field: "s", descending: true)], limit: 3, offset: 0, partitionBy: ["p"], rankField: "r"),
          .fields(["r", "a"]),
        ], .only(["a", "s", "p"])
      ),
      ([.sort(by: [], limit: 3, offset: 0, partitionBy: [], rankField: nil), .fields(["a"])], .all),
      ([.facets(limit: 1, maxValuesPerField: 1, maxValueLength: 1, keepConstant: false)], .all),
      ([.fieldNames(resultName: nil)], .all),
      ([.fieldValues("v", limit: nil)], .only(["v"])),
      ([extract("<x> <y>;"), .fields(["x", "b"])], .only(["b", "_msg"])),
      ([extract("<x>;", if: a), .fields(["x"])], .only(["x", "_msg", "a"])),
      (
        [
          .extractRegexp(pattern: "(?P<x>.)", from: "f", keepOriginal: false, skipEmpty: false, condition: nil),
          .fields(["x"]),
        ], .only(["f"])
      ),
      (
        [
          .unpackJSON(
            Unpack(from: "j", fields: [], resultPrefix: "", keepOriginal: false, skipEmpty: false, condition: nil)),
          .fields(["x"]),
        ], .only(["x", "j"])
      ),
      (
        [
          .unpackJSON(
            Unpack(from: "j", fields: ["x"], resultPrefix: "p.", keepOriginal: false, skipEmpty: false, condition: nil)),
          .fields(["p.x"]),
        ], .only(["j"])
      ),
      (
        [
          .format("<a> <time:b>", resultField: "r", keepOriginal: false, skipEmpty: false, condition: nil),
          .fields(["r"]),
        ], .only(["a", "b"])
      ),
      ([.replace("x", with: "y", at: "r", limit: nil, condition: a), .fields(["b"])], .only(["b"])),
      ([.replace("x", with: "y", at: "b", limit: nil, condition: a), .fields(["b"])], .only(["b", "a"])),
      ([.math([(.binary(.add, .field("a"), .number(1)), "x"), (.field("x"), "y")]), .fields(["y"])], .only(["a"])),
      ([.length(of: "a", resultField: "n"), .fields(["n"])], .only(["a"])),
      (
        [.first(1, by: [SortKey(field: "a", descending: false)], partitionBy: ["p"]), .fields(["b"])],
        .only(["b", "a", "p"])
      ),
      (
        [.filter(.and([.time(.all), .stream([]), .streamID([]), .compareFields("l", .less, "r")])), .fields(["b"])],
        .only(["b", "_time", "_stream", "_stream_id", "l", "r"])
      ),
    ] as [([Pipe], FieldSelection)])
  func `pipes say which fields they read`(pipes: [Pipe], expected: FieldSelection) {
    #expect(PipeChain.neededFields(by: pipes) == expected)
  }

  @Test func `names are told even where all fields are needed`() {
    #expect(PipeChain.namedFields(by: [.filter(.field("pattern", .any)), .limit(1)]) == ["pattern"])
    #expect(PipeChain.namedFields(by: [.filter(.field("pattern", .any)), .fields(["*"])]) == ["pattern"])
    #expect(PipeChain.namedFields(by: [.limit(1)]).isEmpty)
  }

  @Test(
    arguments: [
      ([], true, false), ([.limit(1)], true, true), ([.filter(a), .fields(["a"])], true, false),
      ([.offset(1), .limit(1)], true, true),
      ([.stats(by: [], []), .limit(1)], false, false), ([.uniq(by: ["a"], withHits: false, limit: 5)], false, true),
      ([.uniq(by: ["a"], withHits: true, limit: 5)], false, false),
      ([.sort(by: [], limit: 1, offset: 0, partitionBy: [], rankField: nil)], false, false),
    ] as [([Pipe], Bool, Bool)])
  func `pipes say whether they stream and whether they stop early`(pipes: [Pipe], streams: Bool, stops: Bool) {
    #expect(PipeChain.isStreaming(pipes) == streams)
    #expect(PipeChain.stopsEarly(pipes) == stops)
    #expect(PipeChain.keepsOrder(pipes) == (streams || stops))
  }

  @Test(arguments: [51, 52, 53, 54])
  func `rows with only the needed fields give the same answer`(seed: UInt64) throws {
    var random = PipeTestGenerator(seed: seed)
    let names = ["a", "b", "c", "d"]
    func name() -> String { names.randomElement(using: &random)! }
    func pipe() -> Pipe {
      switch Int.random(in: 0..<9, using: &random) {
      case 0: .fields([name(), name()])
      case 1: .delete([name()])
      case 2: .copy([(name(), name())])
      case 3: .rename([(name(), name())])
      case 4: .filter(.field(name(), .any))
      case 5: .math([(.binary(.add, .field(name()), .field(name())), name())])
      case 6:
        .format(
          "<\(name())>-<\(name())>", resultField: name(), keepOriginal: Bool.random(using: &random), skipEmpty: false,
          condition: nil)
      case 7:
        .sort(by: [SortKey(field: name(), descending: false)], limit: 20, offset: 0, partitionBy: [], rankField: name())
      default: .stats(by: [StatsGroup(field: name())], [Self.of(.sum, name())])
      }
    }
    let rows = (0..<30).map { _ in
      Row(
        names.filter { _ in Int.random(in: 0..<4, using: &random) > 0 }.map {
          ($0, Array("\(Int.random(in: 0..<9, using: &random))".utf8))
        })
    }

    for _ in 0..<200 {
      let pipes =
        (0..<Int.random(in: 1...4, using: &random)).map { _ in pipe() } + [
          .stats(by: [StatsGroup(field: name())], [Self.count(name())])
        ]
      guard case .only(let needed) = PipeChain.neededFields(by: pipes) else { continue }
      let whole = try run(pipes, on: rows).rows
      let part = try run(pipes, on: rows.map { row in Row(row.fields.filter { needed.contains($0.name) }) }).rows
      #expect(whole == part, "seed \(seed), \(pipes)")
    }
  }

  private static func count(_ fields: String...) -> StatsFunction {
    StatsFunction(kind: .count, fields: fields, resultName: "n")
  }

  private static func of(_ kind: StatsFunction.Kind, _ fields: String..., if condition: Filter? = nil) -> StatsFunction
  {
    StatsFunction(kind: kind, fields: fields, condition: condition, resultName: "n")
  }

  private static func extract(_ pattern: String, if condition: Filter? = nil) -> Pipe {
    .extract(pattern: pattern, from: "_msg", keepOriginal: false, skipEmpty: false, condition: condition)
  }
}
