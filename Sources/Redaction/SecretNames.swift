/// What the name of a field says about its value.
enum NameMeaning: UInt8 {
  /// Of no concern: `public_key`.
  case harmless
  /// Whatever stands there is hidden: `password`.
  case password
  /// As `password`, and long: `client_secret`.
  case secret
  /// Hidden if it looks like a credential: `token`, `api_key`.
  case credential
  /// Hidden if it looks like a credential and not like the name of one, which clusters give to theirs: `secret`.
  case secretOrItsName
  /// Words that name other things as often; hidden if it can hardly be anything else: `key`, `auth`, `code`.
  case vague
  case session
  case signature
  /// A header: a scheme and a credential.
  case authorization
  /// A header: pairs of names and values.
  case cookie
  /// Good for a short time or with a card: a few digits.
  case code
  case card, bankAccount, nationalID, phone, person, address, birthDate
}

/// Names of fields by their last words, however they are written: `api_key`, `apiKey` and `X-Api-Key` are one.
///
/// A name is looked up from its end, letter by letter, separators left out; the longest known ending counts.
struct SecretNames {
  static let shared = SecretNames()

  private static let lettersMax = 28
  private static let slots = 2048
  /// Open addressing by the hash of an ending read from its last letter on; 0 is free.
  private let hashes: FixedTable<UInt64>
  /// The meaning, and 0x80 where a word must begin there.
  private let meanings: FixedTable<UInt8>
  /// Pairs of last letters that a known name can have.
  private let lastLetters: FixedTable<Bool>

  private init() {
    var hashes = [UInt64](repeating: 0, count: Self.slots)
    var meanings = [UInt8](repeating: 0, count: Self.slots)
    var lastLetters = [Bool](repeating: false, count: 26 * 26)
    for (meaning, parts, words) in Self.words {
      for word in words.split(separator: " ") {
        let letters = Array(word.utf8)
        var hash = Self.seed
        for letter in letters.reversed() { hash = Self.step(hash, letter) }
        var slot = Int(truncatingIfNeeded: hash) & (Self.slots - 1)
        while hashes[slot] != 0, hashes[slot] != hash { slot = (slot + 1) & (Self.slots - 1) }
        hashes[slot] = hash
        meanings[slot] = meaning.rawValue | (parts ? 0x80 : 0)
        if letters.count >= 2 { lastLetters[Self.pair(letters[letters.count - 2], letters[letters.count - 1])] = true }
      }
    }
    self.hashes = FixedTable(hashes)
    self.meanings = FixedTable(meanings)
    self.lastLetters = FixedTable(lastLetters)
  }

  /// Quick to say no: whether a name can be known by how it ends.
  @inline(__always) func mayKnow(endingWith first: UInt8, _ second: UInt8) -> Bool {
    guard first.isLetter, second.isLetter else { return false }
    return lastLetters[Self.pair(first | 0x20, second | 0x20)]
  }

  /// As above, of a name that may have a number behind it: `password1`, `DB_PASSWORD_2`.
  func mayKnow(endingAt end: Int, in text: ByteText) -> Bool {
    var end = end
    for _ in 0..<4 where text[end - 1].isDigit || text[end - 1] == UInt8(ascii: "_") || text[end - 1] == .dash {
      end -= 1
    }
    return mayKnow(endingWith: text[end - 2], text[end - 1])
  }

  /// Nil for a name that is not known.
  func meaning(of range: Range<Int>, in text: ByteText) -> NameMeaning? {
    var end = range.upperBound
    // `password1`, `DB_PASSWORD_2`
    while end > range.lowerBound, text[end - 1].isDigit || text[end - 1] == UInt8(ascii: "_") || text[end - 1] == .dash
    { end -= 1 }
    guard end - range.lowerBound >= 2, mayKnow(endingWith: text[end - 2], text[end - 1]) else { return nil }
    var hash = Self.seed
    var found: UInt8?
    var letters = 0
    var index = end
    while index > range.lowerBound, letters < Self.lettersMax {
      index -= 1
      let byte = text[index]
      guard byte.isLetter || byte.isDigit else { continue }
      hash = Self.step(hash, byte.lowered)
      letters += 1
      guard let meaning = lookUp(hash) else { continue }
      if meaning & 0x80 == 0 || isStartOfWord(index, in: text, from: range.lowerBound) { found = meaning & 0x7F }
    }
    return found.flatMap(NameMeaning.init)
  }

  private func isStartOfWord(_ index: Int, in text: ByteText, from start: Int) -> Bool {
    guard index > start else { return true }
    let before = text[index - 1]
    if !before.isLetter { return true }
    // fooBar, and FOOBar where small letters follow
    return text[index].isUpper && (before.isLower || text[index + 1].isLower)
  }

  private func lookUp(_ hash: UInt64) -> UInt8? {
    var slot = Int(truncatingIfNeeded: hash) & (Self.slots - 1)
    while hashes[slot] != 0 {
      if hashes[slot] == hash { return meanings[slot] }
      slot = (slot + 1) & (Self.slots - 1)
    }
    return nil
  }

  private static let seed: UInt64 = 0xcbf2_9ce4_8422_2325

  /// FNV-1a, turned so that the low bits depend on all letters.
  private static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
    let next = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    return next ^ (next >> 29)
  }

  private static func pair(_ first: UInt8, _ second: UInt8) -> Int { (Int(first) - 0x61) * 26 + Int(second) - 0x61 }

  /// Meaning, whether the ending must be whole words, endings.
  private static let words: [(NameMeaning, Bool, String)] = [
    (
      .password, false,
      """
      password passwords passwd passwort kennwort passphrase passcode contrasena motdepasse wachtwoord userpass \
      dbpass rootpass adminpass mypass smtppass mailpass sshpass ftppass redispass loginpass passwordhash \
      hashedpassword \
      passwordvalue passwordplain passwordplaintext passwordbase passwordold passwordnew passwordconfirm \
      passwordconfirmation passwordhashed basicauth
      """
    ),
    (
      .password, true,
      """
      pass pwd pswd passw pw psw senha parola haslo heslo losenord salasana passwordencrypted storepass keypass \
      requirepass masterauth bindpw rootpw userpw dbpw passin passout sshpasswd
      """
    ),
    (
      .secret, false,
      """
      clientsecret appsecret applicationsecret apisecret consumersecret sharedsecret tokensecret oauthsecret \
      webhooksecret signingsecret jwtsecret sessionsecret cookiesecret secretkey secretaccesskey privatekey \
      accountkey sharedaccesskey sharedkey encryptionkey encryptkey decryptionkey masterkey signingkey hmackey aeskey \
      storagekey storageaccountkey secretkeybase secretvalue secrettext secrettoken secretid clientassertion \
      recoveryphrase mnemonic seedphrase recoverykey unsealkey authkey rootkey kekkey jwtkey appkey applicationkey \
      licensekey licencekey serialkey activationkey productkey devicesecret mastersecret premastersecret \
      privatekeydata privkey presharedkey wifikey snmpcommunity communitystring
      """
    ),
    (.secret, true, "psk salt pepper dek secretstring secretbinary secretdata"),
    (
      .credential, false,
      """
      token tokenvalue accesstoken refreshtoken idtoken authtoken sessiontoken securitytoken bearertoken csrftoken \
      xsrftoken devicetoken apitoken deploytoken invitetoken resettoken verificationtoken logintoken \
      authenticitytoken apikey apikeys xapikey accesskey accesskeyid secretaccess servicekey subscriptionkey \
      functionskey webhookkey adminkey clientkey consumerkey sshkey deploykey serverkey sessionkey geniekey \
      integrationkey ingestkey ingestionkey writekey readkey querykey credential \
      credentials userkey integrationtoken authcode authorizationcode codeverifier deviceauth tokenhash apikeyhash \
      ticketgrantingticket
      """
    ),
    (
      .credential, true,
      """
      jwt jws jwe ssws pat bearer creds cred authdata
      """
    ),
    (.secretOrItsName, true, "secret secrets"),
    (
      .vague, true,
      "key auth authentication code ticket keydata keyvalue rawkey accesscode keystring"
    ),
    (
      .session, false,
      """
      sessionid sessid sessionidentifier jsessionid phpsessid aspsessionid csrf xsrf xcsrf sessioncookie \
      sessionhandle connectsid laravelsession rememberme remembertoken cfclearance authsession sessionidhash
      """
    ),
    (.session, true, "sid session sess aspxauth"),
    (.signature, false, "signature amzsignature googsignature signaturevalue hmacsha"),
    (.signature, true, "sig hmac"),
    (.authorization, false, "authorization proxyauthorization"),
    (.authorization, true, "xauth authorizationheader"),
    (.cookie, true, "cookie cookies setcookie cookieheader"),
    (
      .code, true,
      """
      otp totp pin cvv cvc cvv cvn csc securitycode verificationcode onetimecode onetimepassword mfacode smscode \
      otpcode twofactorcode authenticationcode logincode confirmationcode pincode resetcode backupcode recoverycode \
      activationcode twofacode
      """
    ),
    (
      .card, true,
      """
      card pan cardnumber cardno cardnum ccnumber ccnum cc creditcard creditcardnumber debitcard primaryaccountnumber \
      cardpan
      """
    ),
    (
      .bankAccount, true,
      """
      iban bankaccount bankaccountnumber accountnumber accountno acctno acctnum acctnumber routingnumber sortcode \
      debtoraccount creditoraccount kontonummer blz
      """
    ),
    (
      .nationalID, true,
      """
      ssn socialsecurity socialsecuritynumber socialsecurityno sin taxid taxpayerid tin itin nationalid \
      nationalidnumber \
      nationalinsurancenumber ninumber nino passport passportnumber passportno driverlicense driverslicense drivinglicense \
      driverlicensenumber licensenumber steuerid personalausweis idcard idnumber cpf cnpj curp aadhaar nric bsn \
      personnummer codicefiscale medicarenumber nhsnumber insurancenumber dni nif nie pesel
      """
    ),
    (
      .phone, true,
      """
      phone phonenumber phoneno mobile mobilenumber mobilephone cell cellphone cellnumber tel telephone \
      telephonenumber \
      msisdn fax faxnumber whatsapp contactnumber callernumber telefon handy
      """
    ),
    (
      .person, true,
      """
      firstname lastname fullname surname givenname familyname middlename maidenname birthname customername cardholder \
      cardholdername patientname patient realname contactname accountholder accountholdername recipientname \
      beneficiaryname employeename personname legalname holdername nameoncard fname lname vorname nachname \
      buyername guestname passengername billingname shippingname
      """
    ),
    (
      .address, true,
      """
      streetaddress street homeaddress postaladdress billingaddress shippingaddress deliveryaddress mailingaddress \
      addressline residentialaddress strasse
      """
    ),
    (.birthDate, true, "dob dateofbirth birthdate birthday birthdateiso geburtsdatum"),
    // Longer endings that mean something else.
    (
      .harmless, false,
      """
      publickey pubkey primarykey foreignkey partitionkey sortkey routingkey cachekey idempotencykey shardkey rowkey \
      groupingkey objectkey dedupkey deduplicationkey aggregationkey messagekey recordkey lookupkey uniquekey indexkey \
      rediskey missingkey duplicatekey unknownkey invalidkey featurekey configkey registrykey hotkey searchkey \
      canceltoken cancellationtoken nexttoken pagetoken nextpagetoken continuationtoken pagingtoken synctoken \
      continuetoken resumetoken csrfcookie maxtoken unexpectedtoken syntaxtoken partitiontoken statuscode errorcode \
      exitcode returncode responsecode httpcode resultcode reasoncode countrycode zipcode postcode postalcode \
      currencycode languagecode errcode declinecode eventcode opcode keycode qrcode bytecode sourcecode contenthash \
      githash commithash blockhash txhash filehash checksumhash sha hashcode nopass bypass compass firstpass \
      secondpass imagehash confighash podtemplatehash methodsignature
      """
    ),
  ]
}
