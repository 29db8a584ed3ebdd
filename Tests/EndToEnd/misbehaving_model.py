"""A chat and embedding endpoint in the manner of OpenAI that misbehaves on purpose.

    with MisbehavingModel() as model:
        configure(base_url=model.url + "/v1", model="prose")
        ...
        assert model.requests[-1]["body"]["model"] == "prose"

What it does is chosen by the model's name in the request:

    good             a proper answer whose claim rests on the first evidence
    prose            a friendly paragraph, never JSON
    prose-json       the proper answer inside prose and a code block
    invalid-json     an object that is cut off
    wrong-shape      JSON of other members
    repair           prose first, the proper answer when asked again
    no-schema        400 for response_format of any kind, then the proper answer
    unknown-evidence claims that rest on evidence nobody showed it
    low-severity     the proper answer, "none" for severity
    high-severity    the proper answer, "critical" for severity
    markup           links, images, HTML and turned text in every member
    echo             the evidence, word for word, as summary
    huge             64 MiB of a string
    slow-drip        one byte a second
    hang             nothing, until the client goes away
    close            cuts the connection
    empty            200 without a body
    html             a proxy's page
    error-<status>   that status
    redirect         302 to `redirect_to` (this server's /stolen unless set), which is to receive nothing
    embed-short      embeddings: fewer vectors than texts
    embed-ragged     embeddings: vectors of unequal lengths
    embed-nan        embeddings: a component that is no number

As a program it prints its address and serves until its input ends: `python3 misbehaving_model.py [PORT]`.
`GET /requests` is what came so far, `GET /v1/models` names a context of 8192 tokens. Standard library only.
"""

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def evidence_ids(body):
    """The ids of the lines of evidence in a request, in order."""
    text = "\n".join(m.get("content") or "" for m in body.get("messages", []) if m.get("role") == "user")
    return re.findall(r"^\[(E\d+)\]", text, re.MULTILINE)


def evidence_text(body):
    text = "\n".join(m.get("content") or "" for m in body.get("messages", []) if m.get("role") == "user")
    return "\n".join(re.findall(r"^\[E\d+\] (.*)$", text, re.MULTILINE))


def narrative(body, **changes):
    answer = {
        "title": "A title by the model",
        "severity": "high",
        "confidence": 0.7,
        "summary": "A summary by the model.",
        "root_cause": [{"text": "A cause by the model.", "evidence": evidence_ids(body)[:1]}],
        "impact": "An impact by the model.",
        "next_steps": ["A step by the model."],
        "injection_suspected": False,
    }
    answer.update(changes)
    return json.dumps(answer)


def content(name, body):
    """What the model says; None where it says nothing."""
    if name == "prose":
        return "I had a look at your logs, and everything seems to be in perfect order!"
    if name == "prose-json":
        return "Certainly! Here is the report:\n```json\n" + narrative(body) + "\n```\nLet me know."
    if name == "invalid-json":
        return narrative(body)[:-30]
    if name == "wrong-shape":
        return json.dumps({"status": "healthy", "issues": []})
    if name == "repair":
        return narrative(body) if len(body["messages"]) > 2 else "Let me think about that."
    if name == "unknown-evidence":
        return narrative(body, root_cause=[{"text": "An invented cause.", "evidence": ["E999"]}])
    if name == "low-severity":
        return narrative(body, severity="none")
    if name == "high-severity":
        return narrative(body, severity="critical")
    if name == "markup":
        evil = "See [here](https://evil.example/x) ![p](https://evil.example/p.png) <img src=x onerror=alert(1)> \u202egnp.exe"
        claims = [{"text": evil, "evidence": evidence_ids(body)[:1]}]
        return narrative(body, title="T " + evil, summary="S " + evil, impact=evil, next_steps=[evil], root_cause=claims)
    if name == "echo":
        return narrative(body, summary="Echo: " + evidence_text(body))
    return narrative(body)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", kind="application/json", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def note(self, body):
        self.server.notes.append(
            {"method": self.command, "path": self.path, "authorization": self.headers.get("Authorization"), "body": body})

    def do_GET(self):
        if self.path == "/requests":
            return self.answer(200, json.dumps(self.server.notes).encode())
        self.note(None)
        if self.path == "/v1/models":
            return self.answer(200, b'{"data":[{"id":"any","max_model_len":8192}]}')
        return self.answer(404, b"{}")

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        self.note(body if body is not None else raw.decode("utf-8", "replace"))
        if not isinstance(body, dict) or self.path not in ("/v1/chat/completions", "/v1/embeddings"):
            return self.answer(404, b'{"error":"not here"}')
        name = str(body.get("model"))
        try:
            self.misbehave(name, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def misbehave(self, name, body):
        if name == "hang":
            self.server.stopped.wait()
            self.close_connection = True
        elif name == "close":
            self.close_connection = True
            self.connection.close()
        elif name == "empty":
            self.answer(200)
        elif name == "html":
            self.answer(200, b"<html><body>502 Bad Gateway</body></html>", "text/html")
        elif name.startswith("error-"):
            self.answer(int(name[6:]), b'{"error":{"message":"on purpose"}}')
        elif name == "redirect":
            target = self.server.redirect_to or "http://%s:%d/stolen" % self.server.server_address
            self.answer(302, headers=[("Location", target)])
        elif name == "huge":
            self.stream(b'{"choices":[{"message":{"content":"', b"x" * 65536, 1024, 0)
        elif name == "slow-drip":
            self.stream(b"{", b" ", 3600, 1)
        elif self.path == "/v1/embeddings":
            self.embed(name, body)
        elif name == "no-schema" and "response_format" in body:
            self.answer(400, b'{"error":{"message":"response_format is not supported"}}')
        else:
            said = content(name, body)
            self.answer(200, json.dumps({
                "id": "x", "object": "chat.completion", "model": name,
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}],
                "usage": {"prompt_tokens": 500, "completion_tokens": 200, "total_tokens": 700},
            }).encode())

    def stream(self, first, part, count, seconds):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(first)
        for _ in range(count):
            self.wfile.write(part)
            self.wfile.flush()
            if seconds and self.server.stopped.wait(seconds):
                return

    def embed(self, name, body):
        texts = body.get("input") or []
        texts = [texts] if isinstance(texts, str) else texts
        vectors = [[float(len(t) % 7 + 1)] + [float(ord(c) % 13) for c in (t + "\0" * 15)[:15]] for t in texts]
        if name == "embed-short":
            vectors = vectors[:-1]
        if name == "embed-ragged" and vectors:
            vectors[-1] = vectors[-1][:-1]
        if name == "embed-nan" and vectors:
            vectors[0][0] = float("nan")
        self.answer(200, json.dumps({
            "object": "list", "model": name,
            "data": [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)],
        }).encode())


class MisbehavingModel:
    """Serves on a free port of the loopback address, or on `port`, until it is left."""

    def __init__(self, port=0, redirect_to=None):
        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.notes = []
        self.server.redirect_to = redirect_to
        self.server.stopped = threading.Event()
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def requests(self):
        """What came so far: method, path, authorization, body (decoded JSON, or text)."""
        return list(self.server.notes)

    def chats(self):
        return [r for r in self.requests if r["path"] == "/v1/chat/completions"]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.server.stopped.set()
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    with MisbehavingModel(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as model:
        print(model.url, flush=True)
        while sys.stdin.readline():
            pass
