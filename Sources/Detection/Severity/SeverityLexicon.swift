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

  /// State an absence: trouble after them did not happen, and what they negate otherwise did not either.
  static let absences: Set<String> = [
    "no", "not", "never", "without", "zero", "0", "none", "didnt", "doesnt", "isnt", "arent", "wasnt", "werent",
  ]

  /// Points of an absence of what is no trouble itself: `not received`, `no contacts`.
  static func weight(ofAbsence absence: String, of word: String) -> Double {
    if ["0", "zero", "none"].contains(absence) { return 0 }
    if optional.contains(word) { return 0.4 }
    return absence.hasSuffix("nt") || absence == "not" ? 1.6 : 0.6
  }

  /// Say that what follows did not come about: success after them is none.
  static let failings: Set<String> = [
    "cannot", "cant", "couldnt", "wont", "unable", "failed", "fail", "fails", "failure", "could",
  ]

  /// What may well not be: `not enabled`, `not required`.
  static let optional: Set<String> = [
    "enabled", "set", "defined", "required", "necessary", "needed", "configured", "used", "specified", "provided",
    "applicable", "implemented", "registered", "cached", "changed", "modified", "yet", "only",
  ]

  /// Names of troubles, which an absence may stand two words before.
  static let nouns: Set<String> = [
    "error", "errors", "failure", "failures", "exception", "exceptions", "warning", "warnings", "problem", "problems",
    "fault", "faults", "conflict", "conflicts", "leak", "leaks", "loss",
  ]

  /// What follows the name of a trouble where the words are about dealing with it, or counting it.
  static let dealings: Set<String> = [
    "handler", "handlers", "handling", "log", "logger", "logs", "page", "pages", "rate", "rates", "counter",
    "threshold", "reporter", "reporting", "policy", "listener", "stream", "level", "detector", "detection", "monitor",
    "tolerance", "injector", "budget", "support", "supported", "register", "architecture", "enable", "enabled", "per",
    "protection", "recovery", "mode", "mask", "count",
  ]

  /// What follows `error=` where there was none.
  static let nothings: Set<String> = ["null", "nil", "none", "false", "no", "0", "ok", "success", "off", "disabled"]

  private static let suffixes: [(String, Double)] = [
    ("exception", 2.6), ("failure", 2.6), ("error", 2.4), ("timeout", 2),
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
      unresponsive severed hung lockup halt unavailable unsuccessful unsuccessfully
      """
    ),
    (
      2.5,
      """
      error err fault critical crit alert refuse timeout overflow starvation eof enospc econnrefused etimedout \
      econnreset enoent eacces bug attack malicious severe abnormal abnormally unable cannot cant couldnt wont broken \
      bad unrecognized problem malformed illegal unresolved
      """
    ),
    (
      2.1,
      """
      break reject deny unauthorized forbidden lost lose missing invalid unexpected unexpectedly unsupported evict kill \
      terminated violation collision conflict leak overrun underrun exceed unauthenticated wrong
      """
    ),
    // Something to keep an eye on.
    (
      1.7,
      """
      abort warn warning overload degraded degrade throttle drop mismatch inconsistent stale suspicious suspect expire \
      rollback blocked stuck frozen freeze slow insufficient incomplete interrupted unhealthy misconfigured unsent \
      untrusted tamper disconnect parity stall unreadable undefined undo untested intruder anonymous
      """
    ),
    (
      1.2,
      """
      retry retries backoff deprecated duplicate unknown cancel revoke orphan skip ignore obsolete terminate discard \
      redundant delay late lag reconnect retransmission unstable fallback failover interrupt speculate speculative full \
      empty unclean dirty overheat suspend quarantine failing offline possible partial down reset force null must \
      expecting
      """
    ),
    // Things went as they were meant to.
    (
      -1,
      """
      success succeed successful successfully completed complete ok healthy ready recovered restored resolved \
      corrected normal normally finished accepted established registered pass passed enabled joined alive available \
      supported
      """
    ),
    (
      -0.5,
      """
      started starting start initialized initialised loaded loading connected opened created received sending sent \
      added updated stopped stopping closed launched listening info debug statistics stats init using \
      granted verified saved set register
      """
    ),
  ]

  private static let phraseGroups: [(Double, String)] = [
    (
      3.6,
      """
      out of memory,no space left,disk full,disk is full,file system full,filesystem full,core dumped,dumped core,\
      oom killed,oom killer,crash loop,break in,kernel bug,data loss,split brain,double free,\
      stack overflow,brute force,sql injection
      """
    ),
    (
      2.8,
      """
      timed out,not responding,no response,no longer,no route,deadline exceeded,does not exist,doesnt exist,not exist,\
      connection reset,reset by peer,too many,is full,gave up,giving up,not reachable,read only file system,\
      out of range,out of disk,out of space,not functional,not fully,breaker open,breaker opened,quorum lost,\
      lost quorum,exit code,broken pipe,went away,never received,heartbeat missed,missed heartbeat,probe failed,\
      back off,no such,not found,could not,can not,is down,went down,link down,node down,down unexpectedly
      """
    ),
    (
      2.3,
      """
      access denied,permission denied,not available,not allowed,not permitted,not supported,not authorized,must not,\
      not match,not valid,too old,too large,too big,too long,too slow,took too long,above threshold,below threshold,\
      over limit,over quota,user unknown,unknown user,already in use,root login,core file,core files,generating core,\
      received signal,caught signal,by signal,machine check,status 500,status 502,status 503,status 504,http 500,\
      http 502,http 503,http 504,returned 500,returned 502,returned 503,returned 504,internal server error,bad gateway
      """
    ),
    (1.5, "instead of,but got,but was,shutting down,shut down,status 401,status 403,status 404,status 429"),
    (0, "dry run,fail safe,fail over,failed 0,errors 0,error 0,key down,action down,debug level,safe mode"),
  ]
}
