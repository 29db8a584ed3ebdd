import CKernels
import Testing

@Suite struct UnpackTests {
  /// Deterministic bits.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 29)
    }
  }

  private static let counts = [0, 1, 2, 3, 7, 8, 9, 16, 33, 63, 64, 65, 126, 127, 300]

  private func bytes(_ count: Int, _ generator: inout Generator, below limit: UInt64 = 256) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: (generator.next() >> 11) % limit) }
  }

  private func words(_ count: Int, _ generator: inout Generator) -> [UInt64] {
    (0..<count).map { _ in [generator.next(), 0, .max, generator.next() & generator.next()][Int(generator.state % 4)] }
  }

  @Test(arguments: 0...64)
  func `values of every width unpack alike, to the last byte and not beyond`(width: Int) {
    var generator = Generator(state: UInt64(width) + 1)
    for count in UnpackTests.counts {
      let byteCount = (count * width + 7) / 8
      for extra in [0, 9, 100] {
        // The bytes end where the allocation does, so that a sanitizer would see a read behind them.
        let packed = bytes(byteCount + extra, &generator)
        let low = generator.next()
        var fast = [UInt64](repeating: 7, count: count + 1)
        var portable = fast

        tl_unpack(packed, packed.count, count, UInt32(width), low, &fast)
        tl_unpack_portable(packed, packed.count, count, UInt32(width), low, &portable)

        #expect(fast == portable)
        #expect(fast[count] == 7)
        let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
        for index in [0, 1, count / 2, count - 2, count - 1] where (0..<count).contains(index) {
          var value: UInt64 = 0
          for bit in 0..<width {
            let place = index * width + bit
            value |= UInt64(packed[place >> 3] >> UInt8(place & 7) & 1) << UInt64(bit)
          }
          #expect(fast[index] == (value & mask) &+ low)
        }
        guard (1...8).contains(width) else { continue }
        var narrow = [UInt8](repeating: 9, count: count + 1)
        var portableNarrow = narrow
        tl_unpack_bytes(packed, packed.count, count, UInt32(width), &narrow)
        tl_unpack_bytes_portable(packed, packed.count, count, UInt32(width), &portableNarrow)
        #expect(narrow == portableNarrow)
        #expect(narrow[..<count].elementsEqual(fast[..<count].map { UInt8($0 &- low) }))
      }
    }
  }

  @Test func `sums run on from value to value`() {
    var values: [UInt64] = [1, 2, .max, 0]

    tl_sum_up(&values, values.count, 10, 100)

    #expect(values == [111, 213, 312, 412])
  }

  @Test func `what the compiler makes of a loop is the same for every processor`() {
    var generator = Generator(state: 3)
    for count in UnpackTests.counts {
      let codes = bytes(count, &generator)
      #expect(tl_max_byte(codes, count) == tl_max_byte_portable(codes, count))
      #expect(tl_max_byte(codes, count) == codes.max() ?? 0)
      #expect(tl_count_byte(codes, count, 7) == tl_count_byte_portable(codes, count, 7))
      #expect(tl_count_byte(codes, count, codes.last ?? 0) == codes.count { $0 == codes.last })
      for planeCount in 1...4 {
        let planes = bytes(count * planeCount, &generator)
        var fast = [UInt32](repeating: 0, count: count)
        var portable = fast
        let highest = tl_widen(planes, count, planeCount, &fast)
        #expect(highest == tl_widen_portable(planes, count, planeCount, &portable))
        #expect(fast == portable)
        #expect(highest == fast.max() ?? 0)
        let expected = (0..<count).map { index in
          (0..<planeCount).reduce(UInt32(0)) { $0 | UInt32(planes[$1 * count + index]) << UInt32(8 * $1) }
        }
        #expect(fast == expected)
        let last = fast.last ?? 0
        #expect(tl_count_word(fast, count, last) == tl_count_word_portable(fast, count, last))
        #expect(tl_count_word(fast, count, last) == fast.count { $0 == last })
      }
      var scaled = (0..<count).map { _ in generator.next() }
      var portable = scaled
      let expected = scaled.map { $0 &* 1000 &+ 5 }
      tl_scale(&scaled, count, 5, 1000)
      tl_scale_portable(&portable, count, 5, 1000)
      #expect(scaled == expected)
      #expect(portable == expected)
    }
  }

  @Test func `lengths are summed without wrapping, and become spans`() {
    var generator = Generator(state: 4)
    for count in UnpackTests.counts {
      let lengths = (0..<count).map { _ in Int64(generator.next() % 100) }
      let total = lengths.reduce(0, +)
      #expect(tl_sum_lengths(lengths, count, total) == total)
      #expect(tl_sum_lengths_portable(lengths, count, total) == total)
      if count > 0 { #expect(tl_sum_lengths(lengths, count, total - 1) == -1) }
      var spans = [tl_span](repeating: tl_span(), count: count)
      #expect(tl_spans(lengths, count, 3, &spans) == total + 3 * Int64(count))
      var portable = spans
      #expect(tl_spans_portable(lengths, count, 3, &portable) == total + 3 * Int64(count))
      var end: UInt32 = 0
      for index in 0..<count {
        #expect(spans[index].offset == end && spans[index].length == UInt32(lengths[index]) + 3)
        #expect(portable[index].offset == spans[index].offset && portable[index].length == spans[index].length)
        end += spans[index].length
      }
      guard count > 0 else { continue }
      for bad in [-1, Int64.min, Int64.max] as [Int64] {
        var damaged = lengths
        damaged[count / 2] = bad
        #expect(tl_sum_lengths(damaged, count, 1 << 30) == -1)
        #expect(tl_sum_lengths_portable(damaged, count, 1 << 30) == -1)
      }
    }
    #expect(tl_sum_lengths([.max, .max, 2], 3, .max) == -1)
  }

  @Test(arguments: [1, 2, 7, 16, 17, 100, 256])
  func `rows whose code passes become bits`(limit: Int) {
    var generator = Generator(state: UInt64(limit))
    for count in UnpackTests.counts {
      let codes = bytes(count, &generator, below: UInt64(limit))
      let passes = bytes(256, &generator, below: 2)
      var fast = [UInt64](repeating: .max, count: (count + 63) / 64)
      var portable = fast

      tl_match_bytes(codes, count, limit, passes, &fast)
      tl_match_bytes_portable(codes, count, passes, &portable)

      #expect(fast == portable)
      #expect((0..<count).allSatisfy { fast[$0 >> 6] >> UInt64($0 & 63) & 1 == UInt64(passes[Int(codes[$0])]) })
      if count & 63 != 0 { #expect(fast[count >> 6] >> UInt64(count & 63) == 0) }
      var counts = [UInt32](repeating: 1, count: 256)
      tl_count_codes(codes, count, &counts)
      for code in [0, 1, limit - 1, 255] { #expect(Int(counts[code]) == codes.count { Int($0) == code }) }
    }
  }

  @Test func `bits spread over places come back`() {
    var generator = Generator(state: 6)
    for wordCount in [0, 1, 2, 3, 10] {
      for _ in 0..<40 {
        let places = words(wordCount, &generator)
        let count = places.reduce(0) { $0 + $1.nonzeroBitCount }
        let denseCount = (count + 63) / 64
        var bits = words(denseCount, &generator)
        if count & 63 != 0 { bits[denseCount - 1] &= (1 << UInt64(count & 63)) - 1 }
        var spread = [UInt64](repeating: 5, count: wordCount)
        var portableSpread = spread
        var gathered = [UInt64](repeating: 5, count: denseCount)
        var portableGathered = gathered

        #expect(tl_spread_bits(bits, places, wordCount, &spread) == count)
        #expect(tl_spread_bits_portable(bits, places, wordCount, &portableSpread) == count)
        #expect(tl_gather_bits(spread, places, wordCount, &gathered) == count)
        #expect(tl_gather_bits_portable(spread, places, wordCount, &portableGathered) == count)

        #expect(spread == portableSpread)
        #expect(gathered == bits)
        #expect(portableGathered == bits)
        for (word, place) in zip(spread, places) { #expect(word & ~place == 0) }
      }
    }
  }

  // MARK: - Text

  /// Runs a formatter and cuts its output by its spans.
  private func texts(
    _ count: Int, _ byteCountMax: Int, _ format: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<tl_span>) -> Int
  ) -> [String] {
    var output = [UInt8](repeating: 0, count: byteCountMax + 16)
    var spans = [tl_span](repeating: tl_span(), count: count)
    let written = format(&output, &spans)
    #expect(written == spans.reduce(0) { $0 + Int($1.length) })
    return spans.map { String(decoding: output[Int($0.offset)..<Int($0.offset + $0.length)], as: UTF8.self) }
  }

  private func withAffixes<Result>(_ body: (tl_affixes) -> Result) -> Result {
    Array("<<".utf8).withUnsafeBufferPointer { prefix in
      Array(">".utf8).withUnsafeBufferPointer { suffix in
        body(
          tl_affixes(
            prefix: prefix.baseAddress, prefix_count: prefix.count, suffix: suffix.baseAddress,
            suffix_count: suffix.count))
      }
    }
  }

  @Test func `numbers are written as Swift writes them`() {
    var values: [Int64] = [.min, .max, 0, -1]
    var power: Int64 = 1
    for _ in 0..<19 {
      values += [power - 1, power, power + 1, -power, 1 - power]
      power = power.multipliedReportingOverflow(by: 10).partialValue
    }
    var generator = Generator(state: 8)
    for _ in 0..<500 { values.append(Int64(bitPattern: generator.next()) >> Int64(generator.next() % 64)) }

    let written = withAffixes { affixes in
      texts(values.count, values.count * 24) { tl_format_integers(values, values.count, affixes, $0, $1) }
    }
    #expect(written == values.map { "<<\($0)>" })

    let plain = values.filter { $0 >= 0 }
    for width in [1, 2, 5, 18] as [UInt32] {
      let fitting = plain.filter { String($0).count <= width }
      let padded = texts(fitting.count, fitting.count * 18) {
        tl_format_padded(fitting, fitting.count, width, tl_affixes(), $0, $1)
      }
      #expect(padded == fitting.map { String((String(repeating: "0", count: 20) + String($0)).suffix(Int(width))) })
    }
    for places in 1...9 as ClosedRange<UInt32> {
      let decimals = texts(plain.count, plain.count * 21) {
        tl_format_decimals(plain, plain.count, places, tl_affixes(), $0, $1)
      }
      #expect(
        decimals
          == plain.map { value in
            let digits = String(value)
            let text = String(repeating: "0", count: max(0, Int(places) + 1 - digits.count)) + digits
            return text.dropLast(Int(places)) + "." + text.suffix(Int(places))
          })
    }
    let codes = values.map { _ in UInt32(generator.next() % 7) }
    let numbers = texts(values.count, values.count * 24) {
      tl_format_numbers(values, codes, values.count, tl_affixes(), $0, $1)
    }
    #expect(
      numbers
        == zip(values, codes).map { value, code in
          (code & 1 == 1 ? "-" : "") + String(repeating: "0", count: Int(code / 2)) + String(UInt64(bitPattern: value))
        })
  }

  @Test func `addresses, slices and hex digits`() {
    var generator = Generator(state: 9)
    let planes = bytes(4 * 50, &generator)
    let addresses = texts(50, 50 * 15) { tl_format_addresses(planes, 50, tl_affixes(), $0, $1) }
    #expect(addresses == (0..<50).map { i in (0..<4).map { String(planes[$0 * 50 + i]) }.joined(separator: ".") })

    let slices = withAffixes { affixes in
      texts(3, 40) { tl_format_slices(Array("onethree".utf8), [3, 0, 5], 3, affixes, $0, $1) }
    }
    #expect(slices == ["<<one>", "<<>", "<<three>"])

    for count in UnpackTests.counts {
      let packed = bytes((count + 1) / 2, &generator)
      for letters in [UInt8(ascii: "a"), UInt8(ascii: "A")] {
        var fast = [UInt8](repeating: 1, count: count + 1)
        var portable = fast
        tl_hex_digits(packed, count, letters, &fast)
        tl_hex_digits_portable(packed, count, letters, &portable)
        #expect(fast == portable)
        #expect(fast[count] == 1)
        for index in 0..<count {
          let digit = String(packed[index / 2] >> UInt8(index % 2 * 4) & 15, radix: 16, uppercase: letters == 65)
          #expect(fast[index] == digit.utf8.first)
        }
      }
    }
  }

  @Test func `a message is put together, or its length told where there is no room`() {
    let literals = Array("took ms at ".utf8)
    let literalSpans = [
      tl_span(offset: 0, length: 5), tl_span(offset: 5, length: 6), tl_span(offset: 11, length: 0),
    ]
    let padding = [UInt8](repeating: 0xEE, count: 16)
    let numbers = Array("7123".utf8) + padding
    let numberSpans = [tl_span(offset: 0, length: 1), tl_span(offset: 1, length: 3)]
    let hosts = Array("a-host-with-a-name-of-more-than-16-bytes".utf8) + padding
    let hostSpans = [tl_span(offset: 0, length: 0), tl_span(offset: 0, length: 40)]
    let codes: [UInt32] = [1, 0]
    let message = { (record: Int, capacity: Int) -> (Int, [UInt8]) in
      var output = [UInt8](repeating: 1, count: 128)
      let slots = numbers.withUnsafeBufferPointer { numbers in
        numberSpans.withUnsafeBufferPointer { numberSpans in
          hosts.withUnsafeBufferPointer { hosts in
            hostSpans.withUnsafeBufferPointer { hostSpans in
              codes.withUnsafeBufferPointer { codes in
                let slots = [
                  tl_slot(bytes: numbers.baseAddress, spans: numberSpans.baseAddress, codes: nil),
                  tl_slot(bytes: hosts.baseAddress, spans: hostSpans.baseAddress, codes: codes.baseAddress),
                ]
                return tl_compose(literals + padding, literalSpans, slots, 2, record, 11, &output, capacity)
              }
            }
          }
        }
      }
      return (slots, output)
    }

    let (count, output) = message(0, 128)
    #expect(String(decoding: output[..<count], as: UTF8.self) == "took 7ms at a-host-with-a-name-of-more-than-16-bytes")
    let (second, short) = message(1, 128)
    #expect(String(decoding: short[..<second], as: UTF8.self) == "took 123ms at ")
    let (needed, untouched) = message(0, count + 15)
    #expect(needed == count)
    #expect(untouched.allSatisfy { $0 == 1 })
  }
}
