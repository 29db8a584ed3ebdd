"""The log intelligence over labelled data: runs every part of `timberline eval` and the data's own scorers.

  python3 Tests/Benchmarks/evaluate.py --binary .build/release/EvaluationTool --data DIR [--model FILE] [--write PAGE]

DIR holds `eval` (scorers and labels), `loghub` (log samples with their templates) and `incidents`. Without it there is
nothing to measure, which is said and is no error.
"""

import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

from bench import machine, write


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"evaluate: {' '.join(command[:3])} …: {result.stderr.strip()[-500:]}")
    return result.stdout


class Evaluation:
    def __init__(self, binary, data, folder, model):
        self.binary, self.data, self.folder, self.model = binary, data, folder, model
        self.rows = []

    def path(self, *parts):
        return os.path.join(self.data, *parts)

    def out(self, name):
        return os.path.join(self.folder, name)

    def tool(self, *arguments):
        return run(self.binary, *arguments)

    def score(self, scorer, *arguments):
        return json.loads(run(sys.executable, self.path("eval", scorer), *arguments, "--json"))

    def add(self, measure, *values):
        self.row(measure, " / ".join(f"{value:.3f}" for value in values))

    def row(self, measure, text):
        self.rows.append((measure, text))
        print(f"{measure}: {text}", flush=True)

    def parsing(self):
        for kind, file, name in (
            ("structured", "_2k.log_structured.csv", "message given"), ("raw", "_2k.log", "raw lines")):
            os.mkdir(self.out(kind))
            for folder in sorted(glob.glob(self.path("loghub", "*", ""))):
                system = os.path.basename(os.path.dirname(folder))
                source = os.path.join(folder, system + file)
                if os.path.exists(source):
                    self.tool("parse", f"--{kind}", source, "--out", os.path.join(self.out(kind), f"{system}.csv"))
            mean = self.score("score_parsing.py", "--batch", self.out(kind), self.path("loghub"))["MEAN"]
            self.add(f"patterns, {name}: GA / FGA", mean["GA"], mean["FGA"])
            if kind == "structured":
                self.add("template text: PA / FTA", mean["PA"], mean["FTA"])
                mean = self.score(
                    "score_parsing.py", "--batch", self.out(kind), self.path("loghub"), "--labels", "corrected")["MEAN"]
                self.add("patterns, message given, corrected labels: GA / FGA", mean["GA"], mean["FGA"])

    def search(self):
        pool, queries = self.path("eval", "semantic_pool_dev.jsonl"), self.path("eval", "semantic_dev.jsonl")
        runs = [("built in", [])] + ([("with the transformer", ["--model", self.model])] if self.model else [])
        for name, options in runs:
            self.tool("search", "--pool", pool, "--queries", queries, "--out", self.out("search"), *options)
            mean = self.score("score_semantic.py", self.out("search"), queries)["mean"]
            self.add(f"search, {name}: nDCG@10 / MRR", mean["ndcg"], mean["mrr"])

    def severity(self):
        self.tool("severity", "--pool", self.path("eval", "semantic_pool_dev.jsonl"), "--out", self.out("severity"))
        mean = self.score("score_severity.py", self.out("severity"), self.path("eval", "severity_dev.jsonl"))
        self.add("severity: AP>=1 / AP=2 / AUC", mean["AP>=1"], mean["AP=2"], mean["AUC>=1"])

    def detection(self):
        cases = self.path("incidents", "trainticket")
        self.tool("localize", "--dir", cases, "--out", self.out("localize"))
        found = self.score("score_incidents.py", self.out("localize"), os.path.join(cases, "cases.json"))["summary"]["all"]
        self.add("localisation: AC@1 / AC@3", found["AC@1"], found["AC@3"])
        logs = self.path("incidents", "k8s_scenarios")
        self.tool("findings", "--dir", logs, "--out", self.out("findings"))
        mean = self.score("score_findings.py", self.out("findings"), os.path.join(logs, "cases.json"))["mean"]
        self.add("findings: root@1 / noise@5", mean["root@1"], mean["noise"])
        self.row("normal traffic replayed", self.tool("quiet", "--dir", cases).strip().splitlines()[-1])

    def redaction(self):
        cases = self.path("eval", "redaction_dev.jsonl")
        self.tool("redact", "--cases", cases, "--out", self.out("redacted"))
        text = run(sys.executable, self.path("eval", "score_redaction.py"), self.out("redacted"), cases)
        self.add("redaction: hidden / kept / clean", *[float(each) for each in re.findall(r"\d\.\d{4}", text)[:3]])

    def speed(self):
        found = dict(
            line.rsplit(None, 1)
            for line in self.tool("bench", "--raw", self.path("loghub"), "--seconds", "20").splitlines() if line.strip())
        self.row(
            "frame, mining and look-up, one core, warm",
            f"{int(float(found['lines/s'])):,} lines/s, {found['MB/s']} MB/s, {found['peak memory MB']} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--data", help="folder with eval, loghub and incidents")
    parser.add_argument("--model", help="a model file, for the second stage of search")
    parser.add_argument("--write", metavar="PAGE", help="puts the figures in their place in this page")
    options = parser.parse_args()
    if not options.data or not os.path.isdir(os.path.join(options.data, "eval")):
        print("evaluate: skipped: no labelled data; name its folder (make eval DATA=DIR)")
        return
    with tempfile.TemporaryDirectory(prefix="timberline-eval-") as folder:
        evaluation = Evaluation(options.binary, options.data, folder, options.model)
        for part in (
            evaluation.parsing, evaluation.search, evaluation.severity, evaluation.detection, evaluation.redaction,
            evaluation.speed):
            part()
    if options.write:
        lines = ["| measure | reached |", "|---|---|"]
        lines += [f"| {measure} | {text} |" for measure, text in evaluation.rows]
        write(options.write, "eval", "\n".join(lines) + f"\n\n{machine()}\n")


if __name__ == "__main__":
    main()
