internal import Domain

/// What the heads of lines so far have taught: names of hosts, and columns that lines without a time share.
///
/// Depends on the templates and their order only, as all of the miner.
struct FrameMemory: Sendable {
  /// Hosts as units: a slot in a name counts as one, whatever it holds.
  var hosts: Set<[UInt8]> = []
  /// Shapes of columns that are no part of the message.
  var columns: Set<[UInt8]> = []
  var candidates: [[UInt8]: Candidate] = [:]

  /// Columns that may be a head, and the templates that have them.
  struct Candidate: Sendable {
    var templates: [(number: UInt32, template: Template)] = []
    var nextWords: Set<[UInt8]> = []
  }

  private static let hostsMax = 4096
  private static let candidatesMax = 256
  /// Templates that must share their first columns for these to be a head: messages of one kind do, too, but they go on
  /// with the same word.
  private static let templatesMin = 12
  private static let nextWordsMin = 6

  mutating func learn(host: [UInt8]) {
    if hosts.count < FrameMemory.hostsMax { hosts.insert(host) }
  }

  /// Takes in that `template` opens with columns of this shape and goes on with `nextWord`.
  ///
  /// - Returns: The templates that were read before it was known that these columns are a head, this one among them;
  ///   empty until then.
  mutating func learn(
    columns shape: [UInt8], nextWord: [UInt8], template: Template, number: UInt32
  ) -> [(number: UInt32, template: Template)] {
    guard !columns.contains(shape) else { return [] }
    guard candidates[shape] != nil || candidates.count < FrameMemory.candidatesMax else { return [] }
    candidates[shape, default: Candidate()].templates.append((number, template))
    candidates[shape]!.nextWords.insert(nextWord)
    let candidate = candidates[shape]!
    guard candidate.templates.count >= FrameMemory.templatesMin else { return [] }
    candidates[shape] = nil
    guard candidate.nextWords.count >= FrameMemory.nextWordsMin else { return [] }
    columns.insert(shape)
    return candidate.templates
  }
}
