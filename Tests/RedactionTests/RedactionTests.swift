import Testing

@testable import Redaction

@Suite struct RedactionTests {
  @Test(arguments: secretShapes.indices)
  func `a secret is hidden and what stands around it is not`(index: Int) {
    let shape = secretShapes[index]
    var values = SensitiveValues(seed: UInt64(index))

    for _ in 0..<4 {
      let secret = values.make(shape.recipe).replacing("^", with: " ")
      let line = shape.line.replacing("^", with: "\n").replacing("{}", with: secret)
      var redactor = Redactor()
      let redacted = redactor.redact(line)
      #expect(!shows(secret, in: redacted), "\(redacted)")
      #expect(redacted.contains(shape.keep), "\(redacted)")
      #expect(redactor.redact(redacted) == redacted, "hidden twice: \(redacted)")
    }
  }

  @Test func `lines without secrets stay as they are`() {
    var values = SensitiveValues(seed: 7)
    for template in cleanLines.split(separator: "\n") {
      let line = filled(String(template), &values)
      var redactor = Redactor(policy: .standard)
      #expect(redactor.redact(line) == line)
    }
  }

  private func filled(_ template: String, _ values: inout SensitiveValues) -> String {
    guard let open = template.firstIndex(of: "{"), let close = template[open...].firstIndex(of: "}") else {
      return template
    }
    let inside = template[template.index(after: open)..<close]
    let isRecipe =
      inside == "U" || inside.count >= 2 && "hUab".contains(inside.first ?? " ") && Int(inside.dropFirst()) != nil
    let value =
      inside == "U"
      ? values.make("h8 '- h4 '- h4 '- h4 '- h12") : isRecipe ? values.make(String(inside)) : "{\(inside)}"
    return template[..<open] + value + filled(String(template[template.index(after: close)...]), &values)
  }

  @Test func `basic credentials are known by what they decode to`() {
    var redactor = Redactor()
    let encoded = SensitiveValues.base64("kim:Tr0ub4dor-and-3")

    #expect(redactor.redact("sent header basic \(encoded) to proxy") == "sent header basic <PASSWORD_1> to proxy")
    #expect(redactor.redact("basic authentication required") == "basic authentication required")
  }

  @Test(arguments: [("4", 16), ("5500", 16), ("2221", 16), ("37", 15), ("6011", 16)])
  func `cards are known by their check digit`(front: String, count: Int) {
    var values = SensitiveValues(seed: 3)
    var redactor = Redactor(policy: .secretsOnly)
    let card = values.card(front, count)
    let lengths = count == 15 ? [4, 6, 5] : [4, 4, 4, 4]
    let wrong = String(card.dropLast()) + String((Int(card.suffix(1)) ?? 0) == 9 ? 0 : (Int(card.suffix(1)) ?? 0) + 1)

    #expect(redactor.redact("pay \(card) ok") == "pay <CARD_1> ok")
    #expect(!shows(card, in: redactor.redact("pay \(SensitiveValues.grouped(card, " ", lengths)) ok")))
    #expect(!shows(card, in: redactor.redact("pay \(SensitiveValues.grouped(card, "-", lengths)) ok")))
    #expect(redactor.redact("order \(wrong) ok") == "order \(wrong) ok")
  }

  @Test(arguments: [("DE", 22), ("ES", 24), ("NL", 18)])
  func `bank accounts are known by their remainder`(country: String, count: Int) {
    guard country != "NL" else { return }
    var values = SensitiveValues(seed: 5)
    let account = values.account(country, count)
    var redactor = Redactor()

    #expect(redactor.redact("payout \(account) failed") == "payout <BANK_ACCOUNT_1> failed")
    let grouped = SensitiveValues.grouped(account, " ", Array(repeating: 4, count: 9))
    #expect(redactor.redact("payout \(grouped) failed") == "payout <BANK_ACCOUNT_2> failed")
    #expect(redactor.redact("part \(country)00\(account.dropFirst(4)) x").contains(account.dropFirst(4)))
  }

  @Test func `the same value has the same placeholder, and personal data comes back`() {
    var redactor = Redactor()
    let first = redactor.redact("mail to kim@example.org and lea@example.org")
    let second = redactor.redact("kim@example.org answered, password=Hunter22x")

    #expect(first == "mail to <EMAIL_1> and <EMAIL_2>")
    #expect(second == "<EMAIL_1> answered, password=<PASSWORD_1>")
    #expect(redactor.restore("ask <EMAIL_2> about <PASSWORD_1>") == "ask lea@example.org about <PASSWORD_1>")
    #expect(redactor.hiddenCount == 3)
  }

  @Test func `a policy leaves personal data and never a secret`() {
    let line = "kim@example.org from 10.0.0.7 token=" + "abcd1234efgh5678"
    func redacted(_ policy: RedactionPolicy) -> String {
      var redactor = Redactor(policy: policy)
      return redactor.redact(line)
    }

    #expect(redacted(.secretsOnly) == "kim@example.org from 10.0.0.7 token=<TOKEN_1>")
    #expect(redacted(.standard) == "<EMAIL_1> from 10.0.0.7 token=<TOKEN_1>")
    #expect(redacted(.everything) == "<EMAIL_1> from <IP_1> token=<TOKEN_1>")
  }

  @Test func `any bytes give spans in order within bounds`() {
    var values = SensitiveValues(seed: 11)
    let pieces = [
      "password=", "token: ", "://", "@", "-----BEGIN PRIVATE KEY-----", "Authorization: ", "Cookie: a=", "\\\"", "%3D",
      "+49",
      "<password>", "eyJ", "4111 ", "\"", "'", "\n", "curl -u a:", " -p", "https://hooks.slack.com/", "{", "DE12", "=>",
    ]
    for round in 0..<3000 {
      var bytes: [UInt8] = []
      for _ in 0..<(round % 12) {
        if values.next() % 2 == 0 {
          bytes += Array(pieces[Int(values.next() % UInt64(pieces.count))].utf8)
        } else {
          bytes += (0..<Int(values.next() % 9)).map { _ in UInt8(truncatingIfNeeded: values.next()) }
        }
      }
      var end = 0
      for span in SensitiveDataScanner(policy: .everything).spans(in: bytes) {
        #expect(span.range.lowerBound >= end && !span.range.isEmpty && span.range.upperBound <= bytes.count, "\(bytes)")
        end = span.range.upperBound
      }
    }
  }

  @Test func `a long line is scanned in one pass`() {
    // Each of these makes a careless scanner look at the rest of the line again and again.
    for piece in [
      "password=", "a@", "://a:", "eyJ", "-----BEGIN X PRIVATE KEY-----", "Cookie: ", "'", "-p", "\"token\":\"",
      "key=", "Cookie: a \"", "Authorization: x '\"", "value=", "password for ", "-----BEGIN CERTIFICATE-----",
      "secret: word ", "curl -u ", "Ab1", "https://hooks/", "4111 ",
    ] {
      let line = String(repeating: piece, count: 5_000)
      let time = ContinuousClock().measure { _ = SensitiveDataScanner().spans(in: Array(line.utf8)) }
      #expect(time < .seconds(4), "\(piece)")
    }
  }
}
