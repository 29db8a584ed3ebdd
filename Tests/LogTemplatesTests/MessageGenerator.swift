/// SplitMix64 (Steele, Lea and Flood 2014): a small generator whose sequence a test can repeat.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

/// Messages made of what logs are made of, cut and glued at random, with bytes that no log should hold.
struct MessageGenerator {
  private var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private static let pieces: [String] = [
    "error", "Connection", "user", "a", "_", "x9", "blk_", "0x", "0x1f", "deadbeef", "12", "7", "2026", "03", "18",
    "255", "256",
    "10.0.0.1", "fe80::1", "::", ":", "::1", "00:1a:2b:3c:4d:5e", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "abcdefab-",
    "é", "日本語",
    "٣", "µs", "ms", "1h2m", "35ms", "Mar", "Mar 18 13:44:27", "Wed", "Wed, 18 Mar 2026 13:44:27 GMT",
    "2026-03-18T13:44:27Z",
    "13:44:27", "Z", "UTC", "+01:00", "/", "//", "/etc/hosts", "://", "http", "https://a.b/c?d=1", "C:\\", "\\",
    "\\\\server\\x",
    "\"", "'", "\\\"", "msg=", "\"msg\":", "=", ",", ", ", ".", "..", "-", "--", "+", "@", "api-7f9c4b5d66-x2k4p",
    "-xkwzp",
    "example.com", "db.prod.internal", "localdomain", "AKIAiosfodnn7example+", "(", ")", "[", "]", "{", "}", "<", ">",
    "%", "#",
    "\n", "\t", "\u{1B}[31m", "\u{0}", "\u{2028}", "🙂", "½",
  ]

  mutating func next() -> [UInt8] {
    var message: [UInt8] = []
    for _ in 0..<Int.random(in: 0...24, using: &random) {
      switch Int.random(in: 0..<20, using: &random) {
      case 0: message.append(UInt8.random(in: 0...255, using: &random))
      case 1: message.append(0xFF)
      case 2: message.append(UInt8.random(in: 0x80...0xFF, using: &random))
      case 3...8: message.append(0x20)
      default: message += Array(MessageGenerator.pieces.randomElement(using: &random)!.utf8)
      }
    }
    // Cuts fall within scalars and words too.
    if Int.random(in: 0..<8, using: &random) == 0, !message.isEmpty {
      message.removeFirst(Int.random(in: 0...min(3, message.count), using: &random))
    }
    return message
  }
}
