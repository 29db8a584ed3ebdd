internal import CKernels
internal import Testing

@Suite struct DistanceKernelTests {
  static let dimensions = Array(0...70) + [96, 127, 128, 255, 256, 384, 385, 768]

  @Test(arguments: dimensions)
  func `the form in use gives the portable form's bits`(dimension: Int) {
    var random = SeededGenerator(seed: UInt64(dimension))
    for _ in 0..<4 {
      let a = (0..<dimension).map { _ in Float.random(in: -3...3, using: &random) }
      let b = (0..<dimension).map { _ in Float.random(in: -3...3, using: &random) }

      #expect(tl_dot_f32(a, b, dimension).bitPattern == tl_dot_f32_portable(a, b, dimension).bitPattern)
      #expect(tl_l2sq_f32(a, b, dimension).bitPattern == tl_l2sq_f32_portable(a, b, dimension).bitPattern)
    }
  }

  @Test func `they are the sums they are named for`() {
    let a: [Float] = (0..<100).map { Float($0) }
    let b: [Float] = (0..<100).map { Float($0 % 7) }

    #expect(tl_dot_f32_portable(a, b, 100) == zip(a, b).reduce(0) { $0 + $1.0 * $1.1 })
    #expect(tl_l2sq_f32_portable(a, b, 100) == zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) })
  }

  @Test(arguments: [1, 7, 33, 256])
  func `rows gathered from chunks are rows taken one by one`(dimension: Int) throws {
    var random = SeededGenerator(seed: UInt64(dimension))
    let stride = dimension + 3
    let chunks = (0..<3).map { _ in (0..<4 * stride).map { _ in Float.random(in: -1...1, using: &random) } }
    let flat = chunks.flatMap { $0 }
    let query = (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) }
    let rows: [UInt32] = [11, 0, 3, 4, 4, 7, 9, 8, 1]
    var dots = [Float](repeating: 0, count: rows.count)
    var squares = dots

    try flat.withUnsafeBufferPointer { flat in
      let base = try #require(flat.baseAddress)
      let bases: [UnsafePointer<Float>?] = (0..<3).map { base + $0 * 4 * stride }
      tl_dot_f32_gather(query, bases, 2, stride, rows, rows.count, dimension, &dots)
      tl_l2sq_f32_gather(query, bases, 2, stride, rows, rows.count, dimension, &squares)
      for (index, row) in rows.enumerated() {
        #expect(dots[index] == tl_dot_f32_portable(query, base + Int(row) * stride, dimension))
        #expect(squares[index] == tl_l2sq_f32_portable(query, base + Int(row) * stride, dimension))
      }
    }
  }
}
