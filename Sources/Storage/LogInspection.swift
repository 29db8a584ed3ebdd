internal import Foundation

// SQLITE'S LOG (sqlite.org/fileformat2.html, section 4). Integers are big-endian.
//   header, 32 bytes: magic 0x377F0682 or …83, version, page size p, sequence, salt (8 bytes), checksum (8 bytes) of the
//     24 bytes before it
//   frames, 24 + p bytes: page number, file size after a commit or 0, salt as in the header, checksum (8 bytes) of the
//     frame's first 8 bytes and its page, which goes on from the checksum of the frame before
// Checksums are two 32-bit sums over pairs of words, which are big-endian where the magic's last bit is set.

/// A log with frames that are whole behind one that is not.
///
/// SQLite takes the first bad frame for the end of the log, for a crash leaves such an end. A commit is synced before the
/// next one begins, so a bad frame of an earlier commit than the last is damage: what came from there on was
/// acknowledged, and is lost. A process that was killed leaves no bad frame before whole ones. Damage to the last frame
/// of all cannot be told from a commit that was not finished.
struct LogDamage: Hashable, Sendable {
  /// From 1; 0 is the header.
  var frame: Int
  var frameCount: Int
  /// Whole commits that end behind the bad frame.
  var lostCommitCount: Int
  /// Whether the bad frame is of the last commit: then it may have been left by a power failure before that commit was
  /// acknowledged.
  var isOfLastCommit: Bool

  var description: String {
    let place = frame == 0 ? "the header of the log" : "frame \(frame) of \(frameCount) of the log"
    if isOfLastCommit {
      return place + " is damaged, and the last commit was not read; if the power failed just then, nothing that was"
        + " acknowledged is missing"
    }
    let commits = lostCommitCount == 1 ? "the last commit was" : "the last \(lostCommitCount) commits were"
    return place + " is damaged, and \(commits) not read"
  }
}

enum LogInspection {
  /// What is wrong with the log at `path`, before SQLite opens it; nil if it is whole, or not there.
  ///
  /// - Complexity: Reads the log once. After a proper stop it is empty.
  static func damage(ofLog path: String) -> LogDamage? {
    // A log that cannot be read is SQLite's to complain about.
    guard let log = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) else { return nil }
    return log.withUnsafeBytes { damage(of: $0) }
  }

  static func damage(of log: UnsafeRawBufferPointer) -> LogDamage? {
    guard log.count > 32 else { return nil }
    func word(_ offset: Int) -> UInt32 { UInt32(bigEndian: log.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    // Nothing but the checksum says whether the header is whole. What it says of frames is tried all the same.
    let pageSizes = (9...16).map { 1 << $0 }
    let pageSize = pageSizes.contains(Int(word(8))) ? Int(word(8)) : 4096
    let frameByteCount = 24 + pageSize
    let frameCount = (log.count - 32) / frameByteCount
    guard frameCount > 0 else { return nil }
    let isBigEndian = word(0) & 1 == 1
    let stored = (word(24), word(28))
    let isHeaderWhole =
      word(0) & ~1 == 0x377F_0682
      && sum(UnsafeRawBufferPointer(rebasing: log[0..<24]), isBigEndian, from: (0, 0)) == stored

    func start(_ frame: Int) -> Int { 32 + (frame - 1) * frameByteCount }
    func checksum(_ frame: Int) -> (UInt32, UInt32) {
      frame == 0 ? stored : (word(start(frame) + 16), word(start(frame) + 20))
    }
    /// Whether the frame follows, by its checksum, from the one before as that one is stored.
    func isWhole(_ frame: Int, salt: (UInt32, UInt32)) -> Bool {
      let offset = start(frame)
      guard word(offset + 8) == salt.0, word(offset + 12) == salt.1 else { return false }
      let head = UnsafeRawBufferPointer(rebasing: log[offset..<offset + 8])
      let page = UnsafeRawBufferPointer(rebasing: log[offset + 24..<offset + frameByteCount])
      return sum(page, isBigEndian, from: sum(head, isBigEndian, from: checksum(frame - 1))) == checksum(frame)
    }
    var salt = (word(16), word(20))
    var bad = 0
    if isHeaderWhole {
      bad = 1
      while bad <= frameCount, isWhole(bad, salt: salt) { bad += 1 }
    } else {
      // The frames know the salt, too, if they agree about it.
      guard log[..<32].contains(where: { $0 != 0 }) else { return nil }
      salt = (word(start(1) + 8), word(start(1) + 12))
    }
    guard bad < frameCount || bad == 0 else { return nil }
    var lostCommitCount = 0
    for frame in (bad + 1)...max(bad + 1, frameCount) where frame <= frameCount && isWhole(frame, salt: salt) {
      if word(start(frame) + 4) != 0 { lostCommitCount += 1 }
    }
    guard lostCommitCount > 0 else { return nil }
    let endsCommit = bad > 0 && word(start(bad) + 4) != 0
    return LogDamage(
      frame: bad, frameCount: frameCount, lostCommitCount: lostCommitCount + (endsCommit ? 1 : 0),
      isOfLastCommit: bad > 0 && lostCommitCount == 1 && !endsCommit)
  }

  private static func sum(
    _ bytes: UnsafeRawBufferPointer, _ isBigEndian: Bool, from start: (UInt32, UInt32)
  ) -> (UInt32, UInt32) {
    var (first, second) = start
    for offset in stride(from: 0, to: bytes.count - 7, by: 8) {
      let left = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
      let right = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
      first &+= (isBigEndian ? UInt32(bigEndian: left) : UInt32(littleEndian: left)) &+ second
      second &+= (isBigEndian ? UInt32(bigEndian: right) : UInt32(littleEndian: right)) &+ first
    }
    return (first, second)
  }
}
