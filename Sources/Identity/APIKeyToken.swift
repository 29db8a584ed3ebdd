import CKernels

/// An API key as its holder has it: `tlk_<10 key id><32 secret><6 checksum>`, all base62.
///
/// The key id is looked up; the secret has 190 random bits, so that a keyed hash of it needs no slow function; the checksum tells a
/// mistyped key from an unknown one before anything is looked up.
struct APIKeyToken: Equatable {
  static let prefix = "tlk_"
  private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
  private static let idLength = 10
  private static let secretLength = 32
  private static let checksumLength = 6

  let keyID: String
  let secret: String

  /// A new one from `random`.
  init(using random: inout some RandomNumberGenerator) {
    func text(_ count: Int) -> String {
      String(decoding: (0..<count).map { _ in Self.alphabet.randomElement(using: &random)! }, as: UTF8.self)
    }
    keyID = text(Self.idLength)
    secret = text(Self.secretLength)
  }

  /// One of that id and secret, which have their lengths.
  init(keyID: String, secret: String) {
    self.keyID = keyID
    self.secret = secret
  }

  /// Nil if `text` is not of this form, or its checksum does not hold.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    let prefix = Array(Self.prefix.utf8)
    guard bytes.count == prefix.count + Self.idLength + Self.secretLength + Self.checksumLength,
      bytes.starts(with: prefix)
    else { return nil }
    let body = bytes[prefix.count...]
    guard body.allSatisfy({ Self.alphabet.contains($0) }) else { return nil }
    let id = body.prefix(Self.idLength)
    let secret = body.dropFirst(Self.idLength).prefix(Self.secretLength)
    keyID = String(decoding: id, as: UTF8.self)
    self.secret = String(decoding: secret, as: UTF8.self)
    guard String(decoding: body.suffix(Self.checksumLength), as: UTF8.self) == checksum else { return nil }
  }

  var text: String { Self.prefix + keyID + secret + checksum }

  /// CRC-32C of id and secret in base62.
  private var checksum: String {
    let body = Array((keyID + secret).utf8)
    var rest = body.withUnsafeBytes { tl_crc32c(0, $0.baseAddress, $0.count) }
    var digits: [UInt8] = []
    for _ in 0..<Self.checksumLength {
      digits.append(Self.alphabet[Int(rest % 62)])
      rest /= 62
    }
    return String(decoding: digits.reversed(), as: UTF8.self)
  }
}
