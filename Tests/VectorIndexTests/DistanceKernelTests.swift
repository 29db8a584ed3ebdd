internal import CKernels
internal import Testing

@Suite struct DistanceKernelTests {
  static let dimensions = Array(0...70) + [96, 127, 128, 129, 191, 192, 255, 256, 384, 385, 768, 1024]

  @Test(arguments: dimensions)
  func `every form this processor runs gives the portable form's bits`(dimension: Int) {
    for seed in UInt64(0)..<8 {
      let fault = tl_distance_check(dimension, seed &* 1_000_003 &+ UInt64(dimension))
      #expect(fault.map { String(cString: $0) } == nil)
    }
  }

  @Test(arguments: dimensions)
  func `the form in use gives the portable form's bits`(dimension: Int) {
    var random = SeededGenerator(seed: UInt64(dimension))
    for _ in 0..<4 {
      let a = Self.components(dimension, &random)
      let b = Self.components(dimension, &random)
      #expect(tl_dot_f32(a, b, dimension).bitPattern == tl_dot_f32_portable(a, b, dimension).bitPattern)
      #expect(tl_l2sq_f32(a, b, dimension).bitPattern == tl_l2sq_f32_portable(a, b, dimension).bitPattern)

      let coded = Coded(b)
      #expect(coded == Coded(b, portable: true))
      let query = Coded(a)
      #expect(tl_dot_i8(query.code, coded.code, dimension) == tl_dot_i8_portable(query.code, coded.code, dimension))
      #expect(
        tl_dot_code12(a, coded.code, coded.residual, dimension).bitPattern
          == tl_dot_code12_portable(a, coded.code, coded.residual, dimension).bitPattern)
      #expect(
        tl_l2sq_code12(a, coded.code, coded.residual, dimension, coded.step).bitPattern
          == tl_l2sq_code12_portable(a, coded.code, coded.residual, dimension, coded.step).bitPattern)

      var halves = [UInt16](repeating: 0, count: dimension)
      var portableHalves = halves
      tl_f16_from_f32(b, dimension, &halves)
      tl_f16_from_f32_portable(b, dimension, &portableHalves)
      #expect(halves == portableHalves)
      #expect(tl_dot_f16(a, halves, dimension).bitPattern == tl_dot_f16_portable(a, halves, dimension).bitPattern)
      #expect(tl_l2sq_f16(a, halves, dimension).bitPattern == tl_l2sq_f16_portable(a, halves, dimension).bitPattern)
    }
  }

  @Test func `they are the sums they are named for`() {
    let a: [Float] = (0..<100).map { Float($0) }
    let b: [Float] = (0..<100).map { Float($0 % 7) }
    let x = (0..<100).map { Int8($0 - 50) }
    let y = (0..<100).map { Int8($0 % 3 - 1) }
    var largest: Float = 0

    #expect(tl_dot_f32_portable(a, b, 100) == zip(a, b).reduce(0) { $0 + $1.0 * $1.1 })
    #expect(tl_l2sq_f32_portable(a, b, 100) == zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) })
    #expect(tl_dot_i8_portable(x, y, 100) == zip(x, y).reduce(0) { $0 + Int32($1.0) * Int32($1.1) })
    #expect(tl_squares_f32(a, 100, &largest) == a.reduce(0) { $0 + Double($1) * Double($1) })
    #expect(largest == 99)
  }

  @Test(arguments: [1, 2, 63, 64, 65, 384])
  func `a code is off by half a step at most`(dimension: Int) {
    var random = SeededGenerator(seed: UInt64(dimension))
    let vector = Self.components(dimension, &random)
    let coded = Coded(vector)
    var decoded = [Float](repeating: 0, count: dimension)
    tl_decode12(coded.code, coded.residual, dimension, coded.step, &decoded)

    let largest = vector.map(\.magnitude).max() ?? 0
    #expect(abs(coded.step - largest / 2032) <= largest * 1e-6)
    for (component, code) in zip(vector, decoded) { #expect(abs(component - code) <= 0.501 * coded.step) }
    let byCode = zip(vector, coded.code).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    let bySteps = zip(vector, decoded).reduce(0) { $0 + Double($1.0) * Double($1.1 / coded.step) }
    #expect(abs(coded.byCode - byCode) <= 1e-9 * abs(byCode))
    #expect(abs(coded.bySteps - bySteps) <= 1e-5 * abs(bySteps))
  }

  @Test func `a vector of zeros and one too small have no step`() {
    #expect(Coded([0, 0, 0]).step == 0)
    #expect(Coded([0x1p-140, -0x1p-126]).step == 0)
    #expect(Coded([0x1p-140, -0x1p-126]).code == [0, 0])
  }

  @Test func `what is no number has an infinite magnitude`() {
    for component in [Float.nan, -.nan, .infinity, -.infinity, .signalingNaN] {
      var largest: Float = 0
      _ = tl_squares_f32([1, component, 2], 3, &largest)
      #expect(largest == .infinity)
    }
  }

  @Test func `every half becomes a float and the same half again`() {
    let halves = (0...UInt16.max).map { $0 }
    var floats = [Float](repeating: 0, count: halves.count)
    var portable = floats
    tl_f32_from_f16(halves, halves.count, &floats)
    tl_f32_from_f16_portable(halves, halves.count, &portable)
    var back = [UInt16](repeating: 0, count: halves.count)
    tl_f16_from_f32(floats, floats.count, &back)

    #expect(floats.map(\.bitPattern) == portable.map(\.bitPattern))
    let isNumber = { (half: UInt16) in half & 0x7FFF <= 0x7C00 }
    #expect(zip(halves, back).allSatisfy { $0 == $1 || !isNumber($0) })
  }

  @Test(arguments: [1, 7, 33, 64, 100, 256])
  func `rows gathered from chunks are rows taken one by one`(dimension: Int) throws {
    var random = SeededGenerator(seed: UInt64(dimension))
    let stride = dimension + 3
    let bytes = (0..<12 * stride).map { _ in UInt8.random(in: 0...255, using: &random) }
    let query = (0..<dimension).map { _ in Int8.random(in: -127...127, using: &random) }
    let rows: [UInt32] = [11, 0, 3, 4, 4, 7, 9, 8, 1]
    var dots = [Int32](repeating: 0, count: rows.count)

    try bytes.withUnsafeBufferPointer { bytes in
      let base = try #require(bytes.baseAddress)
      let bases: [UnsafePointer<UInt8>?] = (0..<3).map { base + $0 * 4 * stride }
      tl_dot_i8_gather(query, bases, 2, stride, rows, rows.count, dimension, &dots)
      for (index, row) in rows.enumerated() {
        let code = UnsafeRawPointer(base + Int(row) * stride).assumingMemoryBound(to: Int8.self)
        #expect(dots[index] == tl_dot_i8_portable(query, code, dimension))
      }
    }
  }

  static func components(_ count: Int, _ random: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in Float.random(in: -3...3, using: &random) }
  }

  struct Coded: Equatable {
    var code: [Int8]
    var residual: [UInt8]
    var step: Float = 0
    var byCode = 0.0
    var bySteps = 0.0

    init(_ vector: [Float], portable: Bool = false) {
      code = [Int8](repeating: 0, count: vector.count)
      residual = [UInt8](repeating: 0, count: (vector.count + 63) / 64 * 32)
      var largest: Float = 0
      if portable {
        _ = tl_squares_f32_portable(vector, vector.count, &largest)
        step = tl_encode12_portable(vector, vector.count, largest, &code, &residual)
        tl_inner_products_portable(vector, code, residual, vector.count, &byCode, &bySteps)
      } else {
        _ = tl_squares_f32(vector, vector.count, &largest)
        step = tl_encode12(vector, vector.count, largest, &code, &residual)
        tl_inner_products(vector, code, residual, vector.count, &byCode, &bySteps)
      }
    }
  }
}
