/// Passwords given to commands by flags of one letter, which mean a password to those commands alone.
extension SensitiveScan {
  private enum Form {
    /// `-pVALUE`
    case attached
    /// `-p VALUE`
    case spaced
    /// `-u NAME:VALUE`, `-U NAME%VALUE`
    case pair(UInt8)
  }

  private static let flags: [(flag: UInt8, form: Form, commands: [StaticString])] = [
    (
      UInt8(ascii: "p"), .attached,
      [
        "mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlcheck", "mariadb", "mariadb-dump", "7z", "7za",
        "xtrabackup",
      ]
    ),
    (
      UInt8(ascii: "p"), .spaced,
      [
        "sshpass", "login", "mongo", "mongosh", "mongodump", "mongorestore", "rabbitmqadmin", "kadmin", "sqlplus",
        "jfrog",
      ]
    ),
    (UInt8(ascii: "u"), .pair(UInt8(ascii: ":")), ["curl", "http", "https", "ab", "siege", "lftp", "hey", "rclone"]),
    (UInt8(ascii: "U"), .pair(UInt8(ascii: "%")), ["smbclient", "rpcclient", "net", "smbmount", "winexe"]),
    (UInt8(ascii: "c"), .spaced, ["snmpwalk", "snmpget", "snmpset", "snmpbulkwalk", "snmptrap"]),
    (UInt8(ascii: "k"), .spaced, ["enc"]),
    (UInt8(ascii: "a"), .spaced, ["redis-cli", "redis-benchmark", "http"]),
    (UInt8(ascii: "w"), .spaced, ["ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami", "ldappasswd"]),
    (
      UInt8(ascii: "P"), .spaced,
      ["sqlcmd", "bcp", "osql", "isql", "ipmitool", "mosquitto_pub", "mosquitto_sub", "zip", "unzip", "wsadmin"]
    ),
  ]

  mutating func dash(_ index: Int) -> Int {
    if text[index + 1] == .dash {
      if let next = keyBlock(index) ?? publicBlock(index) { return next }
      if text.starts(with: "--user", at: index) || text.starts(with: "--proxy-user", at: index) {
        let start = text.end(of: ByteSet("abcdefghijklmnopqrstuvwxyz-"), from: index)
        if text[start] == .equals || text[start] == 0x20 { return pair(after: start, .colon) ?? index + 2 }
      }
      return text.end(of: ByteSet("-"), from: index)
    }
    let letter = text[index + 1]
    guard letter.isLetter, index == 0 || text[index - 1] == 0x20 || ByteSet.quotes.contains(text[index - 1]) else {
      return index + 1
    }
    let line = max(0, index - 128)..<index
    for entry in Self.flags where entry.flag == letter {
      guard entry.commands.contains(where: { isCommand($0, in: line) }) else { continue }
      switch entry.form {
      case .attached:
        guard !text[index + 2].isBlank, text[index + 2] != .dash
        else { continue }
        let value = value(from: index + 2, isSpaced: false)
        if !isHarmless(value.range), value.range.count >= 3 { return hide(value.range, .password) }
      case .spaced:
        guard text[index + 2] == 0x20 else { continue }
        let value = value(from: text.end(of: .space, from: index + 2), isSpaced: false)
        if !isHarmless(value.range), text[value.range.lowerBound] != .dash { return hide(value.range, .password) }
      case .pair(let separator):
        if let next = pair(after: index + 2, separator) { return next }
      }
    }
    return index + 1
  }

  /// `IDENTIFIED BY 'value'`
  mutating func identified(_ end: Int) -> Int? {
    guard text.startsAnyCase(with: " by ", at: end) else { return nil }
    let start = text.startsAnyCase(with: "password ", at: end + 4) ? end + 13 : end + 4
    let range = value(from: start, isSpaced: false).range
    return isHarmless(range) ? nil : hide(range, .password)
  }

  /// `NAME:VALUE` after a flag.
  private mutating func pair(after start: Int, _ separator: UInt8) -> Int? {
    let value = value(from: text.end(of: ByteSet(" ="), from: start, most: 2), isSpaced: false).range
    guard let split = text.first(separator, in: value), split + 1 < value.upperBound, text[split + 1] != .slash else {
      return nil
    }
    return isHarmless(split + 1..<value.upperBound) ? nil : hide(split + 1..<value.upperBound, .password)
  }

  private func isCommand(_ command: StaticString, in line: Range<Int>) -> Bool {
    var from = line.lowerBound
    while let found = text.find(command, in: from..<line.upperBound) {
      let after = text[found + command.utf8CodeUnitCount]
      let before = text[found - 1]
      if after.isBlank || ByteSet.quotes.contains(after), !before.isAlphanumeric, before != .dash { return true }
      from = found + 1
    }
    return false
  }
}
