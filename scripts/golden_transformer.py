#!/usr/bin/env python3
"""Print Tests/EmbeddingTests/TransformerGolden.swift: what the tests' tiny transformer answers.

  golden_transformer.py > Tests/EmbeddingTests/TransformerGolden.swift

The model is drawn from the same random numbers as `TinyTransformer` in the tests; the answers are computed here in
float64 with numpy, from the papers' formulas and the quantization that CKernelsTransformer.h promises.
"""
import math

import numpy as np

LAYERS, HIDDEN, HEADS, INNER, POSITIONS, RUN, EPSILON = 2, 32, 4, 160, 16, 128, 1e-12
PIECES = "[PAD] [UNK] [CLS] [SEP] disk is full user ##s log ##ged in no space left on device".split()
TEXTS = {
    "disk is full": "[CLS] disk is full [SEP]",
    "full is Disk": "[CLS] full is disk [SEP]",
    "user <*> loggedIn": "[CLS] user log ##ged in [SEP]",
    "zzz users: no space left on device": "[CLS] [UNK] user ##s no space left on device [SEP]",
    "no space left on device no space left on device no space left on device":
        "[CLS]" + " no space left on device" * 2 + " no space left on [SEP]",
}


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
        return z ^ z >> 31


random = SplitMix64(1)


def sixteenths(count, base, step):
    return np.array([base + (random.next() >> 60) * step for _ in range(count)])


def scales(count):
    return sixteenths(count, 1 / 512, 1 / 8192)


def codes(*shape):
    return np.array([(random.next() >> 32) % 255 - 127 for _ in range(math.prod(shape))]).reshape(shape)


def norm():
    return sixteenths(HIDDEN, 0.75, 1 / 32), sixteenths(HIDDEN, -0.25, 1 / 32)


def matrix(outputs, inputs):
    scale, bias = scales(outputs), sixteenths(outputs, -0.25, 1 / 32)
    return codes(outputs, inputs) * scale[:, None], bias


def quantized(rows):
    out = rows.copy()
    for row in out:
        for start in range(0, len(row), RUN):
            step = np.abs(row[start : start + RUN]).max() / 127
            row[start : start + RUN] = np.rint(row[start : start + RUN] / step) * step
    return out


def normalized(rows, gain, offset):
    deviation = rows - rows.mean(axis=1, keepdims=True)
    return deviation / np.sqrt((deviation**2).mean(axis=1, keepdims=True) + EPSILON) * gain + offset


def attention(projected):
    out = []
    for queries, keys, values in zip(*(np.split(part, HEADS, axis=1) for part in np.split(projected, 3, axis=1))):
        powers = np.exp(queries @ keys.T / math.sqrt(HIDDEN // HEADS))
        out.append(powers / powers.sum(axis=1, keepdims=True) @ values)
    return np.concatenate(out, axis=1)


def embedding(ids, model, rounded):
    def multiply(rows, weights):
        return rounded(rows) @ weights[0].T + weights[1]

    rows = normalized(model["pieces"][ids] + model["positions"][: len(ids)], *model["norm"])
    for layer in model["layers"]:
        attended = attention(multiply(rows, layer["projection"]))
        rows = normalized(rows + multiply(attended, layer["attended"]), *layer["attention norm"])
        inner = multiply(rows, layer["inner"])
        inner *= np.vectorize(lambda x: (1 + math.erf(x / math.sqrt(2))) / 2)(inner)
        rows = normalized(rows + multiply(inner, layer["outer"]), *layer["outer norm"])
    mean = rows.mean(axis=0)
    return mean / np.linalg.norm(mean)


def main():
    piece_scales = scales(len(PIECES))
    model = {"pieces": codes(len(PIECES), HIDDEN) * piece_scales[:, None]}
    model["positions"] = sixteenths(POSITIONS * HIDDEN, -0.25, 1 / 32).reshape(POSITIONS, HIDDEN)
    model["norm"] = norm()
    model["layers"] = [
        {
            "projection": matrix(3 * HIDDEN, HIDDEN), "attended": matrix(HIDDEN, HIDDEN), "attention norm": norm(),
            "inner": matrix(INNER, HIDDEN), "outer": matrix(HIDDEN, INNER), "outer norm": norm(),
        }
        for _ in range(LAYERS)
    ]
    print("/// What scripts/golden_transformer.py prints: texts, their pieces, and the unit vector in ten-thousandths.")
    print("struct TransformerGolden {")
    print("  let text: String\n  let pieces: [UInt16]\n  let vector: [Int]\n")
    print("  static let all: [TransformerGolden] = [")
    for text, spelled in TEXTS.items():
        ids = [PIECES.index(piece) for piece in spelled.split()]
        vector = embedding(ids, model, quantized)
        numbers = [f"{round(component * 10_000)}" for component in vector]
        lines = [", ".join(numbers[start : start + 16]) for start in range(0, HIDDEN, 16)]
        print(f'    TransformerGolden(\n      text: "{text}",\n      pieces: [{", ".join(map(str, ids))}],')
        print("      vector: [\n        " + ",\n        ".join(lines) + ",\n      ]),")
    print("  ]\n}")


if __name__ == "__main__":
    main()
