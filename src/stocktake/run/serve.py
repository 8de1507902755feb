"""A site shown on this machine alone."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from stocktake.problems import StocktakeError

# A page may use what the site itself holds and nothing else; what is in a file is what its ending says.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class _Quiet(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def server(site: Path, port: int = 8000) -> ThreadingHTTPServer:
    """A web server of a finished site, reachable from this machine only; port 0 takes a free one.

    Raises StocktakeError where there is no site, or the port is taken.
    """
    if not (site / "index.html").is_file():
        raise StocktakeError(f"{site}: no site here yet; run `stocktake site {site.parent}` first.")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(site)))
    except OSError:
        raise StocktakeError(f"port {port} is in use; choose another with --port.") from None
