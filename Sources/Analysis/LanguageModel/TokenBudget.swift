package import Domain

/// Tokens spent by day (UTC), by whoever pays.
package struct TokenBudget: Equatable, Sendable {
  private var day: Int64 = .min
  private(set) var spent = 0

  package init() {}

  private static let daySeconds: Int64 = 86_400
  private static func day(of time: Timestamp) -> Int64 {
    time.nanoseconds.floorDivided(by: daySeconds * 1_000_000_000)
  }

  /// Takes `tokens` out of the day's budget before they are used: calls at the same time cannot spend it twice.
  ///
  /// - Throws: `.budgetSpent` if fewer are left.
  package mutating func reserve(_ tokens: Int, of most: Int?, at time: Timestamp) throws(LanguageModelFailure) {
    turn(to: time)
    guard let most else {
      spent += tokens
      return
    }
    guard spent + tokens <= most else {
      throw .budgetSpent(resetsAt: Timestamp(seconds: (day + 1) * Self.daySeconds))
    }
    spent += tokens
  }

  /// Puts right what was reserved at `time` by what was used.
  package mutating func settle(reserved: Int, used: Int, at time: Timestamp) {
    guard Self.day(of: time) == day else { return }
    spent = max(0, spent - reserved + used)
  }

  /// What is spent on the day of `time`.
  package mutating func spent(at time: Timestamp) -> Int {
    turn(to: time)
    return spent
  }

  private mutating func turn(to time: Timestamp) {
    let day = Self.day(of: time)
    if day > self.day {
      self.day = day
      spent = 0
    }
  }
}
