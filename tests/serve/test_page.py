"""The page in a real browser, with machines that move: live, without JavaScript, on a phone.

Screenshots are kept in out/serve.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.serve.browser import LIMIT, Browser, browsing
from tests.serve.process import Serving, serving, site_text
from tests.serve.simulated import SimulatedMachine, event

SCREENSHOTS = Path(__file__).resolve().parents[2] / "out/serve"
REASON = "the disk sda carries data: ext4"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("site")
    with serving(folder, lambda http, https: site_text(http, https, "by-hand")) as running:
        yield running


@pytest.fixture
def browser(server: Serving) -> Iterator[Browser]:
    with browsing(server.https, SCREENSHOTS) as opened:
        yield opened


@pytest.fixture
def without_javascript(server: Serving) -> Iterator[Browser]:
    with browsing(server.https, SCREENSHOTS, javascript=False) as opened:
        yield opened


def asks(machine: SimulatedMachine, client: httpx.Client) -> str:
    """What the machine is told when it starts."""
    return machine.understand(client.get(machine.boot_url()).text)


def test_machines_move(server: Serving, browser: Browser, client: httpx.Client) -> None:
    good, bad, waiting = (SimulatedMachine(number, server.http) for number in (1, 2, 3))
    browser.log_in()
    browser.shows("No machine has asked yet")
    assert [asks(one, client) for one in (good, bad, waiting)] == ["wait"] * 3
    for machine in (good, bad):
        browser.wait_for_state(machine.mac, "seen")
        browser.press("approve", machine.mac)
        browser.wait_for_state(machine.mac, "approved")
        assert asks(machine, client) == "install"
        machine.take(client.send(machine.answer_request()))
        browser.wait_for_state(machine.mac, "installing")
    shown = []
    for document in good.installation():
        client.send(good.report(document)).raise_for_status()
        if document.get("phase") == "progress":
            percent = f"{10 + 50 * int(str(document['done_bytes'])) // 10} %"
            browser.wait_for(good.mac, percent)
            shown.append(percent)
        if percent_is_half(document):
            browser.screenshot("installing")
    assert shown == sorted(shown, key=lambda text: int(text.split()[0]))
    browser.wait_for_state(good.mac, "installed")
    client.send(bad.report(event("message", text="plan made"))).raise_for_status()
    failure = {
        "event": "failure",
        "error": {"message": REASON, "where": "disk-setup", "hint": "Say wipe."},
        "log": "first line\nlast line of the log\n",
    }
    client.send(bad.report(failure)).raise_for_status()
    browser.wait_for(bad.mac, REASON)
    for document in good.agent():
        client.send(good.report(document)).raise_for_status()
    browser.wait_for_state(good.mac, "ready")
    rows = browser.rows()
    assert bad.mac in rows[0] and waiting.mac in rows[1] and good.mac in rows[2]
    assert "installing" in rows[2] and "approved" in rows[2]
    browser.screenshot("machines")
    browser.click(By.LINK_TEXT, "Log")
    WebDriverWait(browser.driver, LIMIT).until(
        lambda driver: "last line of the log" in driver.page_source, "the log is not shown"
    )
    browser.driver.back()
    browser.press("retry", bad.mac)
    browser.wait_for_state(bad.mac, "approved")
    assert asks(bad, client) == "install"
    assert asks(good, client) == "disk"


def percent_is_half(document: dict[str, object]) -> bool:
    return document.get("done_bytes") == 5


def test_phone_dark_and_details(server: Serving, browser: Browser, client: httpx.Client) -> None:
    machine = SimulatedMachine(10, server.http)
    asks(machine, client)
    browser.log_in()
    browser.wait_for_state(machine.mac, "seen")
    browser.press("approve", machine.mac)
    browser.wait_for_state(machine.mac, "approved")
    asks(machine, client)
    machine.take(client.send(machine.answer_request()))
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    browser.wait_for_state(machine.mac, "installing")
    browser.screenshot("dark")
    name = machine.answers[0]["global"]["fqdn"]
    browser.click(By.LINK_TEXT, name)
    browser.shows("SIM00010")
    browser.shows('"fqdn"')
    assert "not so secret" not in browser.driver.page_source
    browser.screenshot("machine")
    browser.driver.set_window_size(390, 844)
    browser.open("/")
    fits = "return document.documentElement.scrollWidth <= window.innerWidth"
    assert browser.run(fits) is True
    browser.screenshot("phone")


def test_without_javascript(
    server: Serving, without_javascript: Browser, client: httpx.Client
) -> None:
    browser = without_javascript
    machine = SimulatedMachine(20, server.http)
    asks(machine, client)
    browser.log_in()
    browser.press("approve", machine.mac)
    WebDriverWait(browser.driver, LIMIT).until(
        lambda _: asks(machine, client) == "install", "the machine is not approved"
    )
    # Only the page's own refresh can show what the machine does next.
    machine.take(client.send(machine.answer_request()))
    name = machine.answers[0]["global"]["fqdn"]
    WebDriverWait(browser.driver, LIMIT).until(
        lambda driver: name in driver.page_source, f"{name} is not shown"
    )


def test_only_after_a_login(server: Serving, browser: Browser, client: httpx.Client) -> None:
    machine = SimulatedMachine(30, server.http)
    asks(machine, client)
    for path in ("/", "/machines/1", "/logs/1"):
        assert client.get(f"{server.https}{path}").headers["location"] == "/login"
    assert client.post(f"{server.https}/machines/1/approve").headers["location"] == "/login"
    assert client.get(f"{server.https}/live").status_code == 403
    assert client.get(f"{server.https}/api/machines").status_code == 401
    found = client.get(f"{server.https}/api/machines", auth=("any", "let me in")).json()
    assert machine.mac in {mac for one in found["machines"] for mac in one["macs"]}
    browser.log_in("wrong")
    browser.log_in()
    cookie = browser.driver.get_cookie("__Host-slipway")
    assert cookie and cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Strict"
    cookies = {"Cookie": f"__Host-slipway={cookie['value']}"}
    url = f"{server.https}/machines/1/approve"
    assert client.post(url, headers=cookies, data={"token": "x"}).status_code == 403
    forged = {"Cookie": f"__Host-slipway={cookie['value'][:-1]}x"}
    assert client.get(f"{server.https}/", headers=forged).headers["location"] == "/login"
    metrics = client.get(f"{server.https}/metrics").text
    assert 'slipway_machines{state="seen"} ' in metrics


def test_an_open_page_outlives_its_server(
    server: Serving, browser: Browser, client: httpx.Client
) -> None:
    browser.log_in()
    for number, how in ((40, signal.SIGKILL), (41, signal.SIGTERM)):
        server.restart(how)
        machine = SimulatedMachine(number, server.http)
        asks(machine, client)
        browser.wait_for_state(machine.mac, "seen")
