import Domain

extension Pipe {
  enum Order {
    /// One row in, at most one out, at once.
    case passes
    /// Passes rows up to a number, then wants no more.
    case limits
    /// Answers when all rows are in.
    case gathers
  }

  var order: Order {
    switch self {
    case .fields, .delete, .copy, .rename, .filter, .extract, .extractRegexp, .unpackJSON, .unpackLogfmt, .format,
      .replace,
      .replaceRegexp, .math, .length, .sample, .offset:
      .passes
    case .limit: .limits
    case .sort, .uniq, .top, .stats, .facets, .fieldNames, .fieldValues, .first, .last, .streamContext: .gathers
    }
  }
}

extension PipeChain {
  static func stage(for pipe: Pipe, next: PipeStage, _ context: PipeContext) throws(QueryError) -> PipeStage {
    switch pipe {
    case .fields(let names): return FieldsPipe.keep(names, next: next)
    case .delete(let names): return FieldsPipe.delete(names, next: next)
    case .copy(let pairs): return FieldsPipe.copy(pairs, removesSource: false, next: next)
    case .rename(let pairs): return FieldsPipe.copy(pairs, removesSource: true, next: next)
    case .length(let field, let result): return FieldsPipe.length(of: field, result: result, next: next)
    case .filter(let filter): return FilterStage(try RecordMatcher(filter), next: next)
    case .limit(let count): return LimitStage(count, next: next)
    case .offset(let count): return OffsetStage(count, next: next)
    case .sample(let one): return SampleStage(oneOf: one, seed: context.options.seed, next: next)
    case .sort(let keys, let limit, let offset, let partition, let rank):
      return SortStage(
        pipe: "sort", by: keys, limit: limit, offset: offset, partitionBy: partition, rankField: rank, next: next,
        context)
    case .first(let count, let keys, let partition):
      return SortStage(
        pipe: "first", by: keys, limit: count, offset: 0, partitionBy: partition, rankField: nil, next: next, context)
    case .last(let count, let keys, let partition):
      return SortStage(
        pipe: "last", by: keys, isReversed: true, limit: count, offset: 0, partitionBy: partition, rankField: nil,
        next: next,
        context)
    case .uniq(let fields, let withHits, let limit):
      return UniqStage(by: fields, hitsField: withHits ? "hits" : nil, limit: limit, next: next, context)
    case .fieldValues(let field, let limit): return FieldValuesStage(field, limit: limit, next: next, context)
    case .top(let count, let fields, let hitsField, let rankField):
      return TopStage(count, by: fields, hitsField: hitsField, rankField: rankField, next: next, context)
    case .facets(let limit, let valuesMax, let lengthMax, let keepsConstant):
      return FacetsStage(
        limit: limit, valuesMax: valuesMax, lengthMax: lengthMax, keepsConstant: keepsConstant, next: next, context)
    case .fieldNames(let name): return FieldNamesStage(resultName: name ?? "name", next: next, context)
    case .stats(let groups, let functions): return try StatsStage(by: groups, functions, next: next, context)
    case .extract(let pattern, let from, let keepOriginal, let skipEmpty, let condition):
      return try ExtractPipe.stage(
        pattern, from: from, ResultWriter(keepOriginal: keepOriginal, skipEmpty: skipEmpty), condition, next: next)
    case .extractRegexp(let pattern, let from, let keepOriginal, let skipEmpty, let condition):
      return try ExtractPipe.regexpStage(
        pattern, from: from, ResultWriter(keepOriginal: keepOriginal, skipEmpty: skipEmpty), condition, next: next)
    case .unpackJSON(let unpack):
      return try UnpackPipe.stage(unpack, next: next) { value, take in
        var reader = JSONFieldReader(value)
        reader.read(take)
      }
    case .unpackLogfmt(let unpack):
      return try UnpackPipe.stage(unpack, next: next) { value, take in LogfmtFieldReader.read(value, take) }
    case .format(let pattern, let result, let keepOriginal, let skipEmpty, let condition):
      return try FormatPipe.stage(
        pattern, result: result, ResultWriter(keepOriginal: keepOriginal, skipEmpty: skipEmpty), condition, next: next)
    case .replace(let old, let new, let field, let limit, let condition):
      return try ReplacePipe.stage(old, with: new, at: field, limit: limit, condition, next: next)
    case .replaceRegexp(let pattern, let new, let field, let limit, let condition):
      return try ReplacePipe.regexpStage(pattern, with: new, at: field, limit: limit, condition, next: next)
    case .math(let entries): return MathPipe.stage(entries, context.options, next: next)
    case .streamContext:
      throw QueryError(
        message: "`stream_context` looks around the records that the filter found", column: 0,
        expected: "`stream_context` as the first pipe")
    }
  }
}

/// Writes what `extract`, `unpack_…` and `format` find.
struct ResultWriter {
  var keepOriginal: Bool
  var skipEmpty: Bool

  @inline(__always)
  func write(_ value: [UInt8], to name: String, in row: inout Row) {
    if keepOriginal && !row[name].isEmpty || skipEmpty && value.isEmpty { return }
    if value.isEmpty {
      row.remove(name)
    } else {
      row[name] = value
    }
  }
}

/// The `if (…)` of a pipe.
struct Condition {
  private let matcher: RecordMatcher?

  init(_ filter: Filter?) throws(QueryError) {
    if let filter { matcher = try RecordMatcher(filter) } else { matcher = nil }
  }

  @inline(__always)
  func holds(for row: Row) -> Bool { matcher?.matches(row) ?? true }
}
