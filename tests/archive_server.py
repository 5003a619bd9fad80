"""A web server on this machine that gives out one archive, well or badly."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ArchiveServer:
    """Answers each request by the next entry of `script`, or well when the script is over.

    Entries: a number (HTTP state), "cut" (the connection ends halfway), "stall" (halfway, nothing
    more comes), "page" (a login page), "changed" (other bytes).
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.script: list[str | int] = []
        self.asked: list[str] = []  # the path of every request
        self.over = threading.Event()
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(handler.path)
        how = self.script.pop(0) if self.script else "well"
        if isinstance(how, int):
            handler.send_error(how)
            return
        others = {"page": b"<html>log in</html>", "changed": self.content + b" "}
        body = others.get(how, self.content)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if how in ("cut", "stall") else body)
        handler.wfile.flush()
        if how == "stall":
            self.over.wait(30)


@contextmanager
def serve(content: bytes, name: str) -> Iterator[ArchiveServer]:
    """A server on 127.0.0.1; its `url` is where the archive is."""
    server = ArchiveServer(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.daemon_threads = True
        server.url = f"http://127.0.0.1:{httpd.server_address[1]}/{name}"
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            httpd.shutdown()
            thread.join()
