extension Report {
  private var window: String {
    let length = Wording.duration(minutes: Int64(coverage.minutes.count))
    return
      "\(Wording.clock(minute: coverage.minutes.lowerBound)) to \(Wording.clock(minute: coverage.minutes.upperBound)) "
      + "(\(length))"
  }

  private var lookedAt: String {
    var text =
      "\(Wording.count(coverage.recordCount, "record")) of \(Wording.count(coverage.patternCount, "pattern")) in "
      + "\(Wording.count(coverage.workloadCount, "workload"))"
    if coverage.suppressedCount > 0 {
      text += "; \(Wording.grouped(coverage.suppressedCount)) anomalies snoozed or expected"
    }
    return text
  }

  /// As Markdown. Log text stands in code, where it can be no link, image or HTML.
  package var markdown: String {
    var lines = ["# \(Report.escaped(headline))", "", "\(window). Looked at \(lookedAt).", ""]
    for section in sections {
      lines += ["## \(section.grade.rawValue.capitalizedFirst): \(Report.escaped(section.title))", ""]
      lines.append("- **Where**: \(Report.escaped(section.place))")
      lines.append("- **Since**: \(section.since)")
      if !section.gradeReasons.isEmpty {
        lines.append(
          "- **Why \(section.grade.rawValue)**: \(Report.escaped(section.gradeReasons.joined(separator: "; ")))")
      }
      lines += ["", "**What changed**", ""] + section.changes.map { "- \(Report.escaped($0))" }
      lines += ["", "**Likely origin**", ""]
      lines += section.origins.enumerated().map { "\($0.offset + 1). \(Report.escaped($0.element))" }
      if !section.evidence.isEmpty {
        lines += ["", "**Evidence**", ""]
        for line in section.evidence {
          lines.append("- \(line.time.rfc3339) \(Report.escaped(line.workload)): \(Report.code(line.text))")
        }
      }
      if !section.normalAgain.isEmpty {
        lines += ["", "**Normal again**", ""] + section.normalAgain.map { "- \(Report.escaped($0))" }
      }
      lines.append("")
    }
    if !minor.isEmpty { lines += ["## Also", ""] + minor.map { "- \(Report.escaped($0))" } + [""] }
    return lines.joined(separator: "\n")
  }

  /// A few lines for a pager or a chat.
  package var plainText: String {
    var lines = [headline]
    for section in sections {
      lines.append("[\(section.grade.rawValue)] \(section.title)")
      lines.append("  where: \(section.place)")
      lines.append("  since: \(section.since)")
      if let origin = section.origins.first { lines.append("  likely origin: \(origin)") }
      if let line = section.evidence.first { lines.append("  e.g. \(Wording.clipped(line.text, to: 200))") }
    }
    lines.append("\(window). Looked at \(lookedAt).")
    return lines.joined(separator: "\n")
  }

  /// Text as it stands: what Markdown would take for a mark is escaped, line breaks and control characters are spaces.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\", "`", "*", "_", "[", "]", "<", ">", "#", "|", "!", "~", "&":
        result += "\\"
        result.unicodeScalars.append(scalar)
      default: result.unicodeScalars.append(isShown(scalar) ? scalar : " ")
      }
    }
    return result
  }

  /// As inline code, fenced by more backticks than any run of them within.
  static func code(_ text: String) -> String {
    var clean = ""
    for scalar in Wording.clipped(text, to: 400).unicodeScalars {
      clean.unicodeScalars.append(isShown(scalar) ? scalar : " ")
    }
    var longest = 0
    var run = 0
    for byte in clean.utf8 {
      run = byte == UInt8(ascii: "`") ? run + 1 : 0
      longest = max(longest, run)
    }
    let fence = String(repeating: "`", count: longest + 1)
    return "\(fence) \(clean) \(fence)"
  }

  /// Control, zero-width and direction marks are not: they show something other than what is there.
  private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
    default: true
    }
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
