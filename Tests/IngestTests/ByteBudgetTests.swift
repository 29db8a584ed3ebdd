import Testing

@testable import Ingest

@Suite struct ByteBudgetTests {
  @Test func `bodies have room up to the bound, and give it back when they are let go`() {
    let budget = ByteBudget(byteCountMax: 100)
    var first = BodyAdmission(60, of: budget)
    let second = BodyAdmission(40, of: budget)

    #expect(first != nil)
    #expect(second != nil)
    #expect(BodyAdmission(1, of: budget) == nil)
    first = nil
    #expect(BodyAdmission(60, of: budget) != nil)
    withExtendedLifetime(second) {}
  }

  @Test func `what a body unpacks to takes room as well`() throws {
    let budget = ByteBudget(byteCountMax: 100)
    let other = try #require(BodyAdmission(10, of: budget))
    var body = BodyAdmission(20, of: budget)

    #expect(try #require(body).extend(by: 70))
    #expect(try !#require(body).extend(by: 1))
    #expect(BodyAdmission(1, of: budget) == nil)
    body = nil
    #expect(BodyAdmission(90, of: budget) != nil)
    withExtendedLifetime(other) {}
  }

  @Test func `one body alone always has room, packed and unpacked`() throws {
    let budget = ByteBudget(byteCountMax: 100)
    let body = try #require(BodyAdmission(150, of: budget))

    #expect(body.extend(by: 1000))
    #expect(BodyAdmission(1, of: budget) == nil)
    withExtendedLifetime(body) {}
  }
}
