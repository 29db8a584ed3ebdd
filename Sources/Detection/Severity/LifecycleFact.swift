/// Something that happened to a process or a container, other than what it wrote itself to say so.
package enum LifecycleFact: String, CaseIterable, Sendable {
  case outOfMemory, crashLoop, panic, crash, abnormalExit, probeFailure, eviction

  /// For a person.
  package var words: String {
    switch self {
    case .outOfMemory: "killed for want of memory"
    case .crashLoop: "restarts again and again"
    case .panic: "panicked"
    case .crash: "crashed"
    case .abnormalExit: "exited abnormally"
    case .probeFailure: "a health probe failed"
    case .eviction: "evicted from its node"
    }
  }

  /// The facts that a text states, in the order of `allCases`.
  package static func facts(in text: String) -> [LifecycleFact] {
    facts(in: IdentifierWords.words(of: text.utf8))
  }

  static func facts(in words: [String]) -> [LifecycleFact] {
    allCases.filter { fact in
      fact.phrases.contains { phrase in
        words.indices.contains { index in
          words[index...].starts(with: phrase)
            && !(index > 0 && SeverityLexicon.absences.contains(words[index - 1]))
            // `exit code 0` is no failure.
            && !(fact == .abnormalExit && words[index...].dropFirst(phrase.count).first == "0")
        }
      }
    }
  }

  private var phrases: [[String]] { LifecycleFact.phrases[self] ?? [] }

  private static let phrases: [LifecycleFact: [[String]]] = {
    let table: [(LifecycleFact, String)] = [
      (.outOfMemory, "oom killed,oom kill,oomkilled,oom killer,killed process,out of memory,invoked oom"),
      (.crashLoop, "crash loop back off,crashloopbackoff,crash loop,back off restarting,restarting failed container"),
      (.panic, "panic,panicked"),
      (
        .crash,
        "segfault,segmentation fault,core dumped,sigsegv,sigabrt,sigbus,crashed,general protection fault,has died"
      ),
      (
        .abnormalExit,
        """
        exit code,exited with code,exit status,exited with status,exited abnormally,terminated abnormally,non zero exit,\
        terminated unexpectedly,exited unexpectedly
        """
      ),
      (
        .probeFailure,
        """
        liveness probe failed,readiness probe failed,startup probe failed,liveness probe errored,readiness probe errored,\
        health check failed,failed health check,failed liveness probe,failed readiness probe
        """
      ),
      (.eviction, "evicted,evicting pod,eviction manager"),
    ]
    return Dictionary(
      uniqueKeysWithValues: table.map { fact, list in
        (fact, list.split(separator: ",").map { $0.split(separator: " ").map(String.init) })
      })
  }()
}
