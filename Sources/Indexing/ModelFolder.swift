import Embedding
import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// The larger models for search by meaning in a data folder: `models/NAME.model`, of which the one that was added last
/// is used.
///
/// A file is copied under another name and then renamed, so that a server that reads one in place never sees it change.
package struct ModelFolder: Sendable {
  package struct Entry: Sendable {
    /// The model's own name and the checksum.
    package var name: String
    /// Empty if the file does not say.
    package var license: String
    package var dimension: Int
    package var byteCount: Int
    /// Why it cannot be used; nil if it can.
    package var problem: String?
  }

  /// For the person at the terminal.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  package let path: String

  /// What is larger is no model that a log server should run.
  private static let byteCountMax = 1 << 30
  private static let ending = ".model"

  package init(dataFolder: String) { path = dataFolder + "/models" }

  // MARK: For the server

  /// The model to use, mapped into memory; nil if there is none.
  package func load() throws(Failure) -> SecondStageModel? {
    guard let name = names().first else { return nil }
    do throws(TransformerModelError) {
      return SecondStageModel(try TransformerEmbedder(try map(file(name))))
    } catch {
      throw Failure(description: "\(file(name)): \(error)")
    }
  }

  // MARK: For the commands

  /// Newest first; the first one is the one in use.
  package func entries() -> [Entry] {
    names().map { name in
      do {
        return try Entry(map(file(name)))
      } catch {
        return Entry(name: name, license: "", dimension: 0, byteCount: 0, problem: "\(error)")
      }
    }
  }

  /// Checks `source` and copies it into the folder, which is made if need be.
  package func add(_ source: String) throws(Failure) -> Entry {
    let input = open(source, O_RDONLY | O_CLOEXEC)
    guard input >= 0 else { throw Self.failure("can't read \(source)") }
    defer { close(input) }
    var status = stat()
    guard fstat(input, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Failure(description: "\(source) is not a file")
    }
    for folder in [String(path.dropLast("/models".count)), path] where mkdir(folder, 0o700) != 0 && errno != EEXIST {
      throw Self.failure("can't make \(folder)")
    }
    let copy = path + "/.\(getpid()).tmp"
    let output = open(copy, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard output >= 0 else { throw Self.failure("can't write \(copy)") }
    defer {
      close(output)
      // Nothing is there any more where all went well.
      unlink(copy)
    }
    try Self.copy(input, to: output, source: source)
    // What is checked is the copy: that is what will be used.
    let entry: Entry
    do {
      entry = try Entry(map(copy))
    } catch {
      throw Failure(description: "\(source): \(error)")
    }
    guard fsync(output) == 0, rename(copy, file(entry.name)) == 0 else { throw Self.failure("can't write \(path)") }
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
    return entry
  }

  package func remove(_ name: String) throws(Failure) {
    guard names().contains(name) else {
      throw Failure(description: "there is no model '\(name)'; `timberline model list` shows them")
    }
    guard unlink(file(name)) == 0 else { throw Self.failure("can't remove \(file(name))") }
  }

  // MARK: -

  private func file(_ name: String) -> String { path + "/" + name + Self.ending }

  /// Newest first, equal times by name.
  private func names() -> [String] {
    // A folder that cannot be listed, or is not there, has no models that could be used either.
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let dated = files.filter { $0.hasSuffix(Self.ending) && !$0.hasPrefix(".") }.map { name in
      var status = stat()
      stat(path + "/" + name, &status)
      let time = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
      return (name: String(name.dropLast(Self.ending.count)), time: time)
    }
    return dated.sorted { $0.time != $1.time ? $0.time > $1.time : $0.name < $1.name }.map(\.name)
  }

  private func map(_ file: String) throws(TransformerModelError) -> TransformerModelBytes {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_size > 0 else { throw .magic }
    defer { close(descriptor) }
    let count = Int(status.st_size)
    guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw .header("the file can't be mapped")
    }
    let bits = UInt(bitPattern: address)
    return TransformerModelBytes(mapped: UnsafeRawBufferPointer(start: address, count: count)) {
      munmap(UnsafeMutableRawPointer(bitPattern: bits), count)
    }
  }

  private static func copy(_ input: Int32, to output: Int32, source: String) throws(Failure) {
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    var total = 0
    while true {
      let count = read(input, &chunk, chunk.count)
      if count < 0 { throw failure("can't read \(source)") }
      if count == 0 { return }
      total += count
      guard total <= byteCountMax else { throw Failure(description: "\(source) is larger than 1 GiB") }
      var written = 0
      while written < count {
        let step = chunk.withUnsafeBytes { write(output, $0.baseAddress! + written, count - written) }
        guard step > 0 else { throw failure("can't write the copy of \(source)") }
        written += step
      }
    }
  }

  private static func failure(_ action: String) -> Failure {
    Failure(description: "\(action): \(String(cString: strerror(errno)))")
  }
}

extension ModelFolder.Entry {
  fileprivate init(_ file: TransformerModelBytes) throws(TransformerModelError) {
    let description = try TransformerModelDescription(validating: file)
    // The name is the file's word, and becomes a file's name.
    let name = description.identity.map { character in
      character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character)) ? character : "_"
    }
    self.init(
      name: String(String(name).drop { $0 == "." }.suffix(120)), license: description.license,
      dimension: description.dimension, byteCount: description.byteCount, problem: nil)
  }
}
