"""The HTTP service that the greeting sample calls."""

import contextlib
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"¡Hola, {query['name'][0]}!".encode())

    def log_message(self, *_: object) -> None:
        """Keeps the tests' output quiet."""


@contextlib.contextmanager
def greeting_service() -> Iterator[str]:
    """Serves `/get-spanish-greeting?name=` while the block runs and yields the base URL."""
    service = HTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{service.server_port}"
    finally:
        service.shutdown()
        service.server_close()
