"""The local server sends the files of a site and nothing else."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stocktake.problems import StocktakeError
from stocktake.run.serve import server


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    site = tmp_path / "site"
    (site / "trusts").mkdir(parents=True)
    (site / "empty").mkdir()
    (site / "index.html").write_text("first page")
    (site / "trusts" / "T1.html").write_text("a trust")
    (site / ".hidden").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    (site / "link.txt").symlink_to(tmp_path / "outside.txt")
    (site / "out").symlink_to(tmp_path)
    with server(site, 0) as running:
        worker = threading.Thread(target=running.serve_forever)
        worker.start()
        yield running.server_port
        running.shutdown()
        worker.join()


def get(port: int, path: str, host: str = "localhost") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", f"{host}:{port}" if host else "")
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.headers.get("Content-Security-Policy") or ""


@pytest.mark.parametrize(
    ("path", "expected"), [("/", "first page"), ("/index.html", "first page"), ("/trusts/T1.html?x=1", "a trust")]
)
def test_files_of_the_site_are_sent(port: int, path: str, expected: str) -> None:
    status, body, policy = get(port, path)
    assert (status, body) == (200, expected)
    assert "default-src 'self'" in policy
    assert get(port, path, "127.0.0.1")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/empty/", "/trusts/", "/link.txt", "/out/outside.txt", "/../outside.txt", "/%2e%2e/outside.txt",
     "/.hidden", "/trusts/%00", "/..%5coutside.txt"],
)  # fmt: skip
def test_nothing_else_is(port: int, path: str) -> None:
    status, body, _ = get(port, path)
    assert status == 404
    assert "Page not found" in body and "secret" not in body and "T1.html" not in body


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", ""])
def test_other_hosts_are_refused(port: int, host: str) -> None:
    assert get(port, "/", host)[0] == 421


@pytest.mark.parametrize("port_", [-1, 65536, 70000])
def test_ports_that_are_none(tmp_path: Path, port_: int) -> None:
    (tmp_path / "index.html").write_text("x")
    with pytest.raises(StocktakeError, match="0 to 65535"):
        server(tmp_path, port_)
