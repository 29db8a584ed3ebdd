/// One thing to tell of an incident: a series, and those of the same workload that say the same in other words.
package struct Finding: Sendable {
  package var lead: RootCandidate
  /// Likeliest first.
  package var alike: [RootCandidate]

  /// Series of `candidates` as findings, in the order of their leads.
  package static func findings(_ candidates: [RootCandidate], similarity: (UInt32, UInt32) -> Float) -> [Finding] {
    var findings: [Finding] = []
    for candidate in candidates {
      let known = findings.firstIndex { finding in
        finding.lead.key.workload == candidate.key.workload
          && finding.lead.key.pattern != SeriesKey.allPatterns && candidate.key.pattern != SeriesKey.allPatterns
          && abs(finding.lead.onset - candidate.onset) <= IncidentGraph.onsetMinutes
          && similarity(finding.lead.key.pattern, candidate.key.pattern) >= IncidentGraph.similarityMin
      }
      if let known {
        findings[known].alike.append(candidate)
      } else {
        findings.append(Finding(lead: candidate, alike: []))
      }
    }
    return findings
  }
}
