#!/usr/bin/env python3
"""One of the libraries that the vector index is measured against, driven as VectorBench is.

    peers.py hnswlib|usearch-f32|usearch-i8|faiss-flat|faiss-sq8

Commands on standard input, one a line; an answer of one line of JSON each. One thread, cosine by unit vectors, M 16,
efConstruction 200. Time is processor time, for the machine may have other work.
"""
import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402

M, EF_CONSTRUCTION, K = 16, 200, 10


class Hnswlib:
    def build(self, base):
        import hnswlib
        self.module, self.dimension = hnswlib, base.shape[1]
        self.index = hnswlib.Index(space="ip", dim=self.dimension)
        self.index.init_index(max_elements=len(base), M=M, ef_construction=EF_CONSTRUCTION, random_seed=7)
        self.index.set_num_threads(1)
        self.index.add_items(base, num_threads=1)

    def search(self, queries, ef):
        self.index.set_ef(ef)
        return self.index.knn_query(queries, k=K, num_threads=1)[0]

    def save(self, path):
        self.index.save_index(path)

    def open(self, path):
        self.index = self.module.Index(space="ip", dim=self.dimension)
        self.index.load_index(path)


class Usearch:
    def __init__(self, kind):
        self.kind = kind

    def new(self):
        from usearch.index import Index
        return Index(ndim=self.dimension, metric="ip", dtype=self.kind, connectivity=M, expansion_add=EF_CONSTRUCTION)

    def build(self, base):
        self.dimension = base.shape[1]
        self.index = self.new()
        self.index.add(np.arange(len(base)), base, threads=1)

    def search(self, queries, ef):
        self.index.expansion_search = ef
        return self.index.search(queries, K, threads=1).keys

    def save(self, path):
        self.index.save(path)

    def open(self, path):
        self.index = self.new()
        self.index.load(path)


class Faiss:
    def __init__(self, kind):
        self.kind = kind

    def build(self, base):
        import faiss
        self.module = faiss
        faiss.omp_set_num_threads(1)
        metric = faiss.METRIC_INNER_PRODUCT
        if self.kind == "flat":
            self.index = faiss.IndexHNSWFlat(base.shape[1], M, metric)
        else:
            self.index = faiss.IndexHNSWSQ(base.shape[1], faiss.ScalarQuantizer.QT_8bit, M, metric)
            self.index.train(base)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.add(base)

    def search(self, queries, ef):
        self.index.hnsw.efSearch = ef
        return self.index.search(queries, K)[1]

    def save(self, path):
        self.module.write_index(self.index, path)

    def open(self, path):
        self.index = self.module.read_index(path)


PEERS = {
    "hnswlib": Hnswlib,
    "usearch-f32": lambda: Usearch("f32"),
    "usearch-i8": lambda: Usearch("i8"),
    "faiss-flat": lambda: Faiss("flat"),
    "faiss-sq8": lambda: Faiss("sq8"),
}


def answer(peer, words, state):
    command = words[0]
    if command == "load":
        for part in ("base", "query", "gt"):
            state[part] = np.load(f"{words[1]}.{part}.npy", mmap_mode="r")
        return {"count": len(state["base"])}
    wall, cpu = time.perf_counter(), time.process_time()
    more = {}
    if command == "build":
        count = int(words[3]) if len(words) > 3 else len(state["base"])
        peer.build(state["base"][:count])
        more = {"count": count}
    elif command == "search":
        queries = np.ascontiguousarray(state["query"])
        found = peer.search(queries, int(words[1]))
        elapsed = time.process_time() - cpu
        hits = sum(len(set(map(int, a)) & set(map(int, b))) for a, b in zip(found, state["gt"][:, :K]))
        return {"qps": len(queries) / elapsed, "recall": hits / (K * len(queries))}
    elif command == "save":
        peer.save(words[1])
    elif command == "open":
        peer.open(words[1])
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, **more}


def main():
    peer, state = PEERS[sys.argv[1]](), {}
    for line in sys.stdin:
        print(json.dumps(answer(peer, line.split(), state)), flush=True)


if __name__ == "__main__":
    main()
