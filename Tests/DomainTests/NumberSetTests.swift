import Testing

@testable import Domain

@Suite struct NumberSetTests {
  @Test func `it answers what a set of numbers answers`() {
    var numbers = NumberSet()
    var expected: Set<UInt32> = []
    var seed: UInt32 = 7
    for step in 0..<2_000 {
      seed = seed &* 1_664_525 &+ 1_013_904_223
      let number = seed >> 16 & 0x3FF
      if step % 3 == 2 {
        numbers.remove(number)
        expected.remove(number)
      } else {
        numbers.insert(number)
        expected.insert(number)
      }
    }
    #expect(Array(numbers) == expected.sorted())
    #expect(numbers.count == expected.count)
    #expect((0..<2_048).allSatisfy { numbers.contains($0) == expected.contains($0) })
    let evens = NumberSet((0..<600).filter { $0 % 2 == 0 })
    #expect(Array(numbers.intersection(evens)) == expected.filter { $0 < 600 && $0 % 2 == 0 }.sorted())
    #expect(numbers.intersection(evens).count == Array(numbers.intersection(evens)).count)
  }

  @Test func `equal sets are equal, whatever was in them before`() {
    var grown: NumberSet = [1, 70_000]
    grown.remove(70_000)
    #expect(grown == [1])
    #expect(grown != [2])
    #expect(NumberSet().isEmpty)
    #expect(Array(NumberSet()) == [])
  }
}
