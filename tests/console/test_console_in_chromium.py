"""The console in a real browser: it fits a phone and a desktop, asks nobody else, and shows what
the board says."""

from __future__ import annotations

import io
import json
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser
from served_console import PICTURES, SOUNDS, Served

pytestmark = pytest.mark.qemu
PHONE, DESKTOP = 390, 1280
OUTSIDE = """[...document.querySelectorAll("body *")].filter(one => {
  const box = one.getBoundingClientRect();
  return box.width > 1 && box.right > innerWidth + 0.5 && !one.closest(".unseen");
}).map(one => one.outerHTML.slice(0, 120))"""
UNNAMED = """[...document.querySelectorAll("button, input, img, audio")].filter(one =>
  !(one.textContent.trim() || one.alt || one.getAttribute("aria-label")
    || one.closest("label")?.textContent.trim())).map(one => one.outerHTML.slice(0, 120))"""
SMALL = """[...document.querySelectorAll("main button, header button")].filter(one => {
  const box = one.getBoundingClientRect();
  return box.width && (box.width < 40 || box.height < 40);
}).map(one => one.outerHTML.slice(0, 120))"""
READY = '!document.querySelector("#file").disabled'
ENTER, TAB = 13, 9


@pytest.fixture(scope="module")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium on the PATH: `make test` installs it (apt-get install chromium)")


@pytest.fixture
def browser(chromium: str, console: Served, tmp_path: Path) -> Iterator[Browser]:
    opened = Browser(chromium, tmp_path)
    opened.size(DESKTOP)
    opened.open(console.console.url)
    opened.wait('document.querySelectorAll("#tasks li").length == 2')
    yield opened
    opened.close()


def press(browser: Browser, label: str) -> None:
    """Press a button by the keyboard."""
    name = json.dumps(f'[aria-label="{label}"], #{label.split(":")[0]}')
    browser.wait(f"document.querySelector({name})?.disabled === false")
    browser.run(f"document.querySelector({name}).focus()")
    browser.press("Enter", ENTER)


def switch(browser: Browser, task: str) -> None:
    press(browser, f"Switch: {task}")
    hint = f'document.querySelector("#try-hint").textContent.startsWith("{task} is active")'
    browser.wait(f"{hint} && {READY}")


def test_it_fits_asks_nobody_else_and_shows_scores(
    browser: Browser, console: Served, picture: Path
) -> None:
    switch(browser, PICTURES)
    assert browser.run('document.querySelector("#record").hidden')
    browser.choose_file("#file", picture)
    browser.wait(f'document.querySelector(".verdict") && {READY}')
    press(browser, "measure")
    browser.wait(f'document.querySelector(".layers li") && {READY}')
    for width in (PHONE, DESKTOP):
        for dark in (False, True):
            browser.size(width, dark=dark)
            whole = browser.run("[document.documentElement.scrollWidth, innerWidth]")
            assert whole[0] <= whole[1] == width
            assert browser.run(OUTSIDE) == []
            assert browser.run(UNNAMED) == []
            assert browser.run(SMALL) == []
            ground = browser.run("getComputedStyle(document.body).backgroundColor")
            assert ground == ("rgb(15, 21, 29)" if dark else "rgb(255, 255, 255)")
    labels = browser.run(
        '[...document.querySelectorAll(".found .bars .name")].map(one => one.textContent)'
    )
    assert sorted(labels) == sorted(f"{PICTURES}-{number}" for number in range(10))
    text = browser.text()
    assert f"says task {PICTURES} after" in text and "instructions (emulated)" in text
    loaded = "one => one.complete && one.naturalWidth"
    assert browser.run(f"[...document.images].every({loaded})")
    assert picture.name in text, "a name with marks of HTML is shown as it is"
    assert browser.run('document.querySelector("b > co, p > b > b")') is None
    own = (console.console.url, "blob:http://127.0.0.1:", "data:")
    assert [one for one in browser.asked if not one.startswith(own)] == []
    assert browser.complaints == []


def test_the_keyboard_keeps_its_place(browser: Browser, console: Served) -> None:
    press(browser, f"Unlock: {PICTURES}")
    browser.wait('document.querySelector("#tasks li.unlocked")')
    browser.wait("document.activeElement?.getAttribute('aria-label')?.startsWith('Switch: ')")
    browser.press("Enter", ENTER)
    browser.wait('document.querySelector("#tasks li.active")')
    press(browser, "disconnect")
    browser.wait('document.activeElement?.id == "connect"')
    assert "not connected" in browser.text()
    browser.press("Enter", ENTER)
    browser.wait('document.activeElement?.id == "disconnect"')
    assert browser.complaints == []


def test_what_the_microphone_gives_is_classified(
    browser: Browser, console: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[bytes] = []
    infer = console.held.infer
    monkeypatch.setattr(
        console.held, "infer", lambda name, raw, _: (given.append(raw), infer(name, raw))[1]
    )
    switch(browser, SOUNDS)
    press(browser, "record")
    browser.wait('document.querySelector("#record").getAttribute("aria-pressed") == "true"')
    browser.wait(f'document.querySelector(".found audio") && {READY}')
    with wave.open(io.BytesIO(given[0])) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)
        assert sound.getnframes() == pytest.approx(2 * 16_000, abs=1_600)
        assert any(sound.readframes(sound.getnframes()))
    assert f"says task {SOUNDS}" in browser.text()
    browser.wait('document.querySelector(".found audio").duration > 1.9')
    assert browser.complaints == []


def test_errors_are_shown_with_their_remedy(
    browser: Browser, console: Served, picture: Path
) -> None:
    switch(browser, SOUNDS)
    browser.choose_file("#file", picture)
    browser.wait('!document.querySelector("#error").hidden')
    said = browser.run('document.querySelector("#error").innerText')
    assert "is a picture, but the active task words expects sounds" in said
    assert "Name a sound" in said
    browser.size(PHONE)
    assert browser.run(OUTSIDE) == []
    browser.press("Escape", 27)
    browser.wait('document.querySelector("#error").hidden')
    console.target.emulator.power_off()
    browser.wait('document.querySelector("#gone").innerText.includes("was disconnected")')
    assert browser.run(OUTSIDE) == []
    press(browser, "connect")
    browser.wait('document.querySelector("#gone").hidden')
    browser.wait('document.querySelectorAll("#tasks li.locked").length == 2')


def test_a_console_that_has_ended_is_said(browser: Browser, console: Served) -> None:
    browser.tell(
        "Network.emulateNetworkConditions",
        **{"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    browser.wait('document.querySelector("#gone").innerText.includes("does not answer")')
