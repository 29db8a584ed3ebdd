internal import ArgumentParser
internal import Embedding

/// `timberline eval search`: ranks the patterns of a pool for each query, as the product does.
struct EvalSearch: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search", abstract: "Rank a pool of patterns for queries in plain words.")

  @Option(help: "Patterns: {\"id\", \"template\"} a line.")
  var pool: String

  @Option(help: "Queries: {\"qid\", \"query\"} a line.")
  var queries: String

  @Option(help: "Where rankings are written: {\"qid\", \"ranking\": [id]} a line.")
  var out: String

  @Option(help: "How many patterns to answer for a query.")
  var limit = 100

  @Option(help: "A transformer's model file, as `timberline model add` takes it, for the second stage.")
  var model: String?

  @Option(help: "Ask every query so often of the patterns below and print how long it took.")
  var `repeat` = 0

  @Option(help: "A text file of patterns, one a line, to ask instead of the pool.")
  var patterns: String?

  @Option(help: "How many made-up patterns to ask instead of the pool.")
  var synthetic: Int?

  struct PoolRow: Decodable {
    let id: String
    let template: String
  }

  struct QueryRow: Decodable {
    let qid: String
    let query: String
  }

  struct Ranking: Codable, Equatable {
    let qid: String
    let ranking: [String]
  }

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit is at least 1") }
    guard synthetic ?? 0 >= 0, `repeat` >= 0 else { throw ValidationError("counts are not negative") }
  }

  func run() throws {
    let rows = try JSONLines.read(PoolRow.self, from: pool)
    let questions = try JSONLines.read(QueryRow.self, from: queries)
    let transformer = try model.map { path in
      do { return try TransformerEmbedder(TransformerModelBytes(copying: DataFile.read(path))) } catch let error
        as TransformerModelError
      { throw DataFileError(path: path, reason: error.description) }
    }
    try JSONLines.write(
      EvalSearch.rankings(of: questions, over: rows, limit: limit, transformer: transformer), to: out)
    if `repeat` > 0 {
      var texts = rows.map(\.template)
      if let synthetic { texts = SearchBench.syntheticPatterns(count: synthetic) }
      if let patterns {
        let text = try DataFile.read(patterns)
        texts = DataFile.lines(of: text).map { String(decoding: text[$0], as: UTF8.self) }
      }
      print(SearchBench(patterns: texts, queries: questions.map(\.query), repeatCount: `repeat`).run().text)
    }
  }

  static func rankings(
    of queries: [QueryRow], over pool: [PoolRow], limit: Int, transformer: TransformerEmbedder? = nil
  ) -> [Ranking] {
    var index = PatternSearchIndex()
    index.insert(pool.enumerated().map { (id: UInt32($0.offset), text: $0.element.template) })
    let vectors = transformer?.embed(pool.map(\.template)) ?? []
    return queries.map { row in
      let opinion = transformer.map { transformer in
        let query = transformer.embed(row.query)
        let cosines = vectors.enumerated().map { offset, vector in
          (UInt32(offset), zip(query, vector).reduce(0) { $0 + $1.0 * $1.1 })
        }
        return PatternSearchIndex.Opinion(cosines: Dictionary(uniqueKeysWithValues: cosines))
      }
      let ids = index.search(row.query, limit: limit, opinion: opinion).map(\.id)
      return Ranking(qid: row.qid, ranking: ids.map { pool[Int($0)].id })
    }
  }
}
