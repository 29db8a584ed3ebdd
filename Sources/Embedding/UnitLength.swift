/// Vectors by their direction.
enum UnitLength {
  /// Brings `vector` to length 1; leaves zeros as they are.
  static func normalize(_ vector: inout [Float]) {
    var squares: Double = 0
    for component in vector { squares += Double(component) * Double(component) }
    guard squares > 0 else { return }
    let length = squares.squareRoot()
    for index in vector.indices { vector[index] = Float(Double(vector[index]) / length) }
  }

  /// The inner product of `count` components: the cosine, of unit vectors. `count` is a multiple of 8.
  @inline(__always)
  static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
    var low = SIMD8<Float>.zero
    var high = SIMD8<Float>.zero
    var index = 0
    while index + 16 <= count {
      low += load(a + index) * load(b + index)
      high += load(a + index + 8) * load(b + index + 8)
      index += 16
    }
    if index < count { low += load(a + index) * load(b + index) }
    return (low + high).sum()
  }

  @inline(__always)
  private static func load(_ pointer: UnsafePointer<Float>) -> SIMD8<Float> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Float>.self)
  }
}
