"""A local OpenAI-compatible endpoint that answers as a test wants, lies and dawdling included."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[dict[str, Any]], bytes | int]
"""What the endpoint makes of a request: the bytes of its answer, or a status without a body."""


def completion(content: object) -> bytes:
    text = content if isinstance(content, str) else json.dumps(content)
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


def questions(request: dict[str, Any]) -> list[dict[str, str]]:
    return list(json.loads(request["messages"][1]["content"])["questions"])


def postmortem(request: dict[str, Any]) -> str:
    return str(json.loads(request["messages"][1]["content"])["postmortem"])


def each(request: dict[str, Any], answer: Callable[[str], tuple[str, str]], control: str = "no") -> bytes:
    """Answer every question by id; `answer` gives answer and quotation."""
    made = []
    for question in questions(request):
        said, quote = (control, "") if question["id"] == "control" else answer(question["id"])
        made.append({"id": question["id"], "answer": said, "quote": quote, "reason": "so it reads"})
    return completion({"answers": made})


@contextmanager
def endpoint(reply: Reply, *, trickle: float = 0.0) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve until the end of the block; yields the address and the requests received."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append({"path": self.path, "key": self.headers.get("authorization"), **json.loads(body)})
            answer = reply(seen[-1])
            status = answer if isinstance(answer, int) else 200
            payload = b"" if isinstance(answer, int) else answer
            self.send_response(status)
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            try:
                for at in range(0, len(payload), 8 if trickle else max(1, len(payload))):
                    self.wfile.write(payload[at : at + (8 if trickle else len(payload))])
                    self.wfile.flush()
                    if trickle:
                        time.sleep(trickle)
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
