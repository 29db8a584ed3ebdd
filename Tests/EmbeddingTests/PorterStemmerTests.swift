internal import Embedding
internal import Testing

@Suite struct PorterStemmerTests {
  // Porter's own examples, step by step, and some words of logs.
  @Test(arguments: [
    ("caresses", "caress"), ("ponies", "poni"), ("ties", "ti"), ("cats", "cat"), ("feed", "feed"), ("agreed", "agre"),
    ("plastered", "plaster"), ("bled", "bled"), ("motoring", "motor"), ("sing", "sing"), ("conflated", "conflat"),
    ("troubling", "troubl"), ("sized", "size"), ("hopping", "hop"), ("falling", "fall"), ("hissing", "hiss"),
    ("failing", "fail"), ("filing", "file"), ("happy", "happi"), ("sky", "sky"), ("relational", "relat"),
    ("conditional", "condit"), ("vietnamization", "vietnam"), ("predication", "predic"), ("operator", "oper"),
    ("feudalism", "feudal"), ("decisiveness", "decis"), ("hopefulness", "hope"), ("formality", "formal"),
    ("sensibility", "sensibl"), ("triplicate", "triplic"), ("electrical", "electr"), ("goodness", "good"),
    ("revival", "reviv"), ("allowance", "allow"), ("inference", "infer"), ("adjustable", "adjust"),
    ("replacement", "replac"), ("adoption", "adopt"), ("communism", "commun"), ("effective", "effect"),
    ("probate", "probat"), ("rate", "rate"), ("cease", "ceas"), ("controlling", "control"), ("rolling", "roll"),
    ("connections", "connect"), ("connected", "connect"), ("is", "is"), ("ssh2", "ssh2"), ("", ""),
  ])
  func `suffixes come off as the paper says`(word: String, stem: String) {
    #expect(String(decoding: PorterStemmer.stem(Array(word.utf8)), as: UTF8.self) == stem)
  }

  @Test(arguments: [UInt64(11), 12])
  func `no word crashes it`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let letters = Array("aeiouylsztedbgn".utf8)
    for _ in 0..<2000 {
      let word = (0..<Int.random(in: 0...9, using: &random)).map { _ in letters.randomElement(using: &random) ?? 0x61 }

      #expect(PorterStemmer.stem(word).count <= word.count + 1)
    }
  }
}
