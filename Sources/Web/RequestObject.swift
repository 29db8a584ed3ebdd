import Domain
import FoundationEssentials
import Hummingbird
import Search

/// The JSON object a request carries, read member by member with an error that names the member.
struct RequestObject: Sendable {
  private let members: [String: Member]

  private enum Member: Decodable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case other

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        self = .null
      } else if let flag = try? container.decode(Bool.self) {  // because a value of another kind is tried next
        self = .bool(flag)
      } else if let integer = try? container.decode(Int.self) {  // because a value of another kind is tried next
        self = .integer(integer)
      } else if let number = try? container.decode(Double.self) {  // because a value of another kind is tried next
        self = .number(number)
      } else if let string = try? container.decode(String.self) {  // because a value of another kind is tried next
        self = .string(string)
      } else {
        self = .other
      }
    }
  }

  /// An empty body is an object without members.
  ///
  /// - Throws: `Problem` 400 when the body is not a JSON object, 413 when it is larger than 1 MiB.
  init(_ request: Request) async throws {
    var request = request
    let body = try await request.collectBody(upTo: 1 << 20)
    guard body.readableBytes > 0 else {
      members = [:]
      return
    }
    do {
      members = try JSONDecoder().decode([String: Member].self, from: Data(body.readableBytesView))
    } catch {
      throw Problem.badRequest("The body must be a JSON object.")
    }
  }

  /// The members that are text, numbers or booleans, as parameters of a request are written.
  var texts: [(name: String, text: String)] {
    members.compactMap { name, member in
      switch member {
      case .string(let text): (name, text)
      case .integer(let integer): (name, String(integer))
      case .number(let number): (name, String(number))
      case .bool(let flag): (name, flag ? "true" : "false")
      case .null, .other: nil
      }
    }
  }

  func string(_ name: String) throws -> String? {
    switch members[name] {
    case nil, .null: return nil
    case .string(let text): return text
    default: throw Problem.invalidParameter(name, expected: "a string")
    }
  }

  /// False where nothing is given.
  func flag(_ name: String) throws -> Bool {
    switch members[name] {
    case nil, .null: return false
    case .bool(let flag): return flag
    default: throw Problem.invalidParameter(name, expected: "true or false")
    }
  }

  func integer(_ name: String, default value: Int, in range: ClosedRange<Int>) throws -> Int {
    switch members[name] {
    case nil, .null: return value
    case .integer(let integer):
      if range.contains(integer) { return integer }
    case .number(let number):
      if let integer = Int(exactly: number), range.contains(integer) { return integer }
    default: break
    }
    throw Problem.invalidParameter(name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
  }

  func time(_ name: String, now: Timestamp) throws -> Timestamp? {
    guard let text = try string(name) else { return nil }
    guard let time = TimeExpression.parse(text, now: now) else {
      throw Problem.invalidParameter(
        name, expected: "a time: RFC 3339, seconds since 1970, or relative such as now-1h")
    }
    return time
  }
}
