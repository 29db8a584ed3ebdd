import Testing

@testable import Evaluation

@Suite struct CSVTests {
  @Test func `quoted values hold commas, quotes and line ends`() throws {
    let text = "LineId,Content\r\n1,\"a, \"\"b\"\"\nc\"\n2,plain\n"

    let table = try CSVTable(Array(text.utf8), path: "x.csv")

    #expect(table.names == ["LineId", "Content"])
    let contents = try table.column("Content", path: "x.csv").map { String(decoding: $0, as: UTF8.self) }
    #expect(contents == ["a, \"b\"\nc", "plain"])
  }

  @Test(arguments: [
    ("", "x.csv: holds no row of names"),
    ("a,b\n1\n", "x.csv: row 1 has 1 values, not 2"),
    ("a,b\n1,\"2\n", "x.csv:2: a quoted value never ends"),
  ])
  func `a file that is no table is refused with the place`(text: String, message: String) {
    #expect { try CSVTable(Array(text.utf8), path: "x.csv") } throws: { "\($0)" == message }
  }

  @Test func `what is written is read again`() throws {
    let row = ["1", "a,b", "say \"hi\"", "two\nlines", ""]
    var text: [UInt8] = []
    CSVTable.append(["a", "b", "c", "d", "e"], to: &text)

    CSVTable.append(row, to: &text)

    let table = try CSVTable(text, path: "x.csv")
    #expect(table.rows.map { $0.map { String(decoding: $0, as: UTF8.self) } } == [row])
  }
}
