/// Makes values of the shape of secrets, drawn at random and valid nowhere. They are put together while the tests run,
/// so that no scanner finds one in the sources.
struct SensitiveValues {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64 (Steele, Lea and Flood 2014).
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  private static let digits = Array("0123456789".utf8)
  private static let lower = Array("abcdefghijklmnopqrstuvwxyz".utf8)
  private static let upper = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
  private static let hex = Array("0123456789abcdef".utf8)

  /// A value from a recipe: parts `<set><count>` between spaces, and `'text` for itself. Sets: `a` letters of both
  /// cases and digits, `u` base64url, `b` base64, `h` hexadecimal, `d` digits, `U` capitals and digits, `l` small
  /// letters, `k` small letters and digits.
  mutating func make(_ recipe: String) -> String {
    recipe.split(separator: " ").map { part -> String in
      if part.first == "'" { return String(part.dropFirst()) }
      let alphabet: [UInt8] =
        switch part.first {
        case "u": Self.upper + Self.lower + Self.digits + Array("-_".utf8)
        case "b": Self.upper + Self.lower + Self.digits + Array("+/".utf8)
        case "h": Self.hex
        case "d": Self.digits
        case "U": Self.upper + Self.digits
        case "l": Self.lower
        case "k": Self.lower + Self.digits
        default: Self.upper + Self.lower + Self.digits
        }
      let count = Int(part.dropFirst()) ?? 0
      return String(
        decoding: (0..<count).map { _ in alphabet[Int(next() % UInt64(alphabet.count))] }, as: UTF8.self)
    }.joined()
  }

  /// Digits that begin with `front` and end with Luhn's check digit.
  mutating func card(_ front: String, _ count: Int) -> String {
    var digits = front.utf8.map { Int($0 & 0xF) }
    while digits.count < count - 1 { digits.append(Int(next() % 10)) }
    let sum = digits.reversed().enumerated().reduce(0) { sum, item in
      let doubled = item.element * 2
      return sum + (item.offset % 2 == 1 ? item.element : doubled > 9 ? doubled - 9 : doubled)
    }
    return (digits + [(10 - sum % 10) % 10]).map(String.init).joined()
  }

  /// An IBAN with right check digits.
  mutating func account(_ country: String, _ count: Int) -> String {
    let body = make("d\(count - 4)")
    let whole = body + country.utf8.map { String($0 - 55) }.joined() + "00"
    let remainder = whole.utf8.reduce(0) { ($0 * 10 + Int($1 & 0xF)) % 97 }
    let check = 98 - remainder
    return country + (check < 10 ? "0" : "") + "\(check)" + body
  }

  static func base64(_ text: String) -> String {
    let alphabet = upper + lower + digits + Array("+/".utf8)
    var result: [UInt8] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
      for digit in 0..<4 {
        result.append(digit <= group.count ? alphabet[bits >> (18 - 6 * digit) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// In groups of four.
  static func grouped(_ text: String, _ separator: String, _ lengths: [Int]) -> String {
    var rest = text[...]
    var parts: [Substring] = []
    for length in lengths where !rest.isEmpty {
      parts.append(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return parts.joined(separator: separator)
  }
}

/// Whether anything of a secret can be read: eight bytes in a row, or all of a shorter one.
func shows(_ secret: String, in text: String) -> Bool {
  let secret = Array(secret.utf8)
  let text = Array(text.utf8)
  let length = min(8, secret.count)
  guard length > 0, text.count >= length else { return false }
  let pieces = Set((0...secret.count - length).map { Array(secret[$0..<$0 + length]) })
  return (0...text.count - length).contains { pieces.contains(Array(text[$0..<$0 + length])) }
}
