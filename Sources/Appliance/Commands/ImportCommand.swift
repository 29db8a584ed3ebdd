import ArgumentParser
import Domain
import Ingest
import LogParsing
import Web

#if canImport(Glibc)
  import Glibc
#endif

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take in a log file: any text or JSON-lines log, plain, gzip or zstd.",
    discussion: """
      Times and levels are read from the lines, whatever their format; lines of a stack trace stay together. Records of any \
      age are taken.

      Examples:
        timberline import /var/log/syslog --source web-1
        zcat old.gz | timberline import - --label env=production
        timberline import app.log.zst --url https://logs.example.com --api-key tlk_…
      """)

  @Argument(help: ArgumentHelp("Files to take in; '-' is standard input.", valueName: "file")) var files: [String]
  @Option(help: "Name of where the records come from (default: the file's name).") var source: String?
  @Option(
    name: .customLong("label"), help: ArgumentHelp("One more label, such as env=production.", valueName: "name=value"))
  var labels: [String] = []
  @OptionGroup var target: TargetOptions
  @Flag(name: .shortAndLong, help: "Print nothing but errors.") var quiet = false

  func validate() throws {
    if labels.count > 30 { throw ValidationError("at most 30 labels can be given") }
    for label in labels where label.prefix(while: { $0 != "=" }).contains(",") {
      throw ValidationError("a label's name holds no comma: '\(label)'")
    }
    if files.isEmpty { throw ValidationError("name a file, or '-' for standard input") }
    for label in labels where label.split(separator: "=", maxSplits: 1).count != 2 {
      throw ValidationError("--label takes name=value, not '\(label)'")
    }
  }

  func run() async throws {
    try await target.withClient(createsFolder: true) { client in
      for file in files { try await importFile(file, client) }
    }
  }

  private func importFile(_ file: String, _ client: APIClient) async throws {
    let descriptor = file == "-" ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FailureMessage("can't open \(file): \(String(cString: strerror(errno)))") }
    defer { if descriptor != STDIN_FILENO { close(descriptor) } }
    var status = stat()
    let size = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil

    var options = TextLinesParser.Options(now: Assembly.now())
    var fields = labels.map { label in
      let parts = label.split(separator: "=", maxSplits: 1)
      return Field(String(parts[0]), String(parts[1]))
    }
    let name = source ?? (file == "-" ? nil : String(file.split(separator: "/").last ?? ""))
    if let name { fields.append(Field("source", name)) }
    options.extraFields = fields
    // Labels belong to the stream, whatever they are called.
    options.streamFields.always += fields.map { String(decoding: $0.name, as: UTF8.self) }
    var parser = TextLinesParser(options: options)
    var upload = Upload(
      client: client, labels: fields.map { String(decoding: $0.name, as: UTF8.self) },
      progress: ProgressBar(name: file, byteCount: size, isShown: !quiet))

    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    var decoder: BodyDecoder?
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw FailureMessage("can't read \(file): \(String(cString: strerror(errno)))")
      }
      if count == 0 { break }
      if decoder == nil {
        decoder = BodyDecoder(ContentEncoding(detectedIn: chunk[..<count]), byteCountMax: Int.max)
      }
      upload.progress.read(count)
      var plain: [UInt8] = []
      do {
        try chunk.withUnsafeBufferPointer { bytes throws(BodyError) in
          try decoder?.decode(UnsafeBufferPointer(rebasing: bytes[..<count])) { plain.append(contentsOf: $0) }
        }
      } catch {
        throw FailureMessage(
          "\(file) is damaged: what follows its first \(upload.recordCount) records can't be unpacked")
      }
      try await upload.add(plain.withUnsafeBufferPointer { parser.feed($0) })
    }
    do { try decoder?.finish() } catch { Terminal.complain("\(file) ends in the middle of its compressed data") }
    try await upload.add(parser.finish())
    try await upload.finish(frame: parser.frameName)
  }
}

/// Sends parsed records to a server in bodies of a few thousand, and counts what became of them.
private struct Upload {
  let client: APIClient
  /// Names of the fields that label the stream besides the usual ones.
  let labels: [String]
  var progress: ProgressBar
  private(set) var recordCount = 0
  private var rejectedCount = 0
  private var reasons: [String] = []
  private var json = JSONWriter(reservingCapacity: 1 << 20)
  private var pendingCount = 0

  private static let bodyRecordCountMax = 5000
  private static let bodyByteCountMax = 4 << 20

  private struct Receipt: Decodable {
    struct Rejection: Decodable {
      var reason: String
    }
    var processed_count: Int
    var rejected_count: Int
    var errors: [Rejection]
  }

  init(client: APIClient, labels: [String], progress: ProgressBar) {
    self.client = client
    self.labels = labels
    self.progress = progress
  }

  mutating func add(_ result: ParseResult) async throws {
    rejectedCount += result.rejectedCount
    for rejection in result.rejections where reasons.count < 5 { reasons.append(rejection.description) }
    for row in 0..<result.records.count {
      write(result.records, row)
      pendingCount += 1
      if pendingCount >= Upload.bodyRecordCountMax || json.bytes.count >= Upload.bodyByteCountMax { try await send() }
    }
  }

  mutating func finish(frame: String) async throws {
    try await send()
    progress.finish("\(recordCount) records (\(frame)), \(rejectedCount) refused")
    for reason in reasons { Terminal.complain(reason) }
  }

  private mutating func send() async throws {
    if pendingCount == 0 { return }
    let body = json.bytes
    json.removeAll()
    pendingCount = 0
    var parameters = [("any_age", "1")]
    if !labels.isEmpty { parameters.append(("stream_fields", labels.joined(separator: ","))) }
    let receipt = try await client.decode(
      Receipt.self, .POST, "/api/v1/logs/stream", parameters: parameters, body: body)
    recordCount += receipt.processed_count
    rejectedCount += receipt.rejected_count
    for error in receipt.errors where reasons.count < 5 { reasons.append(error.reason) }
    progress.show(recordCount)
  }

  private mutating func write(_ records: ParsedRecords, _ row: Int) {
    json.object { json in
      var time: [UInt8] = []
      Timestamp(nanoseconds: records.times[row]).appendRFC3339(to: &time)
      json.member("_time", time)
      json.key("_msg")
      json.value(records.bytes[records.messages[row].range])
      let severity = records.severities[row]
      if severity != .unknown { json.member("severity", severity.name) }
      for field in records.fieldSetTable[Int(records.fieldSets[row])] {
        let name = String(decoding: records.bytes[field.name.range], as: UTF8.self)
        if name == "severity", severity != .unknown { continue }
        json.key(name)
        json.value(records.bytes[field.value.range])
      }
    }
    json.newline()
  }
}
