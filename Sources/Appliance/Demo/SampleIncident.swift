import Domain

/// An invented shop's logs of the last hours, with one incident in them: payments v2.41.0 is rolled out, its connection pool runs
/// dry, charges time out, checkout fails.
///
/// Deterministic but for the hour it ends at: the same seed gives the same lines.
struct SampleIncident {
  /// Records in all.
  var recordCount = 100_000
  /// How far back the records reach.
  var span: Duration = .seconds(3 * 3600)
  /// The moment of the last record.
  var end: Timestamp
  private var random = SplitMix64(state: 42)

  init(end: Timestamp) { self.end = end }

  /// When the rollout began.
  var deployment: Timestamp { time(at: SampleIncident.deploymentPosition) }

  // Positions within the span, 0 to 1.
  private static let deploymentPosition = 0.815
  private static let onset = 0.825
  private static let recovery = 0.955

  private func time(at position: Double) -> Timestamp {
    let nanoseconds = Double(span.components.seconds) * 1e9
    return end.advanced(byNanoseconds: -Int64((1 - position) * nanoseconds))
  }

  /// Hands over bodies of JSON lines in the order of time, `recordsPerBody` records each, as a shipper would send them.
  mutating func generate(recordsPerBody: Int = 5000, _ body: ([UInt8]) async throws -> Void) async rethrows {
    var positions: [Double] = []
    positions.reserveCapacity(recordCount)
    // The rollout's two lines come on top.
    while positions.count < recordCount - 2 {
      let position = random.unit()
      if random.unit() * 2 < SampleIncident.load(at: position) { positions.append(position) }
    }
    positions.sort()
    var lines: [UInt8] = []
    var count = 0
    var hasDeployed = false
    for position in positions {
      if !hasDeployed, position >= SampleIncident.deploymentPosition {
        hasDeployed = true
        append(SampleIncident.rollout, at: SampleIncident.deploymentPosition, to: &lines)
        append(SampleIncident.configurationChange, at: position, to: &lines)
      }
      append(line(at: position), at: position, to: &lines)
      count += 1
      if count % recordsPerBody == 0 {
        try await body(lines)
        lines.removeAll(keepingCapacity: true)
      }
    }
    if !lines.isEmpty { try await body(lines) }
  }

  /// Records per time, relative: a day's swell, and retries on top while the incident lasts.
  private static func load(at position: Double) -> Double {
    let swell = 0.85 + 0.15 * sine(position * 2.1) + 0.08 * sine(position * 9)
    guard onset < position, position < recovery else { return swell }
    return swell + 0.9 * sine((position - onset) / (recovery - onset) / 2)
  }

  /// Sine of whole turns, by Bhaskara I's approximation: the standard library has none.
  private static func sine(_ turns: Double) -> Double {
    let phase = turns - turns.rounded(.down)
    let x = phase < 0.5 ? phase * 360 : (phase - 0.5) * 360
    let half = 4 * x * (180 - x) / (40_500 - x * (180 - x))
    return phase < 0.5 ? half : -half
  }

  private struct Line {
    let service: String
    let level: String
    let message: String
  }

  private static let rollout = Line(
    service: "payments", level: "info",
    message: "rollout started deployment=payments version=v2.41.0 previous=v2.40.3 replicas=3")
  private static let configurationChange = Line(
    service: "payments", level: "info",
    message: "effective configuration pool=payments-egress max_connections=64 idle_timeout=0s (was 30s)")

  private mutating func line(at position: Double) -> Line {
    let depth =
      SampleIncident.onset < position && position < SampleIncident.recovery
      ? 0.6
        * SampleIncident.sine((position - SampleIncident.onset) / (SampleIncident.recovery - SampleIncident.onset) / 2)
      : 0
    return random.unit() < depth ? incidentLine() : ordinaryLine()
  }

  private mutating func incidentLine() -> Line {
    switch random.below(1915) {
    case 0..<600:
      Line(
        service: "payments", level: "error",
        message: "charge failed: upstream timeout after 5000ms provider=stripe pool=payments-egress active=64/64 "
          + "waiting=\(number(20, 320)) idem=\(hex(12))")
    case 600..<1000:
      Line(
        service: "checkout-api", level: "error",
        message: "checkout failed order_id=ord_\(hex(10)) cause=\"payments: 504 Gateway Timeout\" "
          + "after=\(number(5000, 5400))ms trace_id=\(hex(16))")
    case 1000..<1400:
      Line(
        service: "gateway", level: "error",
        message: "POST /v1/checkout 502 \(number(5002, 5600))ms upstream=checkout-api:8080 req=\(hex(8))")
    case 1400..<1900:
      Line(
        service: "payments", level: "warn",
        message: "connection pool exhausted pool=payments-egress active=64/64 waiting=\(number(20, 320))")
    default:
      Line(
        service: "payments", level: "fatal",
        message: "circuit breaker opened provider=stripe failures=50/50 window=30s; rejecting all charges")
    }
  }

  private mutating func ordinaryLine() -> Line {
    switch random.below(10_935) {
    case 0..<2600:
      let path = pick(["cart", "products", "orders", "session", "recommendations"])
      let id = random.below(2) == 0 ? "" : "/\(number(1000, 9999))"
      return Line(
        service: "gateway", level: "info",
        message: "GET /v1/\(path)\(id) 200 \(number(3, 140))ms bytes=\(number(400, 9000)) req=\(hex(8))")
    case 2600..<3500:
      return Line(
        service: "gateway", level: "info",
        message: "POST /v1/checkout 201 \(number(40, 380))ms bytes=\(number(300, 900)) req=\(hex(8))")
    case 3500..<3800:
      return Line(
        service: "gateway", level: "warn",
        message: "GET /v1/products/\(number(1000, 9999)) 404 \(number(2, 12))ms req=\(hex(8))")
    case 3800..<5200:
      return Line(
        service: "checkout-api", level: "info",
        message: "order placed order_id=ord_\(hex(10)) items=\(number(1, 9)) total=\(money(300)) "
          + "currency=\(pick(["EUR", "USD", "GBP"]))")
    case 5200..<6000:
      return Line(
        service: "checkout-api", level: "debug",
        message:
          "cart priced cart=\(hex(8)) rules=\(number(1, 6)) took=\(number(1, 18))ms cache=\(pick(["hit", "miss"]))")
    case 6000..<7000:
      return Line(
        service: "payments", level: "info",
        message: "charge captured provider=stripe amount=\(money(300)) latency=\(number(90, 480))ms idem=\(hex(12))")
    case 7000..<7160:
      return Line(
        service: "payments", level: "warn",
        message: "retrying charge attempt=\(number(2, 4)) backoff=\(pick(["200", "400", "800"]))ms "
          + "reason=\"\(pick(["gateway timeout", "rate limited"]))\" idem=\(hex(12))")
    case 7160..<8060:
      return Line(
        service: "auth", level: "info",
        message: "session issued user=usr_\(hex(8)) method=\(pick(["password", "oidc", "passkey"])) "
          + "ip=10.\(number(0, 9)).\(number(0, 255)).\(number(0, 255))")
    case 8060..<8200:
      return Line(
        service: "auth", level: "warn",
        message: "login rejected reason=bad_password user=usr_\(hex(8)) attempts=\(number(1, 5))")
    case 8200..<8900:
      return Line(
        service: "inventory", level: "info",
        message: "stock reserved sku=SKU-\(number(10_000, 99_999)) qty=\(number(1, 5)) "
          + "warehouse=\(pick(["AMS", "FRA", "DUB"]))")
    case 8900..<9400:
      return Line(
        service: "inventory", level: "debug",
        message: "cache refresh shard=\(number(0, 16)) keys=\(number(200, 4000)) took=\(number(2, 60))ms")
    case 9400..<9900:
      return Line(
        service: "notifier", level: "info",
        message: "email queued template=\(pick(["order_confirmation", "shipping_update", "password_reset"])) "
          + "to=u\(number(1000, 9999))@example.com")
    case 9900..<10_200:
      return Line(
        service: "billing-worker", level: "info",
        message: "invoice finalized invoice=in_\(hex(8)) lines=\(number(1, 14)) total=\(money(900))")
    case 10_200..<10_310:
      return Line(
        service: "postgres", level: "warn",
        message: "duration: \(number(1100, 4200)).\(number(100, 999)) ms  statement: "
          + "SELECT * FROM order_items WHERE order_id = $1 AND deleted_at IS NULL")
    case 10_310..<10_910:
      return Line(
        service: "postgres", level: "trace",
        message: "checkpoint complete: wrote \(number(120, 900)) buffers (\(number(0, 3)).\(number(0, 9))%); "
          + "write=\(number(0, 8)).\(number(100, 999)) s")
    default:
      return Line(
        service: "checkout-api", level: "error",
        message: "unhandled error in /checkout: TypeError: Cannot read properties of undefined (reading 'currency') "
          + "cart=\(hex(8))")
    }
  }

  /// The record as Fluent Bit would send it.
  private mutating func append(_ line: Line, at position: Double, to lines: inout [UInt8]) {
    let replica = random.below(3)
    let suffix = ["7d9f5b6c4-x2x9p", "7d9f5b6c4-m8kqz", "7d9f5b6c4-t5rwl"][replica]
    let host = ["ip-10-2-1-37", "ip-10-2-3-55", "ip-10-2-2-91"][replica]
    let stream = line.level == "error" || line.level == "fatal" ? "stderr" : "stdout"
    let message = line.message.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    lines += Array(
      """
      {"date":"\(time(at: position).rfc3339)","log":"\(message)","stream":"\(stream)","level":"\(line.level)",\
      "kubernetes":{"namespace_name":"shop","pod_name":"\(line.service)-\(suffix)","container_name":"\(line.service)",\
      "host":"\(host)","labels":{"app":"\(line.service)","env":"production"}}}

      """.utf8)
  }

  private mutating func number(_ low: Int, _ high: Int) -> Int { low + random.below(high - low) }

  private mutating func hex(_ count: Int) -> String {
    String(decoding: (0..<count).map { _ in Array("0123456789abcdef".utf8)[random.below(16)] }, as: UTF8.self)
  }

  private mutating func money(_ most: Int) -> String {
    let cents = random.below(100)
    return "\(number(8, most)).\(cents < 10 ? "0" : "")\(cents)"
  }

  private mutating func pick(_ choices: [String]) -> String { choices[random.below(choices.count)] }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): small, seeded, the same everywhere.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// 0 up to 1.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
