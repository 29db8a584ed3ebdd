import CWebAssets
import FoundationEssentials
import Testing

@testable import Web

/// The API's description, docs/reference/openapi.json as the binary carries it, says of each route what the router does.
@Suite struct OpenAPITests {
  @Test func `the description names the routes that there are, and no others`() async throws {
    let described = Set(try Description.embedded().operations.map(\.route))

    let routes = try await withRoutes { routes in Set(routes.map(name)) }

    #expect(described == routes)
  }

  @Test func `an operation names the scope of its route, and asks for a key where the route does`() async throws {
    let operations = Dictionary(
      uniqueKeysWithValues: try Description.embedded().operations.map { ($0.route, $0.operation) })

    let routes = try await withRoutes { $0 }

    for route in routes {
      let operation = try #require(operations[name(route)], "\(name(route)) is not described")
      switch route.access {
      case .anyone:
        #expect(operation.security == [], "\(name(route)) is open")
        #expect(operation.permission == nil, "\(name(route)) is open")
      case .tenant(let permission):
        #expect(operation.security == [["apiKey": []]], "\(name(route)) needs a key")
        #expect(operation.permission == permission.rawValue, "\(name(route))")
      }
    }
  }

  @Test func `parts of a path are described as parameters`() throws {
    for (route, operation) in try Description.embedded().operations {
      let parts = route.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
      let parameters = (operation.parameters ?? []).filter { $0.place == "path" }.compactMap(\.name)

      #expect(Set(parameters) == Set(parts), "\(route)")
    }
  }

  @Test func `operations have names of their own, and every reference leads somewhere`() throws {
    let description = try Description.embedded()
    let names = description.operations.compactMap(\.operation.operationID)

    #expect(names.count == description.operations.count)
    #expect(Set(names).count == names.count)
    let root = try Description.root()
    for reference in Set(root.references) { #expect(root.leads(to: reference), "\(reference)") }
  }

  @Test func `a refused request is a problem document wherever a route can refuse`() throws {
    let description = try Description.embedded()

    for (route, operation) in description.operations {
      for status in ["401", "500", "default"] {
        let response = try #require(operation.responses[status], "\(route) has no \(status)")
        #expect(response.reference?.hasPrefix("#/components/responses/") == true, "\(route) \(status)")
      }
      if operation.permission != nil { #expect(operation.responses["403"] != nil, "\(route)") }
    }
  }

  // MARK: The router's side

  private func name(_ route: Route) -> String { "\(route.method.rawValue) \(route.path)" }

  /// Every route but the one that serves the pages.
  private func withRoutes<Result>(_ body: ([Route]) throws -> Result) async throws -> Result {
    try await TestServer.run { try body($0.routes.all.filter { $0.path != "/{path}" }) }
  }
}

/// What of an OpenAPI document the tests look at.
private struct Description: Decodable {
  struct Operation: Decodable {
    struct Parameter: Decodable {
      var name: String?
      var place: String?

      enum CodingKeys: String, CodingKey {
        case name
        case place = "in"
      }
    }

    struct Response: Decodable {
      var reference: String?

      enum CodingKeys: String, CodingKey { case reference = "$ref" }
    }

    var operationID: String?
    var security: [[String: [String]]]?
    var permission: String?
    var parameters: [Parameter]?
    var responses: [String: Response]

    enum CodingKeys: String, CodingKey {
      case operationID = "operationId"
      case permission = "x-permission"
      case security, parameters, responses
    }
  }

  /// Any JSON, to walk references in.
  indirect enum Node: Decodable {
    case object([String: Node])
    case array([Node])
    case text(String)
    case other

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let members = try? container.decode([String: Node].self) {  // because a value of another kind is tried next
        self = .object(members)
      } else if let elements = try? container.decode([Node].self) {  // because a value of another kind is tried next
        self = .array(elements)
      } else if let text = try? container.decode(String.self) {  // because numbers and flags hold no reference
        self = .text(text)
      } else {
        self = .other
      }
    }

    var references: [String] {
      switch self {
      case .object(let members):
        members.flatMap { name, node in
          if name == "$ref", case .text(let text) = node { [text] } else { node.references }
        }
      case .array(let elements): elements.flatMap(\.references)
      case .text, .other: []
      }
    }

    /// Whether `#/a/b/c` is there.
    func leads(to reference: String) -> Bool {
      guard reference.hasPrefix("#/") else { return false }
      var node = self
      for part in reference.dropFirst(2).split(separator: "/") {
        guard case .object(let members) = node, let next = members[String(part)] else { return false }
        node = next
      }
      return true
    }
  }

  var paths: [String: [String: Operation]]

  /// `GET /health` and what is said of it.
  var operations: [(route: String, operation: Operation)] {
    paths.flatMap { path, operations in
      operations.map { ("\($0.key.uppercased()) \(path)", $0.value) }
    }
  }

  private static var data: Data { Data(UnsafeRawBufferPointer(start: tl_openapi, count: tl_openapi_length)) }

  static func embedded() throws -> Description { try JSONDecoder().decode(Description.self, from: data) }

  static func root() throws -> Node { try JSONDecoder().decode(Node.self, from: data) }
}
