import Foundation

/// A file of labelled data that cannot be used, for the person who named it.
struct DataFileError: Error, CustomStringConvertible {
  var path: String
  /// From 1; nil where the whole file is meant.
  var line: Int?
  var reason: String

  var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(reason)" }
}

/// Files of labelled data as bytes.
enum DataFile {
  static func read(_ path: String) throws -> [UInt8] {
    do {
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw DataFileError(path: path, reason: "cannot be read: \(error.localizedDescription)")
    }
  }

  /// Replaces the file; folders above it are made.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let url = URL(fileURLWithPath: path)
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
    } catch {
      throw DataFileError(path: path, reason: "cannot be written: \(error.localizedDescription)")
    }
  }

  /// The files under `folder` whose name ends in `suffix`, at any depth, ordered by path; the file itself if it is one.
  static func paths(under folder: String, suffix: String) throws -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw DataFileError(path: folder, reason: "does not exist")
    }
    if !isFolder.boolValue { return [folder] }
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
    return names.filter { $0.hasSuffix(suffix) }.sorted().map { folder + "/" + $0 }
  }

  /// The lines of a text as places in it, without line feeds and carriage returns; what follows the last line feed is a
  /// line if there is anything.
  static func lines(of text: [UInt8]) -> [Range<Int>] {
    var lines: [Range<Int>] = []
    var start = 0
    while start < text.count {
      let feed = text[start...].firstIndex(of: 0x0A) ?? text.count
      let end = feed > start && text[feed - 1] == 0x0D ? feed - 1 : feed
      lines.append(start..<end)
      start = feed + 1
    }
    return lines
  }
}
