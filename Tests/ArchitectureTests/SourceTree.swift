import Foundation

/// The repository's own sources, as text.
struct SourceTree {
  struct File {
    /// The folder under `Sources`.
    let room: String
    /// From the repository's root.
    let path: String
    let lines: [String]
  }

  let manifest: String
  let files: [File]

  static let shared = SourceTree()

  private init() {
    let tests = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    let root = tests.deletingLastPathComponent().deletingLastPathComponent()
    manifest = SourceTree.text(root.appending(path: "Package.swift"))
    let sources = root.appending(path: "Sources").resolvingSymlinksInPath()
    var files: [File] = []
    let names = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
    for name in names.sorted() where name.hasSuffix(".swift") {
      let parts = name.split(separator: "/")
      files.append(
        File(
          room: String(parts[0]), path: "Sources/" + name,
          lines: SourceTree.text(sources.appending(path: name)).components(separatedBy: "\n")))
    }
    self.files = files
  }

  private static func text(_ url: URL) -> String {
    // A file that can't be read is missing from every test that needs it, which then says so.
    (try? String(contentsOf: url, encoding: .utf8)) ?? ""
  }

  /// What each room may import of the other rooms, in the order of the manifest: the roof first.
  var rooms: [(name: String, dependencies: [String])] {
    var rooms: [(name: String, dependencies: [String])] = []
    let text = manifest.replacing("\n", with: " ")
    for part in text.components(separatedBy: "room(").dropFirst(2) + [appliance(text)] {
      let quoted = part.prefix { $0 != "]" }.split(separator: "\"", omittingEmptySubsequences: false)
      let names = stride(from: 1, to: quoted.count, by: 2).map { String(quoted[$0]) }
      let products = SourceTree.products.filter { part.prefix { $0 != "]" }.contains($0.key) }.flatMap(\.value)
      if let name = names.first { rooms.append((name, Array(names.dropFirst()) + products)) }
    }
    // The roof is declared first.
    return [rooms[rooms.count - 1]] + rooms.dropLast()
  }

  /// The executable is declared at length.
  private func appliance(_ text: String) -> String {
    guard let start = text.range(of: ".executableTarget(") else { return "" }
    return String(text[start.upperBound...])
  }

  /// The modules that come with a product, by the name the manifest gives it.
  private static let products: [String: [String]] = [
    "argumentParser": ["ArgumentParser"],
    "asyncHTTPClient": ["AsyncHTTPClient", "NIOCore", "NIOHTTP1"],
    "crypto": ["Crypto"],
    "grdb": ["GRDB"],
    "hummingbird": ["Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOCore", "NIOHTTP1", "NIOHTTPTypes"],
    "logging": ["Logging"],
    "serviceLifecycle": ["ServiceLifecycle"],
  ]
}

extension SourceTree.File {
  /// The modules that the file imports, with their line numbers.
  var imports: [(module: String, line: Int)] {
    lines.enumerated().compactMap { index, line in
      var words = line.split(separator: " ").map(String.init)
      while let first = words.first,
        ["package", "internal", "public", "private", "@testable", "@preconcurrency"].contains(first)
      {
        words.removeFirst()
      }
      guard words.count >= 2, words[0] == "import" else { return nil }
      let name = ["struct", "class", "enum", "func", "protocol"].contains(words[1]) ? words[2] : words[1]
      return (String(name.prefix { $0 != "." }), index + 1)
    }
  }

  /// Lines with what follows `//` cut off.
  var code: [(text: String, line: Int)] {
    lines.enumerated().map { index, line in
      (line.range(of: "//").map { String(line[..<$0.lowerBound]) } ?? line, index + 1)
    }
  }
}
