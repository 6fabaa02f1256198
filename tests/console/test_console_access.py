"""Who gets an answer from the console: whoever knows its address, from this machine, and nobody
else."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
import requests
from served_console import TIMEOUT_S, Served

import rbnn.console
from rbnn.console.board import HeldBoard
from rbnn.console.page import page, style
from rbnn.console.serve import LOOPBACK, Console
from rbnn.errors import RbnnError

pytestmark = pytest.mark.qemu
STATIC = Path(rbnn.console.__file__).parent / "static"
PATHS = ("", "style.css", "static/main.js", "api/state", "nothing")


def test_the_address_is_of_this_machine_and_cannot_be_guessed(served: Served) -> None:
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/([\w-]{32})/", served.console.url)
    assert found and int(found[1]) == served.console.port
    other = Console(served.held)
    other.close()
    assert other.url.split("/")[3] != found[2]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_answered_without_the_token(served: Served, path: str) -> None:
    root, token = served.console.url[:-1].rsplit("/", 1)
    for wrong in ("", "x/", f"{token[:-1]}/", f"{token}x/", f"x/{token}/", f"%00{token}/"):
        for method in ("GET", "POST", "HEAD", "OPTIONS"):
            found = requests.request(method, f"{root}/{wrong}{path}", timeout=TIMEOUT_S)
            assert found.status_code == 403, (method, wrong, path)
            assert "Refused" in found.text or method == "HEAD"


def test_a_name_that_somebody_else_leads_here_is_refused(served: Served) -> None:
    port = served.console.port
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "0.0.0.0", ""):
        assert served.get("api/state", headers={"Host": host}).status_code == 400, host
        assert served.post("api/lock", headers={"Host": host}).status_code == 400, host
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        assert served.get("api/state", headers={"Host": host}).status_code == 200


def test_another_site_can_lead_to_the_page_and_do_nothing_else(served: Served) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    for path in PATHS:
        assert served.get(path, headers=foreign).status_code == 403
    assert served.post("api/lock", headers=foreign).status_code == 403
    navigating = {**foreign, "Sec-Fetch-Mode": "navigate"}
    assert served.get("", headers=navigating).status_code == 200
    assert served.post("api/lock", headers=navigating).status_code == 403
    preflight = requests.options(served.console.url + "api/lock", headers=foreign, timeout=9)
    for answer in (served.get("api/state", headers={"Origin": "https://evil.example"}), preflight):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_what_changes_something_takes_a_post(served: Served) -> None:
    for name in ("connect", "disconnect", "lock", "unlock", "switch", "infer", "profile"):
        assert served.get(f"api/{name}").status_code == 405


def test_every_answer_forbids_scripts_and_frames_of_others(served: Served) -> None:
    for path in PATHS:
        headers = served.get(path).headers
        policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_names_nothing_outside_and_holds_no_script() -> None:
    texts = {path.name: path.read_text() for path in STATIC.iterdir()}
    for name, text in {"page": page(), "style": style(), **texts}.items():
        assert not re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text), name
        assert not re.findall(r"innerHTML|outerHTML|insertAdjacent|eval\(|new Function", text), name
    assert not re.findall(r"<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=", page())


def test_files_beside_the_static_ones_are_not_served(served: Served) -> None:
    for path in ("static/../page.py", "static/%2e%2e/page.py", "static/", "static/..%2fpage.py"):
        request = requests.Request("GET", served.console.url).prepare()
        request.url = served.console.url + path
        with requests.Session() as session:
            assert session.send(request, timeout=TIMEOUT_S).status_code == 404, path


def test_a_port_in_use_is_named(served: Served) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RbnnError, match=f"Port {port} of 127.0.0.1") as caught:
            Console(HeldBoard(served.target, None, served.runs), port)
    assert "--http-port" in caught.value.fix
