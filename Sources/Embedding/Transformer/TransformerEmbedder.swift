internal import CKernels

/// A BERT encoder such as all-MiniLM-L6-v2, from a model file: the mean of its last layer's tokens (Reimers and
/// Gurevych 2019). It reads words in their order and context, where `StaticEmbedder` adds them up; about a millisecond
/// a text instead of microseconds.
///
/// Safe from any thread. The file is read in place; a call works in memory of its own, about 3 MB at most.
///
/// `@unchecked Sendable`: everything is constant once it is made, and `file` keeps what `model` points to.
package final class TransformerEmbedder: Embedder, @unchecked Sendable {
  package let description: TransformerModelDescription

  package var identity: String { description.identity }
  package var dimension: Int { description.dimension }

  private let file: TransformerModelBytes
  private let model: TransformerModelFile

  /// Texts are run together up to so many tokens: every weight is then read once from memory for all of them.
  private static let tokensAtOnceMax = 256

  /// - Throws: What is wrong with the file. No bytes crash it.
  package init(_ file: TransformerModelBytes) throws(TransformerModelError) {
    self.file = file
    model = try TransformerModelFile(file.bytes)
    description = model.description
  }

  package func embed(_ text: String) -> [Float] { embed([text])[0] }

  /// As `embed(_:)` of each; many at once are quicker.
  package func embed(_ texts: [String]) -> [[Float]] {
    var vectors: [[Float]] = []
    vectors.reserveCapacity(texts.count)
    var batch = TransformerBatch()
    var scratch: TransformerScratch?
    func run() {
      if batch.tokens.isEmpty { return }
      if scratch.map({ $0.rowsMax < batch.tokens.count }) ?? true {
        // One text needs no more than it has; with the second batch come many.
        let rowsMax = vectors.isEmpty ? batch.tokens.count : TransformerEmbedder.tokensAtOnceMax
        scratch = TransformerScratch(shape: model.shape, rowsMax: max(rowsMax, batch.tokens.count))
      }
      if let scratch { vectors += forward(batch, scratch) }
      batch = TransformerBatch()
    }
    for text in texts {
      let tokens = tokens(of: text)
      if batch.tokens.count + tokens.count > TransformerEmbedder.tokensAtOnceMax { run() }
      batch.append(tokens)
    }
    run()
    return vectors
  }

  /// The pieces of `text` between the opening and the ending one, cut to what the model has positions for.
  package func tokens(of text: String) -> [UInt16] {
    let vocabulary = model.vocabulary
    var tokens = [vocabulary.opening]
    let countMax = model.shape.positions - 1
    BasicTokenizer.forEachWord(in: PreparedText.prepare(text)) { word in
      if tokens.count < countMax { vocabulary.appendPieces(of: word, to: &tokens) }
    }
    if tokens.count > countMax { tokens.removeLast(tokens.count - countMax) }
    tokens.append(vocabulary.ending)
    return tokens
  }

  private func forward(_ batch: TransformerBatch, _ scratch: TransformerScratch) -> [[Float]] {
    let shape = model.shape
    let hidden = shape.hidden
    let rowCount = batch.tokens.count
    let rows = scratch.rows
    let branch = scratch.branch
    let wide = scratch.wide

    for text in batch.texts {
      for (position, row) in text.enumerated() {
        let piece = Int(batch.tokens[row])
        tl_scale_i8(
          model.pieces + piece * hidden, model.pieceScales[piece], model.positions + position * hidden, hidden,
          rows + row * hidden)
      }
    }
    normalize(rows, adding: nil, rowCount, model.norm)

    for layer in model.layers {
      multiply(rows, rowCount, by: layer.projection, scratch, into: wide)
      for text in batch.texts {
        tl_attention_f32(
          wide + text.lowerBound * 3 * hidden, text.count, shape.heads, shape.headWidth, scratch.attention,
          branch + text.lowerBound * hidden)
      }
      multiply(branch, rowCount, by: layer.attended, scratch, into: branch)
      normalize(rows, adding: branch, rowCount, layer.attentionNorm)

      multiply(rows, rowCount, by: layer.inner, scratch, into: wide)
      tl_gelu_f32(wide, rowCount * shape.inner)
      multiply(wide, rowCount, by: layer.outer, scratch, into: branch)
      normalize(rows, adding: branch, rowCount, layer.outerNorm)
    }
    return batch.texts.map { text in
      let isKnown = batch.tokens[text].dropFirst().dropLast().contains { $0 != model.vocabulary.unknown }
      return isKnown ? mean(of: text, rows) : Array(repeating: 0, count: hidden)
    }
  }

  /// `input` is read before anything is written, so `output` may be the same.
  private func multiply(
    _ input: UnsafePointer<Float>, _ rowCount: Int, by matrix: tl_matrix_i8, _ scratch: TransformerScratch,
    into output: UnsafeMutablePointer<Float>
  ) {
    tl_quantize_rows_i8(input, rowCount, matrix.input_count, scratch.quantized)
    tl_matmul_i8(scratch.quantized, rowCount, matrix, output)
  }

  private func normalize(
    _ rows: UnsafeMutablePointer<Float>, adding added: UnsafePointer<Float>?, _ rowCount: Int,
    _ norm: TransformerModelFile.Norm
  ) {
    tl_layer_norm_f32(rows, added, rowCount, model.shape.hidden, norm.gain, norm.offset, model.shape.epsilon)
  }

  /// The direction of the mean; zeros where numbers of a strange model have grown beyond all bounds.
  private func mean(of text: Range<Int>, _ rows: UnsafePointer<Float>) -> [Float] {
    let hidden = model.shape.hidden
    var vector = [Float](repeating: 0, count: hidden)
    vector.withUnsafeMutableBufferPointer { vector in
      for row in text {
        for index in 0..<hidden { vector[index] += rows[row * hidden + index] }
      }
    }
    UnitLength.normalize(&vector)
    if !vector.allSatisfy(\.isFinite) { return Array(repeating: 0, count: hidden) }
    return vector
  }
}

/// Texts that run through the layers together: their tokens one after another, and which are whose.
private struct TransformerBatch {
  private(set) var tokens: [UInt16] = []
  private(set) var texts: [Range<Int>] = []

  mutating func append(_ text: [UInt16]) {
    texts.append(tokens.count..<tokens.count + text.count)
    tokens += text
  }
}
