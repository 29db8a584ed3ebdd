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
}
