/// Which fields of a record a query looks at.
package enum FieldSelection: Sendable, Equatable {
  case all
  /// These and no other, each once; none if only the number of rows matters.
  case only([String])
}

extension PipeChain {
  /// The fields that rows pushed into a chain of `pipes` need to have.
  package static func neededFields(by pipes: [Pipe]) -> FieldSelection {
    let need = FieldNeed(pipes)
    return need.isAll ? .all : .only(need.names)
  }

  /// The fields that `pipes` read by their names, also where they need all: those that are made on demand (`pattern`,
  /// `template`, short names) belong into a row only if they stand here.
  package static func namedFields(by pipes: [Pipe]) -> [String] { FieldNeed(pipes).names }
}
