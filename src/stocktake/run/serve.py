"""A site shown on this machine alone."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from stocktake.problems import StocktakeError

# A page may use what the site itself holds and nothing else; what is in a file is what its ending says.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# Pages of other sites reach a local server under names of their own; only these are ours.
HOSTS = ("localhost", "127.0.0.1")
NOT_FOUND = (
    '<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>Page not found</title></head>'
    '<body><h1>Page not found</h1><p>There is no such page here. <a href="/index.html">To the first page</a></p></body></html>'
)


class _Handler(SimpleHTTPRequestHandler):
    """Sends the files of one folder: no listings, no links that lead out of it, and its own host name only."""

    def send_head(self) -> Any:
        host = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host") or ""
        if host.lower() not in HOSTS:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "This server answers to localhost only")
            return None
        root = Path(self.directory).resolve()
        asked = unquote(urlsplit(self.path).path)
        try:
            path = (root / asked.lstrip("/")).resolve()
            if path.is_dir():
                path = (path / "index.html").resolve()
            allowed = path.is_file() and path.is_relative_to(root) and not _hidden(path.relative_to(root))
        except (OSError, ValueError):
            allowed = False
        if not allowed:
            self.send_error(HTTPStatus.NOT_FOUND, "Page not found")
            return None
        return super().send_head()

    def list_directory(self, path: Any) -> None:
        self.send_error(HTTPStatus.NOT_FOUND, "Page not found")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        if code != HTTPStatus.NOT_FOUND:
            super().send_error(code, message, explain)
            return
        body = NOT_FOUND.encode()
        self.send_response(code, message)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def server(site: Path, port: int = 8000) -> ThreadingHTTPServer:
    """A web server of a finished site, reachable from this machine only; port 0 takes a free one.

    Raises StocktakeError where there is no site, or the port is taken or is none.
    """
    if not 0 <= port <= 65535:
        raise StocktakeError(f"port {port}: expected a number from 0 to 65535.")
    if not (site / "index.html").is_file():
        raise StocktakeError(f"{site}: no site here yet; run `stocktake site {site.parent}` first.")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, directory=str(site)))
    except PermissionError:
        raise StocktakeError(
            f"port {port} needs an administrator's rights; choose one from 1024 with --port."
        ) from None
    except OSError:
        raise StocktakeError(f"port {port} is in use; choose another with --port.") from None
