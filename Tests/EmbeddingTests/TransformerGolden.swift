/// What scripts/golden_transformer.py prints: texts, their pieces, and the unit vector in ten-thousandths.
struct TransformerGolden {
  let text: String
  let pieces: [UInt16]
  let vector: [Int]

  static let all: [TransformerGolden] = [
    TransformerGolden(
      text: "disk is full",
      pieces: [2, 4, 5, 6, 3],
      vector: [
        703, -2619, -1560, 968, 2200, -1219, -607, 1628, -3785, -623, 1527, -513, 1350, -124, 3757, 1870,
        1175, -495, -1502, -579, 1925, 1355, -323, 57, 1567, -967, 2471, -3945, -799, 1267, -2075, -1305,
      ]),
    TransformerGolden(
      text: "full is Disk",
      pieces: [2, 6, 5, 4, 3],
      vector: [
        575, -1661, -789, 7, 1899, -1368, -768, 604, -3040, -636, 1306, -1906, 1235, 86, 3440, 1779,
        2227, -514, -1662, -298, 2086, 982, -258, -866, 3417, -631, 2594, -3892, 356, 1012, -2435, -1762,
      ]),
    TransformerGolden(
      text: "user <*> loggedIn",
      pieces: [2, 7, 9, 10, 11, 3],
      vector: [
        -1457, -983, -487, -1519, -1598, -2997, -590, 1880, -834, 2256, 1270, 1544, 888, 1258, 886, 2655,
        1014, -389, -1348, -272, 3514, 134, 782, 1979, 3122, -1532, 438, 379, -158, 813, -2855, -4211,
      ]),
    TransformerGolden(
      text: "zzz users: no space left on device",
      pieces: [2, 1, 7, 8, 12, 13, 14, 15, 16, 3],
      vector: [
        -1157, -3527, -1222, -1106, -1667, -1756, 976, -855, -454, 1733, 279, 1639, 1408, 2028, -878, 1853,
        2748, 689, -620, -115, 3665, 1053, 1524, 1329, 2970, -2746, -72, 1708, -1331, 670, -1669, -2889,
      ]),
    TransformerGolden(
      text: "no space left on device no space left on device no space left on device",
      pieces: [2, 12, 13, 14, 15, 16, 12, 13, 14, 15, 16, 12, 13, 14, 15, 3],
      vector: [
        -624, -1660, -1090, -1901, -1957, -1626, 2610, 1133, -797, 365, 374, 2344, 596, 1629, -12, 1363,
        3411, 274, -1335, 7, 2832, 1074, 440, -52, 4068, -1374, -54, 359, -2673, 1054, -2365, -3306,
      ]),
  ]
}
