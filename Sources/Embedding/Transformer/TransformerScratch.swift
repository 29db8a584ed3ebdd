internal import CKernels

/// What the layers write: one piece of memory, used again by every layer and batch.
final class TransformerScratch {
  /// Tokens that there is room for.
  let rowsMax: Int
  /// Tokens as they go from layer to layer.
  let rows: UnsafeMutablePointer<Float>
  /// What a half of a layer adds to them.
  let branch: UnsafeMutablePointer<Float>
  /// Queries, keys and values; and what lies between the two matrices.
  let wide: UnsafeMutablePointer<Float>
  /// For `tl_attention_f32`.
  let attention: UnsafeMutablePointer<Float>
  /// What is about to be multiplied by a matrix.
  let quantized: tl_rows_i8

  private let memory: UnsafeMutableRawPointer

  init(shape: TransformerShape, rowsMax: Int) {
    self.rowsMax = rowsMax
    let inputMax = max(shape.hidden, shape.inner)
    let runMax = (inputMax + Int(TL_RUN_COMPONENTS) - 1) / Int(TL_RUN_COMPONENTS)
    // A text has at most as many tokens as there are positions, and they are padded to whole vectors.
    let attentionCount = (min(rowsMax, shape.positions) + 15) / 16 * 16 * (shape.headWidth + 1)
    let counts = [
      rowsMax * shape.hidden, rowsMax * shape.hidden, rowsMax * max(3 * shape.hidden, shape.inner), attentionCount,
      rowsMax * runMax, rowsMax * runMax, (rowsMax * inputMax + 3) / 4,
    ]
    // Every part begins at a cache line.
    let byteCounts = counts.map { TransformerShape.padded(4 * $0) }
    memory = .allocate(byteCount: byteCounts.reduce(0, +), alignment: 64)
    var next = memory
    var parts: [UnsafeMutableRawPointer] = []
    for byteCount in byteCounts {
      parts.append(next)
      next += byteCount
    }
    rows = parts[0].bindMemory(to: Float.self, capacity: counts[0])
    branch = parts[1].bindMemory(to: Float.self, capacity: counts[1])
    wide = parts[2].bindMemory(to: Float.self, capacity: counts[2])
    attention = parts[3].bindMemory(to: Float.self, capacity: counts[3])
    quantized = tl_rows_i8(
      codes: parts[6].bindMemory(to: Int8.self, capacity: rowsMax * inputMax),
      scales: parts[4].bindMemory(to: Float.self, capacity: counts[4]),
      sums: parts[5].bindMemory(to: Int32.self, capacity: counts[5]))
  }

  deinit { memory.deallocate() }
}
