internal import CKernels
internal import Domain

/// What patterns are called.
extension PatternMiner {
  /// The text of a living pattern.
  package func text(of pattern: UInt32) -> PatternText? {
    guard let place = living[pattern] else { return nil }
    let (text, namedText) = composed(pattern, place)
    return PatternText(pattern: pattern, text: text, namedText: namedText, isNew: false)
  }

  private func composed(_ pattern: UInt32, _ place: Living) -> (String, String) {
    if place.group >= 0 { return text(ofLeaf: Int(place.leaf), in: groups[Int(place.group)].tree) }
    if pattern == overflowPattern { return ("<*>", "<*>") }
    return textOfPinned(pattern)
  }

  /// Tells the text of the pattern at `leaf` if it is new or another.
  mutating func describe(_ leaf: Int, of group: Int, _ changes: inout Changes) {
    let tree = groups[group].tree
    let pattern = tree.nodes[leaf].pattern
    // Another stands for it, and is called by its own name.
    guard mergedInto[pattern] == nil, living[pattern].map({ $0.group >= 0 }) ?? true else { return }
    living[pattern, default: Living(group: 0, leaf: 0)].group = Int32(truncatingIfNeeded: group)
    living[pattern]!.leaf = Int32(truncatingIfNeeded: leaf)
    let (text, namedText) = text(ofLeaf: leaf, in: tree)
    tell(pattern, text, namedText, &changes)
  }

  mutating func tell(_ pattern: UInt32, _ text: String, _ namedText: String, _ changes: inout Changes) {
    var hash = PatternMiner.hash(text, 0)
    hash = PatternMiner.hash(namedText, hash) | 1
    guard let known = living[pattern]?.told, known != hash else { return }
    living[pattern]!.told = hash
    changes.texts.append(PatternText(pattern: pattern, text: text, namedText: namedText, isNew: known == 0))
  }

  private static func hash(_ text: String, _ seed: UInt64) -> UInt64 {
    var text = text
    return text.withUTF8 { tl_hash64($0.baseAddress, $0.count, seed) }
  }

  private func text(ofLeaf leaf: Int, in tree: PatternTree) -> (String, String) {
    let node = tree.nodes[leaf]
    let first = Int(node.members[0]) * tree.width
    return text(width: tree.width) { position in
      let token = tree.tokens[first + position]
      if node.fillers.isEmpty { return (token, tree.pieces[first + position]) }
      let fillers = node.fillers[position]
      return (fillers.isShared ? token : PatternVocabulary.wildcard, fillers.piece)
    }
  }

  /// Puts pieces together. Where there is no one piece, the token itself stands, or a wildcard.
  func text(width: Int, _ piece: (Int) -> (token: Int32, piece: PatternTree.Piece)) -> (String, String) {
    var plain: [UInt8] = []
    var named: [UInt8] = []
    for position in 0..<width {
      let (token, piece) = piece(position)
      if piece.plain >= 0 {
        PatternMiner.append(pieceTexts[Int(piece.plain)], to: &plain)
        PatternMiner.append(pieceTexts[Int(piece.named >= 0 ? piece.named : piece.plain)], to: &named)
        continue
      }
      if piece.hasLead {
        plain.append(0x20)
        named.append(0x20)
      }
      if token == PatternVocabulary.wildcard {
        PatternMiner.append([Template.slotMarker, 0], to: &plain)
        PatternMiner.append([Template.slotMarker, piece.mask.rawValue], to: &named)
      } else {
        plain += vocabulary.text(of: token)
        named += vocabulary.text(of: token)
      }
    }
    return (PatternMiner.trimmed(plain), PatternMiner.trimmed(named))
  }

  private static func append(_ piece: ArraySlice<UInt8>, to text: inout [UInt8]) {
    var index = piece.startIndex
    while index < piece.endIndex {
      if piece[index] == Template.slotMarker, index + 1 < piece.endIndex {
        let name = (SignatureReader.Mask(rawValue: piece[index + 1]) ?? .any).name
        text.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        index += 2
      } else {
        text.append(piece[index])
        index += 1
      }
    }
  }

  private static func trimmed(_ text: [UInt8]) -> String {
    var text = text[...]
    while text.first == 0x20 { text.removeFirst() }
    while text.last == 0x20 { text.removeLast() }
    return String(decoding: text, as: UTF8.self)
  }
}
