import Detection

extension IncidentFacts {
  /// What the watch found out of an incident.
  init(_ incident: IncidentDocument) {
    let found =
      incident.severityReasons.isEmpty ? [] : ["Severity: " + incident.severityReasons.joined(separator: "; ")]
    let place = incident.scope.isEmpty ? [] : ["Where: " + incident.scope]
    let candidates = incident.candidates.map { candidate in
      "\(candidate.isRoot ? "Nothing else explains" : "Explained by others:") "
        + "'\(candidate.text)' in \(candidate.workload) since \(candidate.onset)"
        + (candidate.reasons.isEmpty ? "" : ": " + candidate.reasons.joined(separator: "; "))
    }
    self.init(
      headline: incident.title, severity: incident.severity, points: incident.severityScore,
      facts: place + ["From \(incident.onset) to \(incident.last)"] + incident.changes + candidates
        + incident.normalAgain.map { "Normal again: " + $0 } + found,
      evidence: incident.evidence.map {
        Evidence(id: $0.id, time: $0.time, workload: $0.workload, text: $0.message)
      })
  }

  /// What an analysis found out of a window.
  init(_ analysis: AnalysisDocument) {
    let findings = analysis.findings.map { "\($0.title): \($0.detail)" }
    let clusters = analysis.clusters.map { cluster in
      "\(cluster.change): '\(cluster.label)', \(cluster.size) records in \(cluster.workloads.joined(separator: ", "))"
        + (cluster.reasons.isEmpty ? "" : ": " + cluster.reasons.joined(separator: "; "))
    }
    var seen: Set<String> = []
    self.init(
      headline: analysis.headline, severity: analysis.severity, points: analysis.severityScore,
      facts: (analysis.summary.isEmpty ? [] : [analysis.summary]) + findings + clusters,
      evidence: analysis.findings.flatMap(\.evidence).filter { seen.insert($0.id).inserted }.map {
        Evidence(id: $0.id, time: $0.time, workload: $0.stream, text: $0.message)
      })
  }

  private init(headline: String, severity: String, points: Double, facts: [String], evidence: [Evidence]) {
    self.init(
      headline: headline, severity: IncidentSeverity(rawValue: severity) ?? .none, score: points,
      lowestSeverity: IncidentSeverity(
        rawValue: Detection.SeverityScore.Grade(points: points - 1).rawValue) ?? .none,
      facts: facts, evidence: evidence)
  }
}
