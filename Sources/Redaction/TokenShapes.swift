/// Keys and tokens that their makers begin with letters of their own, so that they can be found anywhere.
struct TokenShapes {
  static let shared = TokenShapes()

  /// What follows the letters at the front.
  struct Shape {
    var prefix: [UInt8]
    var body: ByteSet
    /// Fewest and most bytes of the body; a longer run is something else.
    var count: ClosedRange<Int>
    /// The letters at the front are too common: the body must also look drawn at random.
    var isRandom: Bool
    var kind: SensitiveKind
  }

  private let shapes: [Shape]
  /// By the first two bytes of a word: the first of the shapes that begin so, by 1; 0 is none.
  private let firstByStart: FixedTable<UInt16>

  /// The token that begins at `start`, where a word begins.
  func match(at start: Int, in text: ByteText) -> SensitiveSpan? {
    let (first, second) = (text[start], text[start + 1])
    guard first < 128, second < 128 else { return nil }
    var index = Int(firstByStart[Int(first) << 7 | Int(second)]) - 1
    guard index >= 0 else { return nil }
    while index < shapes.count, shapes[index].prefix[0] == first, shapes[index].prefix[1] == second {
      if let end = end(of: shapes[index], at: start, in: text) {
        return SensitiveSpan(range: start..<end, kind: shapes[index].kind)
      }
      index += 1
    }
    return nil
  }

  private func end(of shape: Shape, at start: Int, in text: ByteText) -> Int? {
    for (offset, byte) in shape.prefix.enumerated() where text[start + offset] != byte { return nil }
    let body = start + shape.prefix.count
    var end = text.end(of: shape.body, from: body)
    // A full stop or a dash after it belongs to the sentence.
    while end > body, text[end - 1] == .dot || text[end - 1] == .dash { end -= 1 }
    guard shape.count.contains(end - body) else { return nil }
    if shape.isRandom {
      let makeup = Makeup(text, body..<end)
      guard
        makeup.isRandom || (makeup.isHex && makeup.count >= 32)
          || (body + 36 == end && makeup.others == 4 && makeup.nonHex == 4)
      else { return nil }
    }
    return end
  }

  private init() {
    var shapes: [Shape] = []
    func add(
      _ prefixes: String, _ body: ByteSet, _ count: ClosedRange<Int>, random: Bool = false,
      _ kind: SensitiveKind = .apiKey
    ) {
      for prefix in prefixes.split(separator: " ") {
        shapes.append(Shape(prefix: Array(prefix.utf8), body: body, count: count, isRandom: random, kind: kind))
      }
    }
    let long = 4096
    // Cloud providers
    add("AKIA ASIA ABIA ACCA AROA AIDA AGPA ANPA ANVA ASCA", .upperDigits, 16...16)
    add("IQoJb3JpZ2lu FwoGZXIvYXdz FQoGZXIvYXdz", .token, 40...long, .token)
    add("ABSK", .base64.union("="), 40...long)
    add("amzn.mws.", .hex.union("-"), 36...36)
    add("AIza", .base64URL, 30...60)
    add("AQ.A", .base64URL, 30...80)
    add("ya29.", .token, 20...long, .token)
    add("1//0", .base64URL, 30...120, .token)
    add("GOCSPX-", .base64URL, 20...60)
    add("LTAI", .alphanumeric, 12...30, random: true)
    add("AKID AKLT AKTP", .base64URL, 28...60, random: true)
    add("SCW", .upperDigits, 17...17)
    add("dop_v1_ doo_v1_ dor_v1_", .hex, 40...80)
    add(
      "HRKU- AQVN fo1_ fm1_ fm2_ fm1r_ fm1a_ nfp_ rnd_ napi_ tk-us- sbp_ sb_secret_", .base64URL.union("/+="), 20...long
    )
    add("pscale_tkn_ pscale_pw_ pscale_oauth_ pscale_main_", .name, 20...120)
    add("dapi dose dkea", .hex, 32...32)
    add("dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", .name, 20...120)
    add("hvs. hvb. hvr. s.hv", .name, 20...long, .token)
    add("s. b. r.", .alphanumeric, 24...26, random: true, .token)
    add("AGE-SECRET-KEY-1", .upperDigits, 50...70, .privateKey)
    add("APA91b", .base64URL, 100...200)
    add("pul- ops_eyJ TSS_ nomad- v1.0- bws.", .base64URL, 30...long, random: true)
    add("tskey- tskey-auth- tskey-api-", .base64URL, 16...120)
    add("SWMTKN-1- K10", .token.union(":"), 40...200, .token)
    add("t1.", .token, 60...long, .token)
    // Source hosting, packages, builds
    add("ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", .word, 20...255, .token)
    add(
      "glpat- gldt- glrt- glptt- glcbt- glft- glimt- glagent- gloas- glsoat- glffct- GR1348941 _gitlab_session=", .name,
      16...255, .token)
    add("ATBB ATCTT3xFf ATATT3xFf BBDC-", .base64URL.union("="), 20...255, .token)
    add(
      "npm_ pypi- rubygems_ dckr_pat_ dckr_oat_ CLOJARS_ cio AKCp cmVmd oy2 hex_", .base64URL, 24...255, random: true,
      .token)
    add("npm_ pypi-AgE rubygems_ dckr_pat_", .base64URL, 20...255, .token)
    add(
      "squ_ sqp_ sqa_ sqb_ sgp_ sgph_ CCIPAT_ CCIPRJ_ bkua_ bkct_ bkps_ "
        + "figd_ figu_ lin_api_ lin_oauth_ ntn_ rdme_ pnu_ pnb_ ico- hrt_ psak_",
      .base64URL, 16...255)
    add(
      "PMAK- EZAK EZTK CFPAT- FIO- fio-u- duffel_live_ duffel_test_ shippo_live_ shippo_test_ tfp_ sdk- mob-",
      .name, 24...255, random: true)
    add("PMAK-", .base64URL, 24...120)
    add("pat-na1- pat-eu1- pat-na2-", .hex.union("-"), 32...40, .token)
    add("secret_ pat key live_ test_ prod_", .alphanumeric.union("."), 26...120, random: true)
    // Payment and commerce
    add("sk_live_ sk_test_ rk_live_ rk_test_ sk_prod_ whsec_ sk_org_", .base64URL.union("/+="), 10...255)
    add("sq0atp- sq0csp- sq0idp- EAAAE EAAAl EAAAA", .base64URL, 20...255)
    add("access_token$production$ access_token$sandbox$", .alphanumeric, 16...64)
    add("rzp_live_ rzp_test_", .alphanumeric, 12...40)
    add("FLWSECK- FLWSECK_TEST- FLWPUBK-", .name, 16...80)
    add("access-sandbox- access-development- access-production-", .hex.union("-"), 36...36, .token)
    add("pdl_live_ pdl_sdbx_ pdl_ntfset_ ctkn_ pri_live_", .word, 20...255)
    add("shpat_ shpss_ shpca_ shppa_ shpua_", .hex, 32...64)
    add("AQE", .base64URL, 60...255, random: true)
    add("lp_live_ lp_test_ live_pub_ test_pub_", .alphanumeric, 16...80)
    // Chat and mail
    add(
      "xoxb- xoxp- xoxa- xoxr- xoxs- xoxc- xoxd- xoxe- xoxe.xoxb- xoxe.xoxp- xoxo- xapp- xwfp-", .token.union("%"),
      10...512, .token)
    add("SG.", .name, 40...120)
    add("key-", .alphanumeric, 32...32)
    add("SK", .hex, 32...32)
    add("xkeysib- xsmtpsib-", .base64URL, 40...120)
    add("re_", .word, 20...60, random: true)
    add("md-", .base64URL, 22...22, random: true)
    add("EAAC EAAB EAAD EAAG EAAM EAAJ IGQV IGAA THAA", .alphanumeric, 60...512, .token)
    add("AAAAAAAAAAAAAAAAAAAAA", .token.union("%"), 40...255, .token)
    add("dG9rO", .base64.union("="), 40...120, .token)
    add("KEY0", .alphanumeric.union("_"), 36...80)
    // Language models and their surroundings
    add(
      "sk-ant- sk-proj- sk-svcacct- sk-admin- sk-None- sk-or- sk-or-v1- sk-lf- sk-live- sk-test-", .base64URL, 16...255)
    add("sk-", .base64URL, 20...255, random: true)
    add("sk-", .alphanumeric, 24...255)
    add(
      "gsk_ xai- pplx- r8_ hf_ api_org_ nvapi- fw_ tgp_v1_ csk- "
        + "jina_ tvly- lsv2_pt_ lsv2_sk_ pcsk_ e2b_ fc- voyage- pa- bce-v3/",
      .base64URL.union("/"), 20...255, random: true)
    add("gsk_ hf_ pplx- nvapi- pcsk_ lsv2_pt_ lsv2_sk_ xai- r8_ jina_ tvly-", .base64URL, 24...255)
    // Monitoring and operation
    add("NRAK- NRAA- NRII- NRJS- NRAL- NRRA-", .base64URL, 16...80)
    add("glc_ glsa_", .base64.union("_="), 20...255)
    add("sntrys_ sntryu_ sntryi_", .base64.union("_="), 30...512)
    add("dt0c01. dt0s01. dt0s16.", .name, 40...120)
    add("hcaik_ hcaak_ hcxik_ hcxmk_ hcamk_ hcbik_", .alphanumeric, 20...120)
    add("xaat- xapt- essu_ phx_ phs_ logfire_ uptime- ddapp_ ddpat_", .base64URL.union("="), 20...255, .token)
    add("tlk_ tli_ tlr_ tlv_ tlp_ tlj_ tls_ tlm_", .word, 30...80, .token)
    add("dnkey- sm_aat_ sm_pat_ sm_sat_ ls- b_ A3-", .name, 30...120, random: true)
    add("CLI_ PAT_ SVC_", .alphanumeric, 30...120, random: true)
    shapes.removeAll { $0.prefix.count < 2 }
    // Stable, so that of the same start the earlier listed is tried first.
    let order = shapes.indices.sorted {
      let (a, b) = (shapes[$0].prefix, shapes[$1].prefix)
      return (a[0], a[1], $0) < (b[0], b[1], $1)
    }
    self.shapes = order.map { shapes[$0] }
    var firstByStart = [UInt16](repeating: 0, count: 1 << 14)
    for (index, shape) in self.shapes.enumerated().reversed() {
      firstByStart[Int(shape.prefix[0]) << 7 | Int(shape.prefix[1])] = UInt16(index + 1)
    }
    self.firstByStart = FixedTable(firstByStart)
  }
}
