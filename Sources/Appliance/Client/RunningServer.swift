#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The note a server leaves in its data folder while it runs, so that commands on that folder find it.
enum RunningServer {
  private static func path(_ folder: String) -> String { folder + "/server.url" }

  static func announce(_ url: String, in folder: String) {
    guard let file = fopen(path(folder), "w") else { return }
    fputs(url + "\n", file)
    fclose(file)
  }

  static func withdraw(from folder: String) { unlink(path(folder)) }

  /// The address of the server that holds the folder; nil if none does. A note left behind by a killed server is not believed.
  static func find(in folder: String) -> String? {
    guard Assembly.isLocked(folder), let file = fopen(path(folder), "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    guard fgets(&line, Int32(line.count), file) != nil else { return nil }
    let text = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.hasPrefix("http") ? text : nil
  }
}
