import Domain

/// When a tenant's report is made by itself, and where it goes.
package struct ReportSettings: Codable, Equatable, Sendable {
  package enum Schedule: String, Codable, CaseIterable, Sendable { case off, hourly, daily }

  /// What is wrong with settings, for who made them.
  package struct Invalid: Error, Equatable {
    package let field: String
    package let expected: String
  }

  package var schedule: Schedule
  /// UTC, of the daily report.
  package var hour: Int
  /// Where reports are posted; nil: nowhere.
  package var webhook: String?
  /// With which posts are signed.
  package var webhookSecret: String?
  /// Reports of less are not posted: none, low, medium, high, critical.
  package var minSeverity: String

  enum CodingKeys: String, CodingKey {
    case schedule, hour, webhook
    case webhookSecret = "webhook_secret"
    case minSeverity = "min_severity"
  }

  package init(
    schedule: Schedule = .off, hour: Int = 7, webhook: String? = nil, webhookSecret: String? = nil,
    minSeverity: String = "none"
  ) {
    self.schedule = schedule
    self.hour = hour
    self.webhook = webhook
    self.webhookSecret = webhookSecret
    self.minSeverity = minSeverity
  }

  /// - Parameter owner: A tenant's hooks lead to the public internet alone, the appliance's anywhere.
  package func validated(owner: LanguageModelSettings.Owner) throws(Invalid) -> ReportSettings {
    guard (0...23).contains(hour) else { throw Invalid(field: "hour", expected: "a whole number from 0 to 23") }
    // Why it is refused is told in one way for all addresses: more would tell what is inside the network.
    if let webhook, (try? EndpointURL(String(webhook.prefix { $0 != "?" }), owner: owner)) == nil {
      throw Invalid(
        field: "webhook",
        expected:
          "an \(owner == .tenant ? "https" : "http or https") address\(owner == .tenant ? " on the public internet" : "")"
      )
    }
    return self
  }

  /// The start of the last period that is over at `time`; nil if nothing is scheduled.
  func due(at time: Timestamp) -> Timestamp? {
    let hourLength: Int64 = 3_600_000_000_000
    switch schedule {
    case .off: return nil
    case .hourly: return Timestamp(nanoseconds: time.nanoseconds.floorDivided(by: hourLength) * hourLength)
    case .daily:
      let day = 24 * hourLength
      let offset = Int64(hour) * hourLength
      return Timestamp(nanoseconds: (time.nanoseconds - offset).floorDivided(by: day) * day + offset)
    }
  }

  /// Of what is looked at.
  var windowNanoseconds: Int64 { schedule == .hourly ? 3_600_000_000_000 : 86_400_000_000_000 }
}
