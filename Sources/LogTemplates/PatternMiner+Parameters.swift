package import Domain

/// The variables of a pattern, and which variables of a template are in them.
extension PatternMiner {
  /// One wildcard of a pattern, as one of its templates fills it.
  package struct Parameter: Sendable, Equatable {
    /// What the value is made of, in order: `node-` and a slot.
    package enum Part: Sendable, Equatable {
      case text([UInt8])
      /// Index among the template's slots.
      case slot(Int)
    }

    /// Which token of the pattern it is: equal for all templates of a pattern that a person did not merge.
    package var position: Int
    /// `<ip>`, `<num>`, `<path>` ...
    package var name: String
    package var parts: [Part]

    /// Appends the value that `variables`, spans of `bytes` for each slot of the template, give it.
    package func appendValue(
      of variables: ArraySlice<ByteSpan>, in bytes: UnsafeBufferPointer<UInt8>, to value: inout [UInt8]
    ) {
      for part in parts {
        switch part {
        case .text(let text): value += text
        case .slot(let index):
          guard index < variables.count else { continue }
          value.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[variables[variables.startIndex + index].range]))
        }
      }
    }
  }

  /// The variables of `template` as its pattern shows them, slots of the line's head left out. Worth keeping: it reads
  /// the whole template.
  package func parameters(of template: Template) -> [Parameter] {
    var reader = SignatureReader()
    var frames = frames
    reader.read(template, frames: &frames)
    return reader.tokens.enumerated().compactMap { index, token in
      let parts = reader.parameterParts(of: index)
      guard !parts.isEmpty else { return nil }
      return Parameter(position: index, name: (token.mask ?? .any).name.description, parts: parts)
    }
  }
}
