"""The page in a real browser: it fits a phone, every picture shows, and nothing else is requested.

The page is in a frame of a phone's width; the page around the frame inspects it and writes what it
finds into its own document, which Chromium prints.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from reported_run import add_own_networks, made_data, make_report, write_metrics

from rbnn.report.page import page

PHONE, DESKTOP = 390, 1280
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
WATCHER = """<!doctype html><link rel="icon" href="data:,"><body style="margin:0">
<iframe src="/report.html" style="border:0;width:%dpx;height:900px"></iframe><pre></pre>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {
  const seen = frame.contentDocument, view = frame.contentWindow;
  seen.querySelectorAll("details").forEach(one => { one.open = true; });
  const width = view.innerWidth, images = [...seen.images];
  const outside = [...seen.querySelectorAll("body *")].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width && box.right > width + 0.5 && !one.closest(".scroll, pre");
  });
  const size = one => {
    const matrix = one.getScreenCTM();
    return parseFloat(view.getComputedStyle(one).fontSize) * Math.hypot(matrix.a, matrix.b);
  };
  const tiny = [...seen.querySelectorAll("svg text")].filter(one => size(one) < 8.5);
  document.querySelector("pre").textContent = JSON.stringify({
    width, whole: seen.documentElement.scrollWidth, images: images.length,
    broken: images.filter(one => !one.complete || one.naturalWidth !== 32).length,
    outside: outside.map(one => one.outerHTML.slice(0, 120)),
    tiny: tiny.map(one => one.outerHTML.slice(0, 120)),
    asked: view.performance.getEntriesByType("resource").map(one => one.name)
      .filter(name => !name.startsWith("data:")),
    title: seen.title,
  });
};
</script>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium on the PATH: `make test` installs it (apt-get install chromium)")


@pytest.fixture(scope="module")
def text(random_export: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("browser")
    made = random_export(
        folder / "a-run-whose-name-is-longer-than-a-phone-is-wide-in-any-letters",
        tasks=(("signs", 43, 3), ("grey", 4, 1)),
    )
    write_metrics(made.run, 12)
    add_own_networks(made.run, ["signs", "grey"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rbnn.report.gather.load_data", made_data)
        return page(make_report(made.run, folder, wrong_secrets=1))


class Server:
    """Serves the page and its watcher on loopback; ``asked`` are the requested paths."""

    def __init__(self, text: str, width: int) -> None:
        pages = {"/": WATCHER.replace("%d", str(width)), "/report.html": text}
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                body = pages.get(self.path, "").encode()
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture(params=[PHONE, DESKTOP])
def server(text: str, request: pytest.FixtureRequest) -> Iterator[Server]:
    running = Server(text, request.param)
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_the_page_fits_and_requests_nothing(chromium: str, server: Server, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}"),
            *("--window-size=1400,1000", "--virtual-time-budget=20000", "--dump-dom"),
            server.address,
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = re.search("<pre>(.+?)</pre>", done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    seen = json.loads(html.unescape(found[1]))
    assert seen["title"].startswith("signs and grey")
    assert seen["whole"] <= seen["width"], seen
    assert seen["outside"] == []
    assert seen["images"] >= 12 and seen["broken"] == 0
    assert seen["tiny"] == []
    assert seen["asked"] == []
    assert sorted(server.asked) == ["/", "/report.html"]


def test_it_prints(chromium: str, text: str, tmp_path: Path) -> None:
    source, printed = tmp_path / "page.html", tmp_path / "page.pdf"
    source.write_text(text)
    subprocess.run(
        [
            *(chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}"),
            *("--no-pdf-header-footer", f"--print-to-pdf={printed}", source.as_uri()),
        ],
        capture_output=True,
        timeout=300,
        check=True,
    )
    data = printed.read_bytes()
    assert data.startswith(b"%PDF")
    pages = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)
    assert len(pages) >= 4
    for width, height in pages:  # A4 in points
        assert abs(float(width) - 595) < 1.5 and abs(float(height) - 842) < 1.5
