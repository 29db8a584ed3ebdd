"""A chat endpoint that answers well, badly or not at all, and a model file for search by meaning."""

import http.client
import json
import os
import pathlib
import random
import re
import shutil
import tempfile
import threading
import time
import unittest

from appliance import Server, eventually, run
from misbehaving_model import MisbehavingModel
from tiny_transformer import model as tiny_model

SECRET = "hunter2-Vq8xT3mZ"


def outage():
    """Three hours of three workloads; in the last half hour one loses its database and another feels it."""
    draw = random.Random(3)
    now = int(time.time())
    base = now - now % 60 - 3 * 3600

    def record(moment, level, message, workload):
        return {
            "timestamp": moment, "level": level, "message": message,
            "kubernetes": {
                "container_name": workload, "pod_name": f"{workload}-7d9f5b6c4-x2x9a", "namespace_name": "shop"}}

    for minute in range(180):
        start = base + minute * 60
        for workload in ("orders", "payments", "gateway"):
            for _ in range(draw.randint(18, 24)):
                message = f"request {draw.randrange(10**6)} served in {draw.randrange(100)} ms"
                yield record(start + draw.random() * 59, "info", message, workload)
        if 150 <= minute < 172:
            for _ in range(30):
                message = (
                    f"connection to database refused after {draw.randrange(9)} attempts password={SECRET}")
                yield record(start + draw.random() * 59, "error", message, "payments")
            for _ in range(20):
                message = f"upstream payments returned 503 for order {draw.randrange(10**6)}"
                yield record(start + draw.random() * 59, "error", message, "orders")


def without_nonce(text):
    return re.sub(r"\b[0-9a-f]{32}\b", "NONCE", text)


class LanguageModel(unittest.TestCase):
    """One server; which model the endpoint plays is a setting of the tenant, so that each test chooses its own."""

    @classmethod
    def setUpClass(cls):
        cls.model = cls.enterClassContext(MisbehavingModel())
        cls.server = cls.enterClassContext(Server(arguments=[
            "--language-model-url", cls.model.url + "/v1", "--language-model", "good",
            "--language-model-seconds-max", "3"], env={"TIMBERLINE_LANGUAGE_MODEL_KEY": "sk-of-the-appliance"}))
        records = list(outage())
        for start in range(0, len(records), 5000):
            assert cls.server.send(records[start:start + 5000]).status == 200

        def incident():
            found = [i for i in cls.server.get("/api/v1/incidents").json if i["evidence"]]
            return found[0]["id"] if found else None

        # The watch looks at each minute ten seconds after its end.
        cls.incident = eventually(incident, seconds=90)

    def tearDown(self):
        self.server.call("DELETE", "/api/v1/settings/language-model")

    def play(self, name):
        answer = self.server.call(
            "PUT", "/api/v1/settings/language-model", body=json.dumps({"model": name}),
            headers={"Content-Type": "application/json"})
        self.assertEqual(answer.status, 200, answer.body)

    def narrative(self):
        answer = self.server.call("POST", f"/api/v1/incidents/{self.incident}/narrative")
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def ask_in_vain(self):
        try:
            self.server.call("POST", f"/api/v1/incidents/{self.incident}/narrative")
        except (OSError, http.client.HTTPException):
            pass  # the server went away, as it was told to

    def assertBuiltIn(self, answer, code):
        self.assertIsNone(answer["narrative"])
        self.assertEqual(answer["code"], code, answer)
        self.assertTrue(answer["reason"])
        self.assertTrue(answer["report"]["title"])
        self.assertTrue(answer["report"]["changes"])

    def test_a_good_endpoint_explains_with_evidence(self):
        answer = self.narrative()
        narrative = answer["narrative"]
        self.assertIsNotNone(narrative, answer)
        self.assertEqual(narrative["title"], "A title by the model")
        known = {e["id"] for e in self.server.get(f"/api/v1/incidents/{self.incident}").json["evidence"]}
        for claim in narrative["root_cause"]:
            self.assertTrue(set(claim["evidence"]) <= known)
            self.assertTrue(claim["generated"])
        self.assertTrue(answer["report"]["title"])
        self.assertEqual(self.model.chats()[0]["authorization"], "Bearer sk-of-the-appliance")

    def test_the_prompt_is_what_the_endpoint_receives_and_holds_no_secret(self):
        self.play("repair")  # a name of its own, so that nothing of it is kept yet
        path = f"/api/v1/incidents/{self.incident}/prompt"
        before = self.server.get(path).json["prompt"]
        self.assertIsNotNone(self.narrative()["narrative"])
        after = self.server.get(path).json["prompt"]
        received = [c["body"] for c in self.model.chats() if c["body"]["model"] == "repair"][0]
        # A minute may have passed between two of the three looks.
        shown = [without_nonce(json.dumps(json.loads(p["body"]), sort_keys=True)) for p in (before, after)]
        self.assertIn(without_nonce(json.dumps(received, sort_keys=True)), shown)
        self.assertEqual(before["messages"], json.loads(before["body"])["messages"])
        self.assertIn("[E1]", before["body"])
        self.assertIn("<PASSWORD_1>", before["body"])
        for text in [json.dumps(self.model.requests), json.dumps(before)]:
            self.assertNotIn(SECRET, text)

    def test_whatever_else_it_says_the_built_in_report_stands(self):
        for name, code in [
            ("prose", "no_object"), ("invalid-json", "no_object"), ("wrong-shape", "wrong_shape"),
            ("unknown-evidence", "unsupported_claims"), ("error-500", "refused"), ("redirect", "redirected"),
            ("hang", "timeout"),
        ]:
            with self.subTest(name):
                self.play(name)
                self.assertBuiltIn(self.narrative(), code)

    def test_a_stop_does_not_wait_for_a_model(self):
        arguments = list(self.server.arguments)
        self.play("hang")
        self.server.stop()
        self.server.arguments = ["60" if a == "3" else a for a in arguments] + ["--drain-seconds-max", "1"]
        self.server.start()
        try:
            asked = len(self.model.chats())
            waiting = threading.Thread(target=self.ask_in_vain)
            waiting.start()
            eventually(lambda: len(self.model.chats()) > asked)
            code, seconds = self.server.stop(timeout=30)
            waiting.join()
            self.assertEqual(code, 0)
            self.assertLess(seconds, 10)
        finally:
            self.server.kill()
            self.server.arguments = arguments
            self.server.start()

    def test_the_prompt_of_an_analysis_holds_no_secret(self):
        analysis = self.server.post("/api/v1/analyses", {"time_range_hours": 4}).json["id"]
        eventually(lambda: self.server.get(f"/api/v1/analyses/{analysis}").json["status"] == "completed")
        prompt = self.server.get(f"/api/v1/analyses/{analysis}/prompt").json["prompt"]
        question = prompt["messages"][1]["content"]
        self.assertIn("payments", question)
        self.assertIn("[E1]", question)
        self.assertNotIn(SECRET, json.dumps(prompt))

    def test_no_model_lowers_the_severity_below_the_rules(self):
        self.play("low-severity")
        answer = self.narrative()
        grades = ["none", "low", "medium", "high", "critical"]
        by_rules = grades.index(answer["report"]["severity"])
        self.assertGreaterEqual(grades.index(answer["narrative"]["severity"]), by_rules - 1)

    def test_a_tenant_may_do_without(self):
        self.server.call(
            "PUT", "/api/v1/settings/language-model", body=b'{"disabled":true}',
            headers={"Content-Type": "application/json"})
        self.assertBuiltIn(self.narrative(), "not_configured")
        prompt = self.server.get(f"/api/v1/incidents/{self.incident}/prompt").json
        self.assertEqual((prompt["prompt"], prompt["code"]), (None, "not_configured"))

    def test_keys_are_never_answered_and_wrong_settings_are_named(self):
        document = self.server.get("/api/v1/settings/language-model").json
        self.assertEqual((document["source"], document["has_api_key"]), ("appliance", True))
        for body, parameter in [
            ({"base_url": self.model.url + "/v1"}, "base_url"), ({"redaction": "none"}, "redaction"),
            ({"api_key": "a b"}, "api_key"), ({"daily_tokens_max": -2}, "daily_tokens_max"),
            ({"disabled": "yes"}, "disabled"),
        ]:
            answer = self.server.call("PUT", "/api/v1/settings/language-model", body=json.dumps(body))
            self.assertEqual((answer.status, answer.json.get("parameter")), (400, parameter), answer.body)
        answer = self.server.call("PUT", "/api/v1/settings/language-model", body=b'{"api_key":"sk-of-a-tenant"}')
        self.assertTrue(answer.json["override"]["has_api_key"])
        self.assertNotIn(b"sk-", answer.body)
        self.assertNotIn(b"sk-", self.server.get("/api/v1/settings/language-model").body)

    def test_what_is_not_there_is_404(self):
        for method, path in [
            ("POST", "/api/v1/incidents/none/narrative"), ("GET", "/api/v1/incidents/none/prompt"),
            ("GET", "/api/v1/analyses/none/prompt"),
        ]:
            self.assertEqual(self.server.call(method, path).status, 404, path)


class Models(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="timberline-test-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.data = os.path.join(self.home, "data")
        self.file = os.path.join(self.home, "some.model")
        pathlib.Path(self.file).write_bytes(tiny_model())

    def command(self, *arguments, **options):
        return run("model", *arguments, "--data", self.data, **options)

    def name(self):
        return self.command("list").text.splitlines()[1].split()[0]

    def test_added_listed_removed(self):
        self.assertIn("license CC0-1.0", self.command("add", self.file).text)
        copies = list(pathlib.Path(self.data, "models").iterdir())
        self.assertEqual(len(copies), 1)
        self.assertEqual(copies[0].stat().st_mode & 0o777, 0o600)
        self.assertEqual(copies[0].read_bytes(), pathlib.Path(self.file).read_bytes())
        self.assertRegex(self.name(), r"^tiny-[0-9a-f]{8}$")
        self.command("remove", self.name())
        self.assertEqual(list(pathlib.Path(self.data, "models").iterdir()), [])

    def test_what_is_no_model_is_refused(self):
        whole = pathlib.Path(self.file).read_bytes()
        broken = bytearray(whole)
        broken[len(broken) // 2] ^= 1
        for content, words in [
            (b"hello", "not a model file"), (b"", "not a model file"), (whole[:-64], "bytes and should have"),
            (bytes(broken), "checksum"),
        ]:
            pathlib.Path(self.file).write_bytes(content)
            result = self.command("add", self.file, check=False)
            self.assertEqual(result.returncode, 1, result.complaint)
            self.assertIn(words, result.complaint)
            self.assertIn(self.file, result.complaint)
        self.assertEqual(self.command("add", self.home, check=False).returncode, 1)
        self.assertEqual(self.command("remove", "nothing", check=False).returncode, 1)
        self.assertEqual(list(pathlib.Path(self.data, "models").iterdir()), [])

    def test_a_server_searches_with_it_and_a_damaged_one_does_not_stop_it(self):
        self.command("add", self.file)
        name = self.name()
        texts = ["disk is full", "user 17 logged in", "connection refused"]
        with Server(self.data) as server:
            self.assertIn(name, server.log)
            server.send([{"timestamp": time.time(), "message": text} for text in texts])
            hits = server.post("/api/v1/logs/search", {"query": "is the disk full"}).json
            self.assertIn("disk is full", json.dumps(hits[0]))
            server.stop()
        path = pathlib.Path(self.data, "models", name + ".model")
        damaged = bytearray(path.read_bytes())
        damaged[-1] ^= 1
        path.write_bytes(damaged)
        self.assertIn("checksum", self.command("list").text)
        with Server(self.data) as server:
            self.assertIn("a model is not used", server.log)
            self.assertTrue(server.post("/api/v1/logs/search", {"query": "disk full"}).json)

    def test_an_embedding_endpoint_sees_patterns_without_secrets_and_may_fail(self):
        texts = ["disk is full", f"login of anna@example.org with password={SECRET} failed", "connection refused"]
        for name in ["good", "embed-short", "embed-ragged", "embed-nan", "error-500", "hang", "close"]:
            with self.subTest(name), MisbehavingModel() as model, Server(arguments=[
                    "--embedding-url", model.url + "/v1", "--embedding-model", name]) as server:
                server.send([{"timestamp": time.time(), "message": text} for text in texts])
                begin = time.monotonic()
                hits = server.post("/api/v1/logs/search", {"query": "disk full"}).json
                self.assertLess(time.monotonic() - begin, 5)
                self.assertIn("disk is full", json.dumps(hits))
                self.assertTrue(model.requests)
                sent = json.dumps(model.requests)
                self.assertNotIn(SECRET, sent)
                self.assertNotIn("anna@example.org", sent)


if __name__ == "__main__":
    unittest.main()
