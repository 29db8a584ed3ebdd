/// What a hidden part of a text was.
package enum SensitiveKind: UInt8, CaseIterable, Sendable {
  // Secrets: whoever has one can act in somebody's name.
  case password, apiKey, token, privateKey, session, signature, secret, code, card
  // Personal data: what tells of a person.
  case email, phone, person, address, birthDate, bankAccount, nationalID, ip

  /// Whether it is hidden whatever the policy says.
  package var isSecret: Bool { rawValue <= SensitiveKind.card.rawValue }

  /// What stands in its place, before a number: `<EMAIL_1>`.
  package var label: String {
    switch self {
    case .password: "PASSWORD"
    case .apiKey: "API_KEY"
    case .token: "TOKEN"
    case .privateKey: "PRIVATE_KEY"
    case .session: "SESSION"
    case .signature: "SIGNATURE"
    case .secret: "SECRET"
    case .code: "CODE"
    case .card: "CARD"
    case .email: "EMAIL"
    case .phone: "PHONE"
    case .person: "PERSON"
    case .address: "ADDRESS"
    case .birthDate: "BIRTH_DATE"
    case .bankAccount: "BANK_ACCOUNT"
    case .nationalID: "NATIONAL_ID"
    case .ip: "IP"
    }
  }
}

/// Which personal data is hidden. Secrets and payment cards always are.
package struct RedactionPolicy: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let emailAddresses = RedactionPolicy(rawValue: 1)
  package static let phoneNumbers = RedactionPolicy(rawValue: 2)
  /// Names, postal addresses and dates of birth, where a field's name says that they are such.
  package static let persons = RedactionPolicy(rawValue: 4)
  /// Bank accounts and numbers that a state gives to a person.
  package static let numbersOfPersons = RedactionPolicy(rawValue: 8)
  package static let ipAddresses = RedactionPolicy(rawValue: 16)

  package static let secretsOnly: RedactionPolicy = []
  /// All but addresses of machines, without which little of an incident can be told.
  package static let standard: RedactionPolicy = [.emailAddresses, .phoneNumbers, .persons, .numbersOfPersons]
  package static let everything: RedactionPolicy = [.standard, .ipAddresses]

  func hides(_ kind: SensitiveKind) -> Bool {
    switch kind {
    case .email: contains(.emailAddresses)
    case .phone: contains(.phoneNumbers)
    case .person, .address, .birthDate: contains(.persons)
    case .bankAccount, .nationalID: contains(.numbersOfPersons)
    case .ip: contains(.ipAddresses)
    default: true
    }
  }
}

/// A part of a text that is to be hidden.
package struct SensitiveSpan: Equatable, Sendable {
  /// Offsets in bytes.
  package var range: Range<Int>
  package var kind: SensitiveKind

  package init(range: Range<Int>, kind: SensitiveKind) {
    self.range = range
    self.kind = kind
  }
}
