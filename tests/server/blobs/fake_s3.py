"""A bucket in memory that speaks as much of S3's protocol as the blob store asks for."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

STAMP = "2026-01-31T07:00:00.000Z"


class Bucket:
    """Objects by key; `asked` has the method and path of each request, `down` refuses all."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.down = False

    def listed(self, prefix: str) -> bytes:
        """The answer to a listing."""
        found = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(data)}</Size><LastModified>{STAMP}"
            f'</LastModified><ETag>"x"</ETag></Contents>'
            for key, data in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
        return text.encode()


@contextmanager
def serving(bucket: Bucket) -> Iterator[str]:
    """The bucket `stepwell` behind an address of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(bucket))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(bucket: Bucket) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not bucket.down:
                bucket.objects[self.key] = body
            self._answer(200)

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            if "list-type" in asked:
                self._answer(200, bucket.listed(asked.get("prefix", [""])[0]))
            elif self.key in bucket.objects:
                self._answer(200, bucket.objects[self.key])
            else:
                self._answer(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            assert "delete" in urlsplit(self.path).query
            keys = re.findall("<Key>(.*?)</Key>", body)
            for key in keys:
                bucket.objects.pop(key, None)
            gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            self._answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode())

        @property
        def key(self) -> str:
            return unquote(urlsplit(self.path).path).removeprefix("/stepwell/")

        def _answer(self, status: int, body: bytes = b"") -> None:
            bucket.asked.append(f"{self.command} {self.path}")
            self.send_response(403 if bucket.down else status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"x"')
            self.send_header("Last-Modified", "Sat, 31 Jan 2026 07:00:00 GMT")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    return Handler
