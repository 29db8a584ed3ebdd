/// Credentials inside addresses: `scheme://user:password@host`, `user:password@tcp(host)`, web hooks; mail addresses.
extension SensitiveScan {
  /// - Parameter index: Where `://` begins.
  mutating func address(schemeEnd index: Int) -> Int {
    let start = index + 3
    let limit = min(text.count, start + 512)
    let tokenEnd =
      (start..<max(start, limit)).first { Self.addressEnds.contains(text[$0]) || text[$0].isBlank } ?? limit
    var authorityEnd = (start..<max(start, tokenEnd)).first { Self.authorityEnds.contains(text[$0]) } ?? tokenEnd
    var at = text.last(.at, in: start..<authorityEnd)
    if at == nil, let colon = text.first(.colon, in: start..<authorityEnd), !isPort(colon + 1..<authorityEnd),
      let late = text.last(.at, in: authorityEnd..<tokenEnd)
    {
      // A password with a stroke or a hash sign in it.
      at = late
      authorityEnd = tokenEnd
    }
    guard let at else {
      webHook(start..<tokenEnd)
      return start
    }
    if let colon = text.first(.colon, in: start..<at) {
      let user = start..<colon
      if text.contains(.at, in: user) { hide(user, .email) }
      if shapes.match(at: start, in: text).map({ $0.range.upperBound >= colon }) == true { hide(user, .token) }
      if !isHarmless(colon + 1..<at) { hide(colon + 1..<at, .password) }
    } else if at - start >= 16, Makeup(text, start..<at).isMixed {
      hide(start..<at, .token)
    }
    return at + 1
  }

  /// The colon of an IPv6 address or a port.
  private func isPort(_ range: Range<Int>) -> Bool {
    range.allSatisfy { text[$0].isHex || text[$0] == .colon || text[$0] == UInt8(ascii: "]") }
  }

  /// Web hooks carry their secret in the path.
  private mutating func webHook(_ range: Range<Int>) {
    guard let slash = text.first(.slash, in: range), range.count - (slash - range.lowerBound) > 16 else { return }
    let isHook = Self.hookHosts.contains { host in
      let count = host.utf8CodeUnitCount
      return text.starts(with: host, at: range.lowerBound)
        || slash - range.lowerBound > count && text.ends(with: host, at: slash)
    }
    guard isHook || text.find("hook", in: slash..<range.upperBound) != nil else { return }
    var start = slash + 1
    while start < range.upperBound {
      let end =
        (start..<range.upperBound).first { !ByteSet.base64URL.union(".~@").contains(text[$0]) } ?? range.upperBound
      let makeup = Makeup(text, start..<end)
      let isSecret =
        isHook
        ? makeup.count >= 8 && (makeup.isMixed || makeup.upper == makeup.count)
        : makeup.count >= 16 && (makeup.isRandom || isUUID(start..<end))
      if isSecret {
        hide(start..<end, .token)
      }
      guard end < range.upperBound, text[end] == .slash else { return }
      start = end + 1
    }
  }

  mutating func atSign(_ index: Int) -> Int {
    if let next = credentialsBefore(index) { return next }
    return max(index + 1, mailAddress(at: index, width: 1))
  }

  /// `user:password@tcp(host:3306)/db`, `user:password@host.example`, `oracle:thin:user/password@host`
  private mutating func credentialsBefore(_ index: Int) -> Int? {
    guard text[index + 1].isAlphanumeric || text[index + 1] == UInt8(ascii: "(") || text[index + 1] == .slash else {
      return nil
    }
    let start = text.start(of: Self.userInfo, to: index, most: 128)
    for driver in [":thin:", ":oci:", "sqlplus "] as [StaticString] {
      let from = max(0, start - 24)
      guard let found = text.find(driver, in: from..<index), let stroke = text.first(.slash, in: found..<index) else {
        continue
      }
      return isHarmless(stroke + 1..<index) ? nil : hide(stroke + 1..<index, .password) + 1
    }
    guard let colon = text.first(.colon, in: start..<index), colon > start, index - colon > 3 else { return nil }
    let host = text.end(of: .host, from: index + 1)
    let isDriver = text[host] == UInt8(ascii: "(")
    let isHost = text.contains(.dot, in: index + 1..<host) || text[host] == .colon && text[host + 1].isDigit
    let password = colon + 1..<index
    let makeup = Makeup(text, password)
    guard isDriver || isHost && text[start].isLetter && (makeup.isMixed || makeup.others > 0),
      !text.contains(.slash, in: password) || isDriver, !isHarmless(password), !text.contains(.at, in: password)
    else { return nil }
    return hide(password, .password) + 1
  }

  /// - Parameter width: Of the at sign: 3 where it is written `%40`.
  /// - Returns: The end of the address, or 0 if there is none.
  mutating func mailAddress(at index: Int, width: Int) -> Int {
    var start = text.start(of: Self.localPart, to: index, most: 64)
    while start < index, text[start] == .dot || text[start] == .dash || text[start] == UInt8(ascii: "'") { start += 1 }
    var end = text.end(of: Self.domain, from: index + width, most: 253)
    while end > index + width, text[end - 1] == .dot || text[end - 1] == .dash { end -= 1 }
    let domain = index + width..<max(end, index + width)
    guard start < index, text[domain.lowerBound] != .dot, let dot = text.last(.dot, in: domain) else { return 0 }
    let top = dot + 1..<end
    guard (2...24).contains(top.count),
      top.allSatisfy({ text[$0].isLetter || text[$0] >= 0x80 }) || text.startsAnyCase(with: "xn--", at: top.lowerBound),
      domain.lowerBound..<dot ~= domain.lowerBound,
      (domain.lowerBound..<dot).contains(where: { text[$0].isLetter || text[$0] >= 0x80 }),
      !text.equalsAnyCase(top, anyOf: Self.noTopDomains)
    else { return 0 }
    let local = start..<index
    // A message's id, made by a program.
    if index - start >= 8, !local.contains(where: { text[$0].isLetter || text[$0] >= 0x80 }), text[end] == 0x3E {
      return 0
    }
    // Names of ciphers, and where sources are fetched from.
    if text.equalsAnyCase(domain, anyOf: ["openssh.com", "libssh.org"]) { return 0 }
    if text.equalsAnyCase(local, "git"), text[end] == .colon || text[end] == .slash { return 0 }
    // A service's name in Kerberos: HTTP/host@REALM
    if text[start - 1] == .slash, domain.allSatisfy({ !text[$0].isLower }) { return 0 }
    // Machines are reached so too.
    if text.equalsAnyCase(top, anyOf: Self.innerDomains), text.equalsAnyCase(local, anyOf: Self.accounts) { return 0 }
    if text[start - 1] == UInt8(ascii: "<") { displayName(before: start - 1) }
    return hide(start..<end, .email)
  }

  /// `Kim Novak <…>`: two or three words that begin with a capital letter.
  private mutating func displayName(before index: Int) {
    var start = index
    var words = 0
    while words < 3 {
      let end = text.start(of: ByteSet(" \""), to: start, most: 2)
      let word = text.start(of: ByteSet.letters.union("-'."), to: end, most: 24)
      guard word < end, text[word].isUpper, end < start else { break }
      start = word
      words += 1
    }
    if words >= 2 { hide(start..<text.start(of: ByteSet(" \""), to: index, most: 2), .person) }
  }

  private static let addressEnds = ByteSet("\"'`<>\\")
  private static let authorityEnds = ByteSet("/?#")
  private static let userInfo = ByteSet.alphanumeric.union("._-:!#$%^&*+?~/")
  private static let localPart = ByteSet(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-'&", beyondASCII: true)
  private static let domain = ByteSet(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", beyondASCII: true)
  private static let noTopDomains: [StaticString] = [
    "service", "socket", "timer", "slice", "scope", "mount", "target", "path", "device", "swap", "automount", "svc",
    "png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css", "tgz", "gz", "jar", "zip", "so", "dylib", "whl",
  ]
  private static let innerDomains: [StaticString] = ["local", "internal", "localdomain", "lan", "cluster", "localhost"]
  private static let accounts: [StaticString] = [
    "root", "admin", "postgres", "ubuntu", "ec2-user", "nobody", "www-data", "mysql", "redis", "core", "centos",
    "debian", "vagrant", "app", "deploy", "jenkins", "rabbit", "system", "daemon", "git", "celery", "worker",
  ]
  private static let hookHosts: [StaticString] = [
    "hooks.slack.com", "discord.com", "discordapp.com", "outlook.office.com", "webhook.office.com",
    "hooks.zapier.com", "maker.ifttt.com", "open.feishu.cn", "open.larksuite.com", "events.pagerduty.com",
    "hc-ping.com",
    "webhook.site", "hooks.stripe.com", "logic.azure.com", "hook.eu1.make.com", "hook.us1.make.com", "sns.webhook",
  ]
}
