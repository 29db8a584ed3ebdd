/// Watches the counts of every pattern in every workload, a minute a tick, and tells what is out of the ordinary.
///
/// The same ticks give the same anomalies, whether they come live, are replayed from stored counts, or go on after a
/// restart from `serialized()`. Minutes that are left out were not counted: nobody was there, and nothing is learned.
///
/// Expectations are renewed every ten minutes and at the turn of an hour; see `Expectation` and `Baseline`.
package struct Detector: Sendable {
  /// Tells how alike two patterns are in meaning: the cosine of their embeddings.
  package typealias Similarity = (UInt32, UInt32) -> Float

  /// What tells an anomaly, each with its reason.
  enum Limits {
    /// Standard deviations from which a count is out of the ordinary.
    static let z = 4.0
    /// Of the discoveries of a tick, the share that may be chance (Benjamini and Hochberg).
    static let falseDiscoveryRate = 0.01
    /// Records less than which no spike is worth a word, and the rate below which none can be missed.
    static let excessMin = 5.0
    /// A spike is at least twice what is usual, a drop at most half.
    static let factor = 2.0
    /// Ticks in which a spike or a drop must show within `confirmationWindow` ticks.
    static let confirmations = 2
    static let confirmationWindow: UInt8 = 0b111
    /// Ordinary ticks after which a spike or a drop has ended: one more than a single pause.
    static let quietTicks: UInt16 = 3
    /// Minutes a drop is also looked for in together: of a few records a minute, one minute alone proves nothing.
    static let dropMinutes = 5
    /// Minutes a changed rate must have held for to be the usual one.
    static let shiftMinutes = 30
    /// A rate that goes back within a day to what it was before a shift only made an excursion: no news, and no reason
    /// to forget the weeks before.
    static let returnMinutes: Int64 = 1440
    /// A burst that came twice before within so long, and was at least half as high, is how the series is: jobs that run
    /// each hour. Whoever cares was told of the first two.
    static let recurrenceMinutes: Int64 = 25 * 60
    static let recurrences = 2
    /// Ticks apart from which bursts are two.
    static let burstGapMinutes: Int64 = 10
    /// Below this share the mean of an hour is that of no minute: minutes are then judged by those just before.
    static let steadinessMin: Float = 0.5
    /// How much the last hour counts among all before.
    static let steadinessWeight: Float = 0.2
    /// CUSUM: the drift that is forgiven each tick, and the sum that alarms. Of normal noise this alarms once in 100,000
    /// ticks, and then the rates of before and after must still differ by `factor`.
    static let cusumDrift: Float = 0.5
    static let cusumAlarm: Float = 10
    /// A tick adds at most so much, or one burst would do.
    static let cusumStepMax: Float = 4
    static let cusumMax: Float = 30
    /// Minutes a workload must have been known for, before a pattern of it can be new.
    static let newAfterTicks: UInt32 = 10
    /// Cosine from which a new pattern is but a variant of another.
    static let variantSimilarity: Float = 0.92
    /// How long what is new stays news.
    static let newMinutes: Int64 = 60
    /// Minutes without a record after which it has ended.
    static let newQuietMinutes: Int64 = 10
    /// New patterns within `deploymentMinutes`, of all patterns of a workload, that make a deployment.
    static let deploymentShare = 0.3
    static let deploymentPatternsMin = 5
    static let deploymentMinutes: Int64 = 10
    /// Seen on fewer than 3 of 14 days: rare.
    static let rareDays = 3
    static let rareWindowDays = 14
    /// A silence that lasts a day is a workload that was taken away.
    static let silenceMinutesMax: Int64 = 1440
    /// Renewal of expectations, in ticks.
    static let renewal: UInt32 = 10
    /// A series is forgotten after eight weeks without a record.
    static let forgottenAfterMinutes: Int64 = 8 * 7 * 1440
  }

  /// Series that are kept, at most. Above it, those longest without a record are forgotten.
  package let seriesMax: Int

  var series: [Series] = []
  var indexOfKey: [SeriesKey: Int32] = [:]
  /// Series with a record in the last two hours, or one that is due.
  var active: [Int32] = []
  var workloads: [Workload] = []
  var indexOfWorkload: [UInt32: Int32] = [:]
  var open: [OpenAnomaly] = []
  var coverage = Coverage()
  var firstMinute: Int64 = -1
  /// The last tick's.
  package internal(set) var minute: Int64 = -1

  /// - Parameter seriesMax: Bounds memory: an idle series takes some 700 bytes, 110 of them when stored; a busy one up to 4 KB.
  package init(seriesMax: Int = 100_000) { self.seriesMax = max(1, seriesMax) }

  /// Patterns in workloads that are known.
  package var seriesCount: Int { series.count - workloads.count }

  /// What is out of the ordinary as of the last tick.
  package var openAnomalies: [Anomaly] { open.map(\.anomaly).sorted(by: Detector.precedes) }

  /// What is to be expected of a series in the minute after the last tick; nil if it is not known.
  package func expectation(for key: SeriesKey) -> Expectation? {
    guard let index = indexOfKey[key] else { return nil }
    let one = series[Int(index)]
    let tick = workloads[Int(one.workload)].tick
    return one.baseline.seasonalExpectation(hour: Int32((minute + 1) / 60), coverage: coverage)
      ?? one.baseline.recentExpectation(before: tick)
  }

  /// Takes in the counts of one minute.
  ///
  /// - Parameters:
  ///   - counts: Of a minute after the last; others are ignored.
  ///   - similarity: Asked for each new pattern against the patterns of its workload; nil takes none for a variant.
  /// - Returns: All anomalies that began, went on or ended in this minute, by onset.
  /// - Complexity: Some 30 ns for each active series, 100 more for each with records.
  package mutating func tick(
    _ counts: MinuteCounts, suppressions: [Suppression] = [], similarity: Similarity? = nil
  ) -> [Anomaly] {
    // Minutes far in the future would make slot numbers overflow, and none before 1970 has a place in a ring.
    guard counts.minute > minute, counts.minute < Int64(Int32.max) else { return [] }
    turnSlots(to: counts.minute)
    // A flood of patterns does not wait for the day to end; a quarter above the bound, so that this is done seldom.
    if seriesCount > seriesMax + seriesMax / 4 { forget(before: 0) }
    minute = counts.minute
    if firstMinute < 0 { firstMinute = minute }
    coverage.add(minute: minute)

    let fresh = receive(counts.entries)
    let candidates = judgeActive()
    var ended = updateOpen()
    confirm(candidates)
    openNews(fresh, similarity: similarity, ended: &ended)
    openSilences(&ended)
    for value in counts.newValues { openNewValue(value) }
    learn()
    open.sort { Detector.precedes($0.anomaly, $1.anomaly) }

    let now = minute
    for index in open.indices {
      let anomaly = open[index].anomaly
      open[index].anomaly.suppressedBy =
        suppressions.first { $0.holds(for: anomaly.kind, anomaly.key, minute: now) }?.id
    }
    return (ended + open.map(\.anomaly)).sorted(by: Detector.precedes)
  }

  /// By onset, then by series, then by kind.
  static func precedes(_ left: Anomaly, _ right: Anomaly) -> Bool {
    if left.onset != right.onset { return left.onset < right.onset }
    if left.key != right.key { return left.key < right.key }
    return left.kind.number != right.kind.number ? left.kind.number < right.kind.number : left.id < right.id
  }
}

/// One pattern in one workload, or with pattern 0 a workload as a whole.
struct Series: Equatable, Sendable {
  let key: SeriesKey
  /// Index in `workloads`.
  var workload: Int32
  var baseline = Baseline()
  var expectation = Expectation.none
  /// Counts from which and to which on a minute is a candidate; cached from `expectation`.
  var spikeFrom: UInt32 = .max
  var dropTo: Int64 = -1
  /// The workload's tick at which `expectation` was renewed.
  var renewedAt: UInt32 = 0
  var seasonHour: Int32 = -1
  /// What the same hour of other days tells of `seasonHour`.
  var season: Expectation?
  /// Bits of the last three ticks, the latest lowest: whether the tick was a discovery.
  var spikes: UInt8 = 0
  var drops: UInt8 = 0
  var rise: Float = 0
  var fall: Float = 0
  /// The minute in which the last shift was accepted, -1 before any; the rate it left, and from when on its past counted.
  var shiftedAt: Int64 = -1
  var shiftedFrom = 0.0
  var shiftedSince: Int64 = 0
  /// The share of an hour's minutes with at least half of its mean, over the last hours: near 1 for what goes on all the
  /// time, near 0 for jobs that run for a few minutes.
  var steadiness: Float = 1
  /// The latest bursts, the last at the end.
  var bursts: [Burst] = []
  /// Records of this tick.
  var pending: UInt32 = 0
  /// Ticks since the last record.
  var idleTicks: UInt16 = 0
  var isActive = false
  /// Whether an open anomaly speaks for it.
  var isOpen = false
  var firstMinute: Int64
  var lastMinute: Int64
  /// Bit d: had records d days before `newestDay`.
  var days: UInt16 = 0
  var newestDay: Int32 = 0
}

/// A spike that was told of, or would have been if it did not recur.
struct Burst: Equatable, Sendable {
  /// Its latest minute.
  var minute: Int64
  /// The most records in a minute.
  var height: UInt32
}

struct Workload: Equatable, Sendable {
  let number: UInt32
  /// The series of all its records together.
  var total: Int32
  /// Minutes it was counted in. Stands still while it is silent: a silence teaches nothing.
  var tick: UInt32 = 0
  var isSilent = false
  /// Its patterns, as indices of series.
  var patterns: [Int32] = []
  /// When its latest new patterns came: `deploymentMinutes` of them.
  var news: [Int64] = []
}

struct OpenAnomaly: Equatable, Sendable {
  var anomaly: Anomaly
  var series: Int32
  /// What it is judged by as long as it lasts: otherwise a spike of an hour would become its own expectation.
  var expectation: Expectation
  var quietTicks: UInt16 = 0
}
