"""A model file of one small layer, as `timberline model add` takes it. Its numbers are drawn, not learned."""

import random
import struct


def _crc32c(data):
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def model(name="tiny", words=("disk", "is", "full", "user", "logged", "in", "connection", "refused"), seed=1):
    """The file's bytes."""
    draw = random.Random(seed)
    hidden, heads, inner, positions = 32, 4, 160, 16
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words]
    vocabulary = "".join(piece + "\n" for piece in pieces).encode()
    texts = f"name: {name}\nlicense: CC0-1.0\norigin: drawn from random numbers\n".encode()
    file = bytearray(b"TLTRANSF" + struct.pack(
        "<8IfI", 1, 1, hidden, heads, inner, positions, len(pieces), len(vocabulary), 1e-12, len(texts)))

    def section(content):
        file.extend(content)
        file.extend(bytes(-len(file) % 64))

    def floats(count, low, high):
        section(struct.pack(f"<{count}f", *(draw.uniform(low, high) for _ in range(count))))

    def norm():
        floats(hidden, 0.75, 1.25)
        floats(hidden, -0.25, 0.25)

    def matrix(outputs, inputs):
        floats(outputs, 1 / 512, 1 / 256)
        floats(outputs, -0.25, 0.25)
        section(bytes(draw.randrange(1, 256) for _ in range(outputs * inputs)))

    section(texts)
    section(vocabulary)
    floats(len(pieces), 1 / 512, 1 / 256)
    section(bytes(draw.randrange(256) for _ in range(len(pieces) * hidden)))
    floats(positions * hidden, -0.25, 0.25)
    norm()
    matrix(3 * hidden, hidden)
    matrix(hidden, hidden)
    norm()
    matrix(inner, hidden)
    matrix(hidden, inner)
    norm()
    return bytes(file) + struct.pack("<I", _crc32c(file))
