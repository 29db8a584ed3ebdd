import CKernels
import Foundation
import Testing

@Suite struct TransformerKernelTests {
  /// SplitMix64.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private static func floats(_ count: Int, in range: ClosedRange<Float> = -2...2, seed: UInt64) -> [Float] {
    var random = Generator(state: seed)
    return (0..<count).map { _ in Float.random(in: range, using: &random) }
  }

  private struct Quantized: Equatable {
    var codes: [Int8]
    var scales: [Float]
    var sums: [Int32]

    init(_ rows: [Float], components: Int, portable: Bool = false) {
      let rowCount = rows.count / components
      let runCount = rowCount * ((components + 127) / 128)
      codes = Array(repeating: 99, count: rows.count)
      scales = Array(repeating: 99, count: runCount)
      sums = Array(repeating: 99, count: runCount)
      withRows {
        (portable ? tl_quantize_rows_i8_portable : tl_quantize_rows_i8)(rows, rowCount, components, $0)
      }
    }

    mutating func withRows<Result>(_ body: (tl_rows_i8) -> Result) -> Result {
      codes.withUnsafeMutableBufferPointer { codes in
        scales.withUnsafeMutableBufferPointer { scales in
          sums.withUnsafeMutableBufferPointer { sums in
            body(tl_rows_i8(codes: codes.baseAddress, scales: scales.baseAddress, sums: sums.baseAddress))
          }
        }
      }
    }
  }

  private static func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

  @Test(arguments: [16, 32, 112, 128, 144, 384, 1536])
  func `quantized rows are off by half a step at most, in every form the same`(components: Int) {
    let rows = Self.floats(3 * components, seed: UInt64(components))
    let runs = (components + 127) / 128

    let quantized = Quantized(rows, components: components)

    #expect(quantized == Quantized(rows, components: components, portable: true))
    for (index, value) in rows.enumerated() {
      let run = index / components * runs + index % components / 128
      #expect(abs(Float(quantized.codes[index]) * quantized.scales[run] - value) <= quantized.scales[run] * 0.5001)
    }
    for row in 0..<3 {
      for run in 0..<runs {
        let range = row * components + run * 128..<row * components + min((run + 1) * 128, components)
        #expect(quantized.codes[range].reduce(0) { $0 + Int32($1) } == quantized.sums[row * runs + run])
        #expect(quantized.codes[range].map { abs(Int($0)) }.max() == 127)
      }
    }
  }

  @Test(arguments: [Float.infinity, -.infinity, .nan, 0])
  func `a run that cannot be quantized is zeros`(value: Float) {
    var rows = Self.floats(256, seed: 1)
    rows.replaceSubrange(0..<128, with: Array(repeating: value, count: 128))

    let quantized = Quantized(rows, components: 256)

    #expect(quantized.codes[..<128].allSatisfy { $0 == 0 })
    #expect(quantized.codes[128...].contains { $0 != 0 })
    #expect(quantized.scales[0] == 0)
    #expect(quantized.sums[0] == 0)
  }

  @Test(arguments: [(1, 32, 32), (2, 32, 96), (3, 96, 32), (7, 160, 64), (8, 384, 32), (9, 128, 64), (17, 544, 96)])
  func `every form this processor runs multiplies as the portable one`(rowCount: Int, inputs: Int, outputs: Int) {
    var random = Generator(state: UInt64(rowCount))
    for extreme in [false, true] {
      let rows = Self.floats(rowCount * inputs, seed: UInt64(inputs))
      // All sums as large as they get, and weights that no converter writes.
      let weights = (0..<inputs * outputs).map { _ in
        extreme ? [UInt8(0), 255].randomElement(using: &random)! : UInt8.random(in: 0...255, using: &random)
      }
      let scales = Self.floats(outputs, in: 0...0.01, seed: 3)
      let biases = Self.floats(outputs, seed: 4)
      var quantized = Quantized(rows, components: inputs)
      if extreme {
        quantized.codes = quantized.codes.map { $0 < 0 ? -127 : 127 }
        let runs = (inputs + 127) / 128
        for run in quantized.sums.indices {
          let start = run / runs * inputs + run % runs * 128
          let end = min(start + 128, (run / runs + 1) * inputs)
          quantized.sums[run] = quantized.codes[start..<end].reduce(0) { $0 + Int32($1) }
        }
      }
      var output = [Float](repeating: .nan, count: rowCount * outputs)
      var expected = output
      var used = output

      let fault = weights.withUnsafeBufferPointer { weights in
        scales.withUnsafeBufferPointer { scales in
          biases.withUnsafeBufferPointer { biases in
            let matrix = tl_matrix_i8(
              codes: weights.baseAddress, scales: scales.baseAddress, biases: biases.baseAddress,
              input_count: inputs, output_count: outputs)
            return quantized.withRows { rows in
              tl_matmul_i8(rows, rowCount, matrix, &used)
              return tl_matmul_i8_check(rows, rowCount, matrix, &output, &expected)
            }
          }
        }
      }

      #expect(fault.map { String(cString: $0) } == nil)
      #expect(Self.bits(used) == Self.bits(expected))
      for row in 0..<rowCount {
        for output in 0..<outputs {
          var sum = 0.0
          for input in 0..<inputs {
            let place = (output / 32 * (inputs / 4) + input / 4) * 128 + output % 32 * 4 + input % 4
            let scale = quantized.scales[row * ((inputs + 127) / 128) + input / 128]
            sum += Double(Int(weights[place]) - 128) * Double(quantized.codes[row * inputs + input]) * Double(scale)
          }
          let exact = sum * Double(scales[output]) + Double(biases[output])
          #expect(abs(exact - Double(expected[row * outputs + output])) < 1e-3 * max(1, abs(exact)))
        }
      }
    }
  }

  @Test(arguments: [16, 32, 384])
  func `normalized rows have the mean and variance that they should`(components: Int) {
    let rows = Self.floats(3 * components, seed: 5)
    let added = Self.floats(3 * components, in: -9...1, seed: 6)
    let gain = [Float](repeating: 2, count: components)
    let offset = [Float](repeating: 3, count: components)
    for added in [added, nil] {
      var output = rows
      var portable = rows
      added.withPointer {
        tl_layer_norm_f32(&output, $0, 3, components, gain, offset, 1e-12)
        tl_layer_norm_f32_portable(&portable, $0, 3, components, gain, offset, 1e-12)
      }

      #expect(Self.bits(output) == Self.bits(portable))
      for row in 0..<3 {
        let values = output[row * components..<(row + 1) * components].map { ($0 - 3) / 2 }
        let mean = values.reduce(0, +) / Float(components)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(components)
        #expect(abs(mean) < 1e-5)
        #expect(abs(variance - 1) < 1e-4)
        let sums = zip(rows, added ?? Array(repeating: 0, count: rows.count)).map { $0 + $1 }
        let order = (0..<components).sorted { sums[row * components + $0] < sums[row * components + $1] }
        #expect(zip(order, order.dropFirst()).allSatisfy { values[$0] <= values[$1] })
      }
    }
  }

  @Test func `GELU is x times the normal distribution at x`() {
    let values =
      Self.floats(512, in: -12...12, seed: 7) + [0, -0.0, 1, -1, 100, -100, 1e-20, -1e-20]
      + Array(
        repeating: 0, count: 8)
    var output = values
    var portable = values

    tl_gelu_f32(&output, output.count)
    tl_gelu_f32_portable(&portable, portable.count)

    #expect(Self.bits(output) == Self.bits(portable))
    for (x, y) in zip(values, output) {
      let exact = Double(x) * (1 + erf(Double(x) / 2.0.squareRoot())) / 2
      #expect(abs(Double(y) - exact) <= 5e-7 * max(1, abs(Double(x))), "\(x)")
    }
  }

  @Test(arguments: [(1, 1, 8), (2, 4, 8), (15, 2, 40), (16, 3, 32), (33, 12, 32), (128, 1, 64)])
  func `attention is the softmax of products, in every form the same`(rowCount: Int, heads: Int, headWidth: Int) {
    let width = heads * headWidth
    let projected = Self.floats(rowCount * 3 * width, in: -3...3, seed: 8)
    var scratch = [Float](repeating: .nan, count: (rowCount + 15) / 16 * 16 * (headWidth + 1))
    var output = [Float](repeating: .nan, count: rowCount * width)
    var portable = output

    tl_attention_f32(projected, rowCount, heads, headWidth, &scratch, &output)
    tl_attention_f32_portable(projected, rowCount, heads, headWidth, &scratch, &portable)

    #expect(Self.bits(output) == Self.bits(portable))
    for (row, head) in [(0, 0), (rowCount - 1, heads - 1), (rowCount / 2, heads / 2)] {
      let query = row * 3 * width + head * headWidth
      let powers = (0..<rowCount).map { other in
        let key = other * 3 * width + width + head * headWidth
        let product = (0..<headWidth).reduce(0.0) { $0 + Double(projected[query + $1]) * Double(projected[key + $1]) }
        return exp(product / Double(headWidth).squareRoot())
      }
      let total = powers.reduce(0, +)
      for component in 0..<headWidth {
        let exact = (0..<rowCount).reduce(0.0) {
          $0 + powers[$1] / total * Double(projected[$1 * 3 * width + 2 * width + head * headWidth + component])
        }
        #expect(abs(Double(output[row * width + head * headWidth + component]) - exact) < 1e-5)
      }
    }
  }

  @Test(arguments: [Float.infinity, -.infinity, .nan, .greatestFiniteMagnitude])
  func `numbers beyond all bounds stop no kernel`(value: Float) {
    var rows = [Float](repeating: value, count: 64 * 3)
    var scratch = [Float](repeating: 0, count: 16 * 33)
    var output = [Float](repeating: 0, count: 64)

    tl_attention_f32(rows, 2, 1, 32, &scratch, &output)
    tl_gelu_f32(&rows, rows.count)
    tl_layer_norm_f32(&rows, nil, 3, 64, output, output, 0)

    #expect(output.count == 64)
  }

  @Test func `a scaled row is added to another`() {
    var output = [Float](repeating: 0, count: 5)

    tl_scale_i8([-128, -1, 0, 1, 127], 0.5, [1, 1, 1, 1, 1], 5, &output)

    #expect(output == [-63, 0.5, 1, 1.5, 64.5])
  }
}

extension Optional where Wrapped == [Float] {
  fileprivate func withPointer(_ body: (UnsafePointer<Float>?) -> Void) {
    if let self { self.withUnsafeBufferPointer { body($0.baseAddress) } } else { body(nil) }
  }
}
