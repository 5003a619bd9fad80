"""A web server on this machine that gives out one archive, well or badly."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ArchiveServer:
    """Answers each request by the next entry of `script`, or well when the script is over.

    Entries: a number (HTTP state), "cut" (the connection ends halfway), "stall" (halfway, nothing
    more comes), "chunked" (no length is stated), "chunked cut", "no ranges" (the whole file,
    whatever was asked for), "wrong range", "page" (a login page), "changed" (other bytes).
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.script: list[str | int] = []
        self.asked: list[str | None] = []  # the Range of every request
        self.over = threading.Event()
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.asked.append(wanted)
        how = self.script.pop(0) if self.script else "well"
        if isinstance(how, int):
            handler.send_error(how)
            return
        content = {"page": b"<html>log in</html>", "changed": self.content[::-1]}.get(
            how, self.content
        )
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        ranges = wanted is not None and how not in ("no ranges", "chunked", "page")
        self._send(handler, how, content, start if ranges else 0, ranges)

    def _send(
        self, handler: BaseHTTPRequestHandler, how: str, content: bytes, start: int, ranges: bool
    ) -> None:
        total = len(content)
        if ranges and start >= total:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{total}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        body = content[start:]
        handler.send_response(206 if ranges else 200)
        if ranges:
            stated = start + 1 if how == "wrong range" else start
            handler.send_header("Content-Range", f"bytes {stated}-{total - 1}/{total}")
        half = body[: len(body) // 2] if how in ("cut", "stall", "chunked cut") else body
        if how.startswith("chunked"):
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(half), half))
            if how == "chunked":
                handler.wfile.write(b"0\r\n\r\n")
        else:
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(half)
        handler.wfile.flush()
        if how == "stall":
            self.over.wait(30)
        handler.close_connection = True


@contextmanager
def serve(content: bytes, name: str = "archive") -> Iterator[ArchiveServer]:
    """A server on 127.0.0.1; its `url` is where the archive is."""
    server = ArchiveServer(content)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

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
