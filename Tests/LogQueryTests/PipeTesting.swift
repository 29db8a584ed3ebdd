import Domain

@testable import LogQuery

/// `a=1 b=2` as a row; a value may not hold spaces. `\s` stands for one.
func row(_ text: String) -> Row {
  Row(
    text.split(separator: " ").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), Array(parts[1].replacing("\\s", with: " ").utf8))
    })
}

/// The row as `row` reads it.
func text(_ row: Row) -> String {
  row.fields.map { $0.name + "=" + String(decoding: $0.value, as: UTF8.self).replacing(" ", with: "\\s") }
    .joined(separator: " ")
}

func text(of value: String, in row: Row) -> String { String(decoding: row[value], as: UTF8.self) }

let pipeTestNow = Timestamp(seconds: 1_700_000_000)

/// What comes out of `pipes` for `rows`, and how many of them were taken before the chain had enough.
func run(
  _ pipes: [Pipe], on rows: [Row], options: PipeOptions = PipeOptions(now: pipeTestNow), outputMax: Int = Int.max
) throws -> (rows: [Row], taken: Int) {
  final class Output { var rows: [Row] = [] }
  let output = Output()
  let chain = try PipeChain(pipes, options: options) { row in
    output.rows.append(row)
    return output.rows.count < outputMax
  }
  var taken = 0
  for row in rows {
    taken += 1
    if try !chain.push(row) { break }
  }
  try chain.finish()
  return (output.rows, taken)
}

/// The same in words.
func run(_ pipes: Pipe..., on rows: [String], options: PipeOptions = PipeOptions(now: pipeTestNow)) throws -> [String] {
  try run(pipes, on: rows.map(row), options: options).rows.map { text($0) }
}

/// The same numbers for the same seed.
struct PipeTestGenerator: RandomNumberGenerator {
  private var random: PipeRandom
  init(seed: UInt64) { random = PipeRandom(seed: seed) }
  mutating func next() -> UInt64 { random.next() }
}
