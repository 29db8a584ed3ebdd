internal import CKernels

/// n rows of d float32 components, each row padded with zeros to whole cache lines.
struct VectorStore: Sendable {
  let dimension: Int
  let metric: Metric
  private(set) var rows: ChunkedRows<Float>

  /// Beyond it the squares of 65,536 components overflow a Float.
  static let componentMax: Float = 1e15

  init(dimension: Int, metric: Metric) {
    self.dimension = dimension
    self.metric = metric
    rows = ChunkedRows(rowLength: (dimension + 15) & ~15)
  }

  var count: Int { rows.count }

  /// `vector` as it is stored: checked, and of unit length where the metric asks for it.
  func prepared(_ vector: [Float]) throws(VectorIndexError) -> [Float] {
    guard vector.count == dimension else {
      throw .dimensionMismatch(expected: dimension, actual: vector.count)
    }
    var squares: Double = 0
    for component in vector {
      guard component.magnitude <= VectorStore.componentMax else { throw .unusableVector }  // false for NaN
      squares += Double(component) * Double(component)
    }
    guard metric == .cosine, squares > 0 else { return vector }
    let length = squares.squareRoot()
    return vector.map { Float(Double($0) / length) }
  }

  func vector(at slot: UInt32) -> [Float] {
    rows.withRows { Array(UnsafeBufferPointer(start: $0[Int(slot)], count: dimension)) }
  }

  func isEqual(_ row: [Float], at slot: UInt32) -> Bool {
    rows.withRows { rows in row.elementsEqual(UnsafeBufferPointer(start: rows[Int(slot)], count: dimension)) }
  }

  mutating func append(_ row: [Float]) {
    let rowLength = rows.rowLength
    rows.append { VectorStore.write(row, to: $0, rowLength: rowLength) }
  }

  mutating func replace(_ row: [Float], at slot: UInt32) {
    let rowLength = rows.rowLength
    rows.withMutableRow(Int(slot)) { VectorStore.write(row, to: $0, rowLength: rowLength) }
  }

  private static func write(_ row: [Float], to destination: UnsafeMutablePointer<Float>, rowLength: Int) {
    for (index, component) in row.enumerated() { destination[index] = component }
    for index in row.count..<rowLength { destination[index] = 0 }
  }

  func withDistances<R>(_ body: (Distances) -> R) -> R {
    rows.withRows { body(Distances(rows: $0, dimension: dimension, metric: metric)) }
  }
}

/// Distances to stored rows, valid inside `withDistances`.
struct Distances {
  let rows: ChunkedRows<Float>.Rows
  let dimension: Int
  let metric: Metric

  @inline(__always)
  func row(_ slot: UInt32) -> UnsafePointer<Float> { rows[Int(slot)] }

  @inline(__always)
  func between(_ query: UnsafePointer<Float>, _ slot: UInt32) -> Float {
    switch metric {
    case .cosine, .dot: 1 - tl_dot_f32(query, row(slot), dimension)
    case .squaredL2: tl_l2sq_f32(query, row(slot), dimension)
    }
  }

  /// The distances from `query` to `count` slots.
  @inline(__always)
  func gather(
    _ query: UnsafePointer<Float>, _ slots: UnsafePointer<UInt32>, count: Int,
    into distances: UnsafeMutablePointer<Float>
  ) {
    let shift = UInt32(ChunkedRows<Float>.chunkShift)
    switch metric {
    case .cosine, .dot:
      tl_dot_f32_gather(query, rows.chunks, shift, rows.rowLength, slots, count, dimension, distances)
      for index in 0..<count { distances[index] = 1 - distances[index] }
    case .squaredL2:
      tl_l2sq_f32_gather(query, rows.chunks, shift, rows.rowLength, slots, count, dimension, distances)
    }
  }
}
