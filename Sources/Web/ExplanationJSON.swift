import Domain
import Search

extension JSONWriter {
  mutating func explanation(_ explanation: QueryExplanation) {
    let statistics = explanation.statistics
    object { json in
      json.member("query", explanation.query)
      json.member("start", explanation.range.start == TimeRange.all.start ? nil : explanation.range.start.rfc3339)
      json.member("end", explanation.range.end == TimeRange.all.end ? nil : explanation.range.end.rfc3339)
      json.key("filter")
      json.part(explanation.filter)
      json.key("pipes")
      json.array(explanation.pipes)
      json.member("stops_early", explanation.stopsEarly)
      json.key("blocks")
      json.object { json in
        json.member("total", statistics.blocks)
        json.key("pruned")
        json.object { json in
          json.member("time", statistics.pruned.time)
          json.member("streams", statistics.pruned.streams)
          json.member("templates", statistics.pruned.templates)
          json.member("tokens", statistics.pruned.tokens)
          json.member("nothing_left", statistics.pruned.nothingLeft)
        }
        json.member("summarized", statistics.blocksSummarized)
        json.member("opened", statistics.blocksOpened)
        json.member("not_needed", explanation.blocksNotNeeded)
      }
      json.key("records")
      json.object { json in
        json.member("total", statistics.total)
        json.member("matched", statistics.matched)
        json.member("answered", explanation.rowCount)
      }
      json.member("bytes_read", statistics.bytesRead)
      json.key("steps")
      json.array { json in
        for step in explanation.steps {
          json.object { json in
            json.member("name", step.name)
            json.member("duration_ms", JSONWriter.rounded(step.milliseconds))
          }
        }
      }
      json.member("duration_ms", JSONWriter.rounded(explanation.steps.reduce(0) { $0 + $1.milliseconds }))
    }
  }

  private mutating func part(_ part: QueryExplanation.Part) {
    object { json in
      json.member("text", part.text)
      if let known = part.known { json.member("known", known) }
      if !part.parts.isEmpty {
        json.key("parts")
        json.array { json in
          for inner in part.parts { json.part(inner) }
        }
      }
    }
  }

  /// Microseconds are as exact as a duration is worth.
  private static func rounded(_ milliseconds: Double) -> Double { (milliseconds * 1000).rounded() / 1000 }

  /// The same text with a member a line, for people.
  var indented: [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    var depth = 0
    var isInString = false
    var isEscaped = false
    func newLine() { text += [UInt8(ascii: "\n")] + Array(repeating: UInt8(ascii: " "), count: 2 * depth) }
    for (index, byte) in bytes.enumerated() {
      if isInString {
        text.append(byte)
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""):
        isInString = true
        text.append(byte)
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        text.append(byte)
        let isEmpty = index + 1 < bytes.count && (bytes[index + 1] == byte + 2)
        depth += 1
        if !isEmpty { newLine() }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if let last = text.last, last != byte - 2 { newLine() }
        text.append(byte)
      case UInt8(ascii: ","):
        text.append(byte)
        newLine()
      case UInt8(ascii: ":"): text += [byte, UInt8(ascii: " ")]
      default: text.append(byte)
      }
    }
    return text + [UInt8(ascii: "\n")]
  }
}
