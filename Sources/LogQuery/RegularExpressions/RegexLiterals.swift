/// What literal text an expression is or needs.
struct RegexLiterals {
  /// One text, in lower case where case is ignored.
  struct Text: Hashable {
    var bytes: [UInt8] = []
    var ignoresCase = false

    static func + (left: Text, right: Text) -> Text {
      Text(bytes: left.bytes + right.bytes, ignoresCase: left.ignoresCase || right.ignoresCase)
    }
  }

  /// What every match contains, the most telling first.
  let required: [RequiredText]
  /// The text, when the expression matches it wherever it stands and nothing else.
  let literal: [UInt8]?

  private static let byteCountMax = 64
  private static let clauseCountMax = 4

  init(_ node: RegexNode) {
    let found = Finding(node)
    var clauses = found.clauses
    if let exact = found.exact { clauses.append(exact) }
    required = Array(
      clauses.compactMap(RegexLiterals.clause).sorted { $0.strength > $1.strength }
        .prefix(RegexLiterals.clauseCountMax))
    if let exact = found.exact, exact.count == 1, !exact[0].ignoresCase, !found.hasAssertions {
      literal = exact[0].bytes
    } else {
      literal = nil
    }
  }

  private static func clause(_ texts: [Text]) -> RequiredText? {
    RequiredText(texts.map(\.bytes), ignoresCase: texts.contains(where: \.ignoresCase))
  }

  /// What is known of a part of an expression.
  private struct Finding {
    /// All texts that the part matches, if they are few. An assertion is an empty one.
    var exact: [Text]?
    /// Texts of which any match contains one, a list each; empty where `exact` says it all.
    var clauses: [[Text]] = []
    var hasAssertions = false

    init(_ node: RegexNode) {
      switch node {
      case .empty: exact = [Text()]
      case .scalars(let set): exact = Finding.texts(of: set)
      case .assertion:
        exact = [Text()]
        hasAssertions = true
      case .group(let inner, _): self = Finding(inner)
      case .concatenation(let parts): concatenate(parts.map { Finding($0) })
      case .alternation(let branches): alternate(branches.map { Finding($0) })
      case .repetition(let inner, let lowest, let highest, _):
        let inner = Finding(inner)
        hasAssertions = inner.hasAssertions
        if lowest == 0, highest == 1, let texts = inner.exact {
          exact = Finding.distinct(texts + [Text()])
        } else if lowest == highest, lowest > 0, lowest <= RegexLiterals.byteCountMax {
          concatenate(Array(repeating: inner, count: lowest))
        } else if lowest > 0 {
          clauses = inner.clauses + (inner.exact.map { [$0] } ?? [])
        }
      }
    }

    private mutating func concatenate(_ parts: [Finding]) {
      var run = [Text()]
      var isExact = true
      for part in parts {
        if part.hasAssertions { hasAssertions = true }
        if let texts = part.exact, let joined = Finding.product(run, texts) {
          run = joined
          continue
        }
        isExact = false
        clauses.append(run)
        clauses += part.clauses
        run = part.exact ?? [Text()]
      }
      if isExact { exact = run } else { clauses.append(run) }
      clauses.removeAll { $0.contains { $0.bytes.isEmpty } }
    }

    private mutating func alternate(_ branches: [Finding]) {
      hasAssertions = branches.contains(where: \.hasAssertions)
      let texts = branches.compactMap(\.exact)
      if texts.count == branches.count {
        let all = Finding.distinct(texts.flatMap(\.self))
        if all.count <= RequiredText.alternativesMax {
          exact = all
          return
        }
      }
      var union: [Text] = []
      for branch in branches {
        let candidates = branch.clauses + (branch.exact.map { [$0] } ?? [])
        func strength(_ clause: [Text]) -> Int { clause.reduce(.max) { min($0, $1.bytes.count) } }
        guard let best = candidates.max(by: { strength($0) < strength($1) }), strength(best) > 0 else { return }
        union += best
      }
      clauses = [Finding.distinct(union)]
    }

    private static func product(_ left: [Text], _ right: [Text]) -> [Text]? {
      guard left.count * right.count <= RequiredText.alternativesMax else { return nil }
      let joined = left.flatMap { first in right.map { first + $0 } }
      return joined.allSatisfy { $0.bytes.count <= RegexLiterals.byteCountMax } ? distinct(joined) : nil
    }

    private static func distinct(_ texts: [Text]) -> [Text] {
      var seen: Set<Text> = []
      return texts.filter { seen.insert($0).inserted }
    }

    /// The scalars of a small set, an ASCII letter in both cases as one.
    private static func texts(of set: ScalarSet) -> [Text]? {
      guard set.ranges.reduce(0, { $0 + $1.count }) <= 4, !set.ranges.isEmpty else { return nil }
      var texts: [Text] = []
      for value in set.ranges.joined() {
        guard let scalar = Unicode.Scalar(value) else { return nil }
        if (0x41...0x5A).contains(value), set.contains(value | 0x20) { continue }
        let isPair = (0x61...0x7A).contains(value) && set.contains(value & ~0x20)
        texts.append(Text(bytes: Array(Character(scalar).utf8), ignoresCase: isPair))
      }
      return texts
    }
  }
}
