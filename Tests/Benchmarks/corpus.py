"""The benchmark's own corpus: Kubernetes-like records as Fluent Bit sends them, with answers that are known planted in it."""

import json
import random

PHRASE = "upstream request timeout"


def make_corpus(path, lines):
    """Writes `lines` records and, beside them, `PATH.meta.json` with what was planted."""
    source = random.Random(1)
    verbs = ["accepted", "closed", "refused", "retried", "queued", "flushed", "opened", "expired", "merged", "timed out"]
    nouns = ["connection", "request", "batch", "session", "segment", "lease", "message", "checkpoint"]
    kinds = [
        (f"{noun} {verb} id={{hex}} peer=10.0.{{small}}.{{small}}:{{port}} took={{number}}ms bytes={{number}} "
         "block=blk_-{number}{number}{number}",
         source.choice(["INFO"] * 6 + ["DEBUG"] * 2 + ["WARN", "ERROR"]))
        for noun in nouns for verb in verbs]
    kinds += [("java.io.IOException: Connection reset by {small}", "ERROR"), ("Timeout of lease {hex}", "WARN")]
    needle, needle_line = f"{source.getrandbits(128):032x}", int(lines * 0.3717)
    pods = [[f"service-{workload}-{source.getrandbits(32):08x}" for _ in range(3)] for workload in range(12)]
    begin = 1_763_900_000.0
    with open(path, "w") as file:
        for index in range(lines):
            workload = source.randrange(12)
            text, level = kinds[(workload * 7 + source.randrange(12)) % len(kinds)]
            if index % 100 == 7:
                text, level = PHRASE + " after {number}ms to 10.0.{small}.{small}", "ERROR"
            message = text.format(
                hex=f"{source.getrandbits(48):012x}", small=source.randrange(256), port=source.randrange(1024, 65536),
                number=source.randrange(10_000))
            if index == needle_line:
                message += " trace=" + needle
            file.write(json.dumps({
                "date": round(begin + index / 100, 3), "log": message, "stream": "stdout", "level": level,
                "kubernetes": {
                    "namespace_name": f"team-{workload % 4}", "pod_name": pods[workload][source.randrange(3)],
                    "container_name": f"service-{workload}", "host": f"node-{source.randrange(6)}",
                    "labels": {"app": f"service-{workload}", "tier": "backend"}}}) + "\n")
    with open(path + ".meta.json", "w") as file:
        json.dump({"needle": needle, "phrase": PHRASE}, file)


def bodies(path, lines_per_body=5000):
    """The file as bodies of whole lines, each with its number of lines."""
    batch = []
    with open(path, "rb") as file:
        for line in file:
            batch.append(line)
            if len(batch) == lines_per_body:
                yield b"".join(batch), len(batch)
                batch = []
    if batch:
        yield b"".join(batch), len(batch)
