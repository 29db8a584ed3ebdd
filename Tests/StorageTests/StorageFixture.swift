import Domain
import Foundation
import LogBlocks
import Logging
import Synchronization

@testable import Storage

/// A time that moves only when a test says so.
final class ManualTime: Sendable {
  private let time: Mutex<Timestamp>

  init(_ time: Timestamp = Timestamp(seconds: 1_800_000_000)) { self.time = Mutex(time) }

  var now: Timestamp { time.withLock { $0 } }

  func advance(seconds: Int64) {
    time.withLock { $0 = $0.advanced(byNanoseconds: seconds * 1_000_000_000) }
  }
}

/// A data folder that goes with the test.
final class StorageFixture: Sendable {
  let root: String
  let time = ManualTime()
  let acme = TenantScope(proven: TenantID("acme")!)
  let globex = TenantScope(proven: TenantID("globex")!)

  init() throws {
    root = NSTemporaryDirectory() + "timberline-storage-\(UUID().uuidString)"
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func directory() throws -> DataDirectory { try DataDirectory(path: root + "/data") }

  func pool(_ directory: DataDirectory, _ options: StorageOptions = StorageOptions()) -> TenantDatabasePool {
    TenantDatabasePool(directory, options: options, now: { [time] in time.now }, logger: quiet)
  }

  /// What a process that was killed now leaves behind, as a data folder of its own.
  func copy(of directory: DataDirectory) throws -> DataDirectory {
    let path = root + "/copy-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for name in try FileManager.default.subpathsOfDirectory(atPath: directory.path) where !name.hasSuffix("-shm") {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: directory.path + "/" + name, isDirectory: &isFolder)
      if isFolder.boolValue {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
      } else if name != "lock" {
        try FileManager.default.copyItem(atPath: directory.path + "/" + name, toPath: path + "/" + name)
      }
    }
    return try DataDirectory(path: path)
  }
}

let quiet: Logger = {
  var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  logger.logLevel = .critical
  return logger
}()

/// One record as a test compares it.
struct PlainRecord: Hashable, Comparable, CustomStringConvertible {
  var time: Int64
  var severity: Severity
  var stream: String
  var message: String
  var fields: [String]

  static func < (left: PlainRecord, right: PlainRecord) -> Bool {
    (left.time, left.stream, left.message) < (right.time, right.stream, right.message)
  }

  var description: String { "\(time) \(stream) \(message)" }
}

/// Records of one request: `request <n> of <pod> took <n>ms`, one a second.
///
/// - Parameter isNoisy: With numbers that do not compress.
func makeColumns(
  _ database: TenantDatabase, count: Int, pod: String = "api-0", start: Int64 = 1_800_000_000, first: Int = 0,
  verb: String = "request", isNoisy: Bool = false
) throws -> RecordColumns {
  let slot = [Template.slotMarker, SlotKind.integer.rawValue]
  let text = Array("\(verb) ".utf8) + slot + Array(" took ".utf8) + slot + Array("ms".utf8)
  let template = try database.templateNumbers(for: [text])[0]
  let stream = try database.streamNumbers(for: [Stream(labels: [Field("pod", pod), Field("stream", "stdout")])])[0]
  var columns = RecordColumns()
  func add(_ text: String) -> ByteSpan {
    let start = columns.bytes.count
    columns.bytes += Array(text.utf8)
    return ByteSpan(start..<columns.bytes.count)
  }
  columns.fieldSetTable = [
    [FieldSpan(name: add("pod"), value: add(pod)), FieldSpan(name: add("host"), value: add("node-1"))]
  ]
  var random = SplitMix(seed: UInt64(first))
  for index in 0..<count {
    columns.times.append((start + Int64(index)) * 1_000_000_000)
    columns.severities.append(index % 10 == 0 ? .error : .info)
    columns.streams.append(stream)
    columns.templates.append(template)
    columns.variables.append(add("\(first + index)"))
    columns.variables.append(add(isNoisy ? "\(random.next() >> 4)" : "\(index * 7 % 100)"))
    columns.variableStarts.append(UInt32(columns.variables.count))
    columns.fieldSets.append(0)
  }
  return columns
}

@discardableResult
func append(
  _ database: TenantDatabase, count: Int, pod: String = "api-0", start: Int64 = 1_800_000_000, first: Int = 0,
  verb: String = "request", isNoisy: Bool = false
) async throws -> [PlainRecord] {
  let columns = try makeColumns(
    database, count: count, pod: pod, start: start, first: first, verb: verb, isNoisy: isNoisy)
  _ = try await database.append(columns, rawByteCount: count * 100)
  return try plain(columns, database)
}

func plain(_ columns: RecordColumns, _ database: TenantDatabase) throws -> [PlainRecord] {
  let source = try HeadSource(columns)
  return try (0..<columns.count).map { row in
    var message: [UInt8] = []
    let template = database.template(columns.templates[row]) ?? Template(text: [])
    try source.appendMessage(ofRow: row, template: template, to: &message)
    return PlainRecord(
      time: columns.times[row], severity: columns.severities[row],
      stream: String(decoding: database.stream(columns.streams[row])?.description ?? [], as: UTF8.self),
      message: String(decoding: message, as: UTF8.self),
      fields: source.fields(ofRow: row).map { String(decoding: $0.name + [61] + $0.value, as: UTF8.self) })
  }
}

/// Everything the view shows, in order; damaged blocks are left out.
func records(_ view: TenantView, _ database: TenantDatabase) throws -> [PlainRecord] {
  var all: [PlainRecord] = []
  for columns in view.head { all += try plain(columns, database) }
  for block in view.blocks {
    if let columns = try view.readBlock(block, { try $0.columns(rows: nil) }) { all += try plain(columns, database) }
  }
  return all.filter { view.range.contains(Timestamp(nanoseconds: $0.time)) }.sorted()
}

func records(_ database: TenantDatabase, _ range: TimeRange = .all) async throws -> [PlainRecord] {
  try records(try await database.view(range), database)
}
