/// What single words and short phrases of a message say about how serious it is, in points.
///
/// Written from general knowledge of operating systems, databases, networks, clusters and security logs. The words of
/// a group share one weight: what an operator would do on reading it alone.
enum SeverityLexicon {
  /// Points of a word, found as it stands or by its stem (`timeouts`, `dropping`).
  static func weight(of word: String) -> Double? {
    if let weight = words[word] { return weight }
    for stem in stems(of: word) {
      if let weight = words[stem] { return weight }
    }
    // Written in one: `linkerror`, `ioexception`.
    for (suffix, weight) in suffixes where word.hasSuffix(suffix) && word.utf8.count > suffix.utf8.count + 1 {
      return weight
    }
    return nil
  }

  /// `word` without the endings of plural, past and gerund, likeliest first.
  static func stems(of word: String) -> [String] {
    var stems: [String] = []
    func cut(_ count: Int, adding ending: String = "") {
      let stem = word.dropLast(count)
      if stem.utf8.count >= 3 { stems.append(stem + ending) }
    }
    if word.hasSuffix("ies") { cut(3, adding: "y") }
    if word.hasSuffix("es") { cut(2) }
    if word.hasSuffix("s") { cut(1) }
    for ending in ["ed", "ing"] where word.hasSuffix(ending) {
      cut(ending.utf8.count)
      cut(ending.utf8.count, adding: "e")
      let letters = Array(word.utf8.dropLast(ending.utf8.count))
      if letters.count > 3, letters[letters.count - 1] == letters[letters.count - 2] { cut(ending.utf8.count + 1) }
    }
    return stems
  }

  /// Phrases by their first word, the longest first.
  static let phrases: [String: [(words: [String], weight: Double)]] = {
    var phrases: [String: [(words: [String], weight: Double)]] = [:]
    for (weight, list) in phraseGroups {
      for phrase in list.split(separator: ",") {
        let words = phrase.split(separator: " ").map(String.init)
        phrases[words[0], default: []].append((words, weight))
      }
    }
    return phrases.mapValues { $0.sorted { $0.words.count > $1.words.count } }
  }()

  /// Turn the word after them: `no errors` is good news, `not ready` is not.
  static let negations: Set<String> = [
    "no", "not", "never", "without", "zero", "0", "none", "nothing", "cannot", "cant", "couldnt", "didnt", "doesnt",
    "isnt", "wasnt", "wont", "dont", "havent", "hasnt", "unable", "failed", "fail", "fails", "failure",
  ]

  /// Those of the negations that state an absence: trouble after them did not happen.
  static let absences: Set<String> = ["no", "not", "never", "without", "zero", "0", "none", "didnt", "doesnt", "isnt"]

  /// Names of troubles, which an absence may stand two words before.
  static let nouns: Set<String> = [
    "error", "errors", "failure", "failures", "exception", "exceptions", "warning", "warnings", "problem", "problems",
    "fault", "faults", "conflict", "conflicts", "leak", "leaks", "loss",
  ]

  /// What follows the name of a trouble where the words are about dealing with it, or counting it.
  static let dealings: Set<String> = [
    "handler", "handlers", "handling", "log", "logger", "logs", "page", "pages", "rate", "rates", "counter",
    "threshold", "reporter", "reporting", "policy", "listener", "stream", "level", "detector", "detection", "monitor",
    "tolerance", "injector", "budget",
  ]

  /// What follows `error=` where there was none.
  static let nothings: Set<String> = ["null", "nil", "none", "false", "no", "0", "ok", "success", "off", "disabled"]

  private static let suffixes: [(String, Double)] = [
    ("exception", 2.6), ("failure", 2.6), ("error", 2.4), ("fault", 1.8), ("timeout", 2),
  ]

  private static let words: [String: Double] = {
    var weights: [String: Double] = [:]
    for (weight, list) in wordGroups {
      for word in list.split(whereSeparator: \.isWhitespace) { weights[String(word)] = weight }
    }
    return weights
  }()

  private static let wordGroups: [(Double, String)] = [
    // Something died or was damaged.
    (
      3.6,
      """
      panic fatal crash segfault segv sigsegv sigabrt sigbus coredump corrupt corruption deadlock oom unrecoverable \
      uncorrectable breach intrusion exploit malware emergency emerg crashloopbackoff oops livelock bluescreen
      """
    ),
    // Something that was to be done was not.
    (
      2.8,
      """
      fail failure exception unhandled uncaught exhausted unreachable outage traceback assert assertion died dead \
      unresponsive severed hung lockup halt
      """
    ),
    (
      2.5,
      """
      error err fault critical crit alert refuse timeout unavailable overflow starvation unsuccessful eof enospc \
      econnrefused etimedout econnreset enoent eacces bug attack malicious severe abnormal abnormally
      """
    ),
    (
      2.0,
      """
      unable cannot cant couldnt wont broken break bad reject deny unauthorized forbidden lost lose missing invalid malformed \
      illegal unexpected unexpectedly unsupported unrecognized unresolved evict disconnect kill terminate violation \
      problem collision conflict leak crashed overrun underrun
      """
    ),
    // Something to keep an eye on.
    (
      1.5,
      """
      abort warn warning exceed overload degraded degrade throttle drop mismatch inconsistent stale suspicious suspect expire \
      rollback blocked stuck frozen freeze slow insufficient incomplete interrupted unhealthy misconfigured \
      untrusted tamper possible partial undefined down parity offline stall unreadable discard
      """
    ),
    (
      1.0,
      """
      retry retries backoff deprecated duplicate unknown cancel revoke orphan skip ignore obsolete \
      redundant delay late lag reconnect retransmission unstable fallback failover interrupt speculate full \
      empty unclean dirty overheat suspend quarantine anonymous failing
      """
    ),
    // Things went as they were meant to.
    (
      -1.2,
      """
      success succeed successful successfully completed complete ok healthy ready recovered restored resolved \
      corrected normal finished accepted established registered pass passed enabled joined alive
      """
    ),
    (
      -0.6,
      """
      started starting start initialized initialised loaded loading connected opened created received sending sent \
      added updated stopped stopping closed launched listening available info debug statistics stats init using \
      granted verified detected saved set register
      """
    ),
  ]

  private static let phraseGroups: [(Double, String)] = [
    (
      3.6,
      """
      out of memory,no space left,disk full,disk is full,file system full,filesystem full,core dumped,dumped core,\
      oom killed,oom killer,crash loop,break in,kernel bug,machine check,data loss,split brain,double free,\
      stack overflow,brute force,sql injection,safe mode
      """
    ),
    (
      2.8,
      """
      timed out,not responding,no response,no longer,no route,deadline exceeded,does not exist,doesnt exist,not exist,connection reset,\
      reset by peer,too many,is full,gave up,giving up,not reachable,read only file system,out of range,out of disk,\
      out of space,not functional,not fully,circuit breaker open,circuit breaker opened,quorum lost,lost quorum,\
      exit code,broken pipe,went away,never received,heartbeat missed,missed heartbeat,probe failed,back off
      """
    ),
    (
      2.2,
      """
      not found,no such,could not,can not,is not,are not,was not,were not,did not,does not,do not,has not,have not,\
      not available,not allowed,not permitted,not supported,access denied,permission denied,not authorized,must not,not ready,\
      not connected,not running,not running,not match,not valid,too old,too large,too big,too long,too slow,\
      took too long,above threshold,below threshold,over limit,over quota,user unknown,unknown user,already in use,\
      shut down unexpectedly,no more,no server,no child,root login
      """
    ),
    (0.8, "shutting down,shut down,not in,must be,giving way"),
  ]
}
