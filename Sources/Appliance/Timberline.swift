import ArgumentParser
import AsyncHTTPClient
import Crypto
import GRDB
import Hummingbird
import Logging
import ServiceLifecycle

@main struct Timberline: AsyncParsableCommand {
  func run() async throws {
    let q = try DatabaseQueue()
    print(try await q.read { try String.fetchOne($0, sql: "select sqlite_version()") } ?? "")
    let r = Router(); r.get("/x") { _, _ in "y" }
    _ = Application(router: r)
    _ = HTTPClient.shared
    _ = HMAC<SHA256>.authenticationCode(for: [1,2], using: SymmetricKey(size: .bits256))
  }
}
