/// What became of a series of counts: compared with what was to be expected of it.
struct VolumeChange: Equatable, Sendable {
  enum Kind: String, Sendable { case new, burst, silence, shift, steady }

  var kind: Kind
  /// Index of the first step that is out of the ordinary; 0 for `steady`.
  var onset: Int
  /// Index after the last such step.
  var end: Int
  /// The largest deviation, in standard deviations; for a silence that of all its steps together, which is negative.
  var z: Double
  /// Expected records a step.
  var expected: Double
  /// Records a step, on average, while the change lasted.
  var observed: Double
}

/// Finds bursts, silences and shifts in counts by step.
///
/// The expectation e is the median of the steps outside the change, its noise their median absolute deviation (MAD); a step deviates
/// by z = (o − e) / sqrt(max(e, 0.5) + (1.4826 · MAD)² + (0.1 · e)²): Poisson noise, measured noise, and a tenth of the level itself.
enum VolumeAnomalies {
  /// Standard deviations from which a step is out of the ordinary.
  static let zMin = 4.0
  /// Steps without records that make a silence.
  static let silenceStepsMin = 3
  /// Records that did not come before a pattern counts as new: by Poisson's law, chance leaves out 5 in 1 of 150 cases.
  static let absenceMin = 5.0

  /// - Parameters:
  ///   - counts: Records by step of the window.
  ///   - before: Records by step of a span before the window; empty if nothing is known of it.
  ///   - isKnown: Whether the pattern was seen before the window.
  static func change(in counts: [Int], before: [Int], isKnown: Bool) -> VolumeChange {
    let reference = before + counts
    let expected = median(reference.map(Double.init))
    let deviation = median(reference.map { abs(Double($0) - expected) })
    let noise = max(expected, 0.5) + (1.4826 * deviation) * (1.4826 * deviation) + (0.1 * expected) * (0.1 * expected)
    let scale = noise.squareRoot()
    let scores = counts.map { (Double($0) - expected) / scale }
    let steady = VolumeChange(
      kind: .steady, onset: 0, end: counts.count, z: scores.max { abs($0) < abs($1) } ?? 0, expected: expected,
      observed: mean(counts[...]))

    // Up: at least twice and five more than expected, in one run that may pause for a step or two.
    if let run = longestRun(
      scores.indices.filter { index in
        scores[index] >= zMin && Double(counts[index]) >= 2 * expected && Double(counts[index]) - expected >= 5
      })
    {
      let observed = mean(counts[run])
      let peak = scores[run].max() ?? 0
      let isShift =
        run.upperBound == counts.count && run.count >= 30 && Double(run.count) >= 0.25 * Double(counts.count)
      // What was not there before began with its first record, also where the first few came one by one.
      let first = counts.firstIndex { $0 > 0 } ?? run.lowerBound
      let isNew =
        !isKnown && expected < 0.05 && before.count + first > 0
        && counts[first..<run.lowerBound].reduce(0, +) * 10 <= counts[run].reduce(0, +)
      let kind: VolumeChange.Kind = isNew ? .new : isShift ? .shift : .burst
      return VolumeChange(
        kind: kind, onset: isNew ? first : run.lowerBound, end: run.upperBound, z: peak, expected: expected,
        observed: observed)
    }
    // Down: what was steadily there is gone for at least three steps. A step cannot hold less than nothing, so that of a
    // modest rate none alone deviates by `zMin`: three in a row that deviate by zMin / √3 do so together.
    let stepMin = zMin / Double(silenceStepsMin).squareRoot()
    if expected >= 5,
      let run = longestRun(scores.indices.filter { scores[$0] <= -stepMin && Double(counts[$0]) <= 0.3 * expected }),
      run.count >= silenceStepsMin
    {
      let z = scores[run].reduce(0, +) / Double(run.count).squareRoot()
      if z <= -zMin {
        return VolumeChange(
          kind: .silence, onset: run.lowerBound, end: run.upperBound, z: z, expected: expected,
          observed: mean(counts[run]))
      }
    }
    // New: absent for so long that, had it always come at the rate it came at since, at least `absenceMin` records were to be expected.
    if !isKnown, let first = counts.firstIndex(where: { $0 > 0 }), first > 0 {
      let absent = Double(before.count + first)
      let perStep = Double(counts.reduce(0, +)) / Double(counts.count - first)
      guard absent * perStep >= absenceMin else { return steady }
      let last = (counts.lastIndex { $0 > 0 } ?? first) + 1
      return VolumeChange(
        kind: .new, onset: first, end: last, z: scores[first..<last].max() ?? 0, expected: 0,
        observed: mean(counts[first..<last]))
    }
    return steady
  }

  /// The run that covers most of `indices`, where gaps of up to two steps do not break a run.
  private static func longestRun(_ indices: [Int]) -> Range<Int>? {
    var best: (range: Range<Int>, members: Int)?
    var current: (range: Range<Int>, members: Int)?
    for index in indices {
      if let open = current, index - open.range.upperBound <= 2 {
        current = (open.range.lowerBound..<index + 1, open.members + 1)
      } else {
        current = (index..<index + 1, 1)
      }
      if let open = current, open.members > (best?.members ?? 0) { best = open }
    }
    return best?.range
  }

  static func median(_ values: [Double]) -> Double {
    if values.isEmpty { return 0 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  private static func mean(_ counts: ArraySlice<Int>) -> Double {
    counts.isEmpty ? 0 : Double(counts.reduce(0, +)) / Double(counts.count)
  }
}
