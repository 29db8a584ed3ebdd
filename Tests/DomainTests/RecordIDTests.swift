import Testing

@testable import Domain

@Suite struct RecordIDTests {
  @Test(arguments: [Int64.min, -1, 0, 1, 1_800_000_000_123_456_789, .max], [UInt32(0), 1, 0xFFFF_FFFF])
  func `an id is read back from its text`(time: Int64, number: UInt32) {
    let id = RecordID(time: Timestamp(nanoseconds: time), stream: number, messageChecksum: ~number)

    #expect(RecordID(id.description) == id)
  }

  @Test func `its text is hex of known widths`() {
    let id = RecordID(time: Timestamp(nanoseconds: 255), stream: 10, messageChecksum: 0xAB)

    #expect(id.description == "00000000000000ff-a-000000ab")
  }

  @Test(arguments: [
    "", "-", "--", "0-0-0", "00000000000000ff-a", "00000000000000ff-a-000000ab-", "00000000000000fg-a-000000ab",
    "00000000000000ff-100000000-000000ab", "00000000000000ff--000000ab", "0000000000000ff-a-000000ab",
  ])
  func `anything else is no id`(text: String) {
    #expect(RecordID(text) == nil)
  }
}

@Suite struct TenantIDTests {
  @Test(arguments: ["a", "0", "acme-1", String(repeating: "x", count: 64)])
  func `lowercase letters, digits and dashes name a tenant`(text: String) {
    #expect(TenantID(text)?.text == text)
  }

  @Test(arguments: ["", "-a", "A", "a/b", "..", "a.b", "ä", "a b", "a\0", String(repeating: "x", count: 65)])
  func `nothing else does, so that no path can be built of it`(text: String) {
    #expect(TenantID(text) == nil)
  }
}

@Suite struct StreamTests {
  @Test func `labels are sorted by name, and of two with one name the last counts`() {
    let stream = Stream(labels: [Field("pod", "a"), Field("app", "x"), Field("pod", "b")])

    #expect(stream.labels == [Field("app", "x"), Field("pod", "b")])
    #expect(stream == Stream(labels: [Field("pod", "b"), Field("app", "x")]))
    #expect(stream.label("pod") == Array("b".utf8))
    #expect(stream.label("none") == nil)
  }

  @Test func `its text escapes what would end a value`() {
    let stream = Stream(labels: [Field("a", "x\"y\\z\nw"), Field("b", "")])

    #expect(String(decoding: stream.description, as: UTF8.self) == #"{a="x\"y\\z\nw",b=""}"#)
    #expect(String(decoding: Stream(labels: []).description, as: UTF8.self) == "{}")
  }
}

@Suite struct TemplateTests {
  private static let slot = Template.slotMarker

  @Test func `slots and the literals around them are told apart`() {
    let template = Template(
      text: Array("a ".utf8) + [Self.slot, SlotKind.integer.rawValue, Self.slot, SlotKind.ipv4.rawValue]
        + Array(" z".utf8))

    #expect(template.slots == [.integer, .ipv4])
    #expect(template.literals.map { String(decoding: $0, as: UTF8.self) } == ["a ", "", " z"])
    #expect(template.description == "a <number><ipv4> z")
  }

  @Test func `a marker without a kind is a literal, and an unknown kind holds bytes`() {
    #expect(Template(text: [Self.slot]).slots.isEmpty)
    #expect(Template(text: [Self.slot]).literals == [[Self.slot]])
    #expect(Template(text: [Self.slot, 200]).slots == [.bytes])
    #expect(Template(text: []).literals == [[]])
  }

  @Test func `severities keep the numbers and names they are stored under`() {
    let stored: [(UInt8, String)] = [
      (0, "unknown"), (1, "trace"), (2, "debug"), (3, "info"), (4, "warning"), (5, "error"), (6, "critical"),
    ]

    #expect(Severity.allCases.count == stored.count)
    for (number, name) in stored {
      #expect(Severity(rawValue: number)?.name == name)
      #expect(Severity(name: name)?.rawValue == number)
    }
    #expect(Severity(name: "ERROR") == nil)
    #expect(Severity.warning < .error)
  }
}
