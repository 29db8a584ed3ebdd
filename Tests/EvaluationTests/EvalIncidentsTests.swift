import Foundation
import Testing

@testable import Evaluation

@Suite struct EvalIncidentsTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "eval-incidents-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: folder.appending(path: name))
  }

  /// Three minutes of two services, with `fault` lines of the second in the last two.
  private func window(start: Int64, fault: String?) -> String {
    var lines: [String] = []
    for second in Int64(0)..<180 {
      let nanoseconds = (start + second) * 1_000_000_000
      func line(_ pod: String, _ message: String) -> String {
        #"{"ts": \#(nanoseconds), "node": "n1", "pod": "\#(pod)-5dc8d4f9fd-46997", "message": "\#(message)"}"#
      }
      lines.append(line("shop-front", "INFO page served in \(second) ms"))
      lines.append(line("shop-store", "INFO item \(second) read"))
      if let fault, second >= 60, second % 6 == 0 { lines.append(line("shop-store", fault)) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  @Test func `the workload with the fault is ranked first, and labels are not read`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }  // A leftover in the temporary folder harms nobody.
    try write(#"{"cases": [{"case": "a"}, {"case": "b"}, {"case": "c"}]}"#, "cases.json")
    try write(window(start: 1_700_000_000, fault: nil), "a.jsonl.gz")
    try write(window(start: 1_700_003_600, fault: "ERROR cannot read item: disk failed"), "b.jsonl.gz")
    try write(window(start: 1_700_007_200, fault: nil), "c.jsonl.gz")

    let windows = try FaultWindows(folder.path)
    let (incident, report) = windows.analysis(of: 1)

    #expect(incident.candidates.first?.workload == "shop-store")
    #expect(report.headline.contains("shop-store"))
    #expect(report.grade >= .high)
    #expect(windows.analysis(of: 0).report.grade == .none)
  }

  @Test func `what went wrong in a log is told, and nothing else`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }  // As above.
    try write(#"{"cases": [{"case": "a"}]}"#, "cases.json")
    let lines = (0..<500).map {
      "2026-03-02 10:\(String(format: "%02d:%02d", $0 / 60, $0 % 60)) INFO request \($0) served"
    }
    try write((lines + ["2026-03-02 10:08:21 ERROR database connection refused"]).joined(separator: "\n"), "a.log.gz")

    let findings = try SingleLog(folder.path + "/a.log.gz").findings

    #expect(findings.count == 1)
    #expect(findings.first?.contains("connection refused") == true)
  }

  @Test func `ordinary traffic raises nothing serious`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }  // As above.
    try write(window(start: 1_700_000_000, fault: "ERROR cannot read item: not found"), "normal.jsonl.gz")

    let incidents = try QuietTraffic(folder.path + "/normal.jsonl.gz").incidents(times: 6)

    #expect(incidents.allSatisfy { $0.grade < .high })
  }

  @Test func `a bad list of cases and an empty log are named`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }  // As above.
    try write("[]", "cases.json")
    #expect(throws: DataFileError.self) { try CaseList.names(in: folder.path) }
    try write("", "a.log.gz")
    #expect(throws: DataFileError.self) { try SingleLog(folder.path + "/a.log.gz") }
  }

  @Test func `compressed files are read, damaged ones refused`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }  // As above.
    let bytes: [UInt8] = [
      31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 87, 200, 201, 79, 231, 2, 0, 47, 57, 109, 60, 10, 0, 0,
      0,
    ]
    let path = folder.path + "/x.gz"
    try Data(bytes + bytes).write(to: URL(fileURLWithPath: path))
    #expect(try Gzip.read(path) == Array("hello log\nhello log\n".utf8))
    try Data(bytes.dropLast(9)).write(to: URL(fileURLWithPath: path))
    #expect(throws: DataFileError.self) { try Gzip.read(path) }
  }
}
