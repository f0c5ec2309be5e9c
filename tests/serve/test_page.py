"""The page in a real browser, with machines that move: live, without JavaScript, on a phone.

Screenshots are kept in out/serve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.serve.process import Serving, serving, site_text
from tests.serve.simulated import SimulatedMachine, event

SCREENSHOTS = Path(__file__).resolve().parents[2] / "out/serve"
LIMIT = 30
REASON = "the disk sda carries data: ext4"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("site")
    with serving(folder, lambda http, https: site_text(http, https, "by-hand")) as running:
        yield running


class Browser:
    """A browser that is looked at through conditions, each with a limit."""

    def __init__(self, server: Serving, *, javascript: bool = True) -> None:
        options = webdriver.ChromeOptions()
        options.add_argument("--headless=new")
        options.add_argument("--no-sandbox")
        options.add_argument("--ignore-certificate-errors")
        options.add_argument("--window-size=1280,800")
        if not javascript:
            off = {"profile.managed_default_content_settings.javascript": 2}
            options.add_experimental_option("prefs", off)
        service = Service("/usr/bin/chromedriver")
        self.driver = webdriver.Chrome(options=options, service=service)
        self.server = server

    def open(self, path: str) -> None:
        self.driver.get(f"{self.server.https}{path}")

    def log_in(self, password: str = "let me in") -> None:
        self.open("/")
        assert self.driver.current_url.endswith("/login")
        self.driver.find_element(By.ID, "password").send_keys(password)
        self.driver.find_element(By.CSS_SELECTOR, ".login button").click()
        words = "Machines" if password == "let me in" else "This is not the password"
        WebDriverWait(self.driver, LIMIT).until(
            lambda driver: words in driver.page_source, f"{words!r} is not shown"
        )

    def wait_for(self, machine: SimulatedMachine, words: str) -> None:
        """Until the machine's row has these words."""
        WebDriverWait(self.driver, LIMIT).until(
            lambda _: words in self.row(machine),
            f"{words!r} is not in the row of {machine.mac}: {self.row(machine)!r}",
        )

    def shows(self, words: str) -> None:
        """Until the page has these words."""
        WebDriverWait(self.driver, LIMIT).until(
            lambda _: words in str(self.run("return document.querySelector('main').innerText")),
            f"{words!r} is not shown",
        )

    def click(self, by: str, what: str) -> None:
        """Click on what there is, or will be when the page has changed."""

        def clicked(driver: webdriver.Chrome) -> bool:
            driver.find_element(by, what).click()
            return True

        waiting = WebDriverWait(
            self.driver, LIMIT, ignored_exceptions=[StaleElementReferenceException]
        )
        waiting.until(clicked, f"no {what} to click")

    def row(self, machine: SimulatedMachine) -> str:
        """The words of the machine's row."""
        script = (
            "return [...document.querySelectorAll('tbody tr')]"
            ".map(row => row.innerText).find(text => text.includes(arguments[0])) ?? ''"
        )
        return str(self.run(script, machine.mac))

    def run(self, script: str, *arguments: str) -> object:
        """What a script in the page gives."""
        execute = cast(Callable[..., object], self.driver.execute_script)
        return execute(script, *arguments)

    def press(self, command: str, machine: SimulatedMachine) -> None:
        row = f"//tr[.//small[contains(., '{machine.mac}')]]"
        self.click(By.XPATH, f"{row}//button[contains(@class, '{command}')]")

    def rows(self) -> list[str]:
        script = "return [...document.querySelectorAll('tbody tr')].map(row => row.innerText)"
        return [str(text) for text in cast(list[object], self.run(script))]

    def screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(SCREENSHOTS / f"{name}.png"))


@pytest.fixture
def browser(server: Serving) -> Iterator[Browser]:
    opened = Browser(server)
    try:
        yield opened
    finally:
        opened.driver.quit()


@pytest.fixture
def without_javascript(server: Serving) -> Iterator[Browser]:
    opened = Browser(server, javascript=False)
    try:
        yield opened
    finally:
        opened.driver.quit()


def asks(machine: SimulatedMachine, client: httpx.Client) -> str:
    """What the machine is told when it starts."""
    return machine.understand(client.get(machine.boot_url()).text)


def test_machines_move(server: Serving, browser: Browser, client: httpx.Client) -> None:
    good, bad, waiting = (SimulatedMachine(number, server.http) for number in (1, 2, 3))
    browser.log_in()
    browser.shows("No machine has asked yet")
    assert [asks(one, client) for one in (good, bad, waiting)] == ["wait"] * 3
    for machine in (good, bad):
        browser.wait_for(machine, "seen")
        browser.press("approve", machine)
        browser.wait_for(machine, "approved")
        assert asks(machine, client) == "install"
        machine.take(client.send(machine.answer_request()))
        browser.wait_for(machine, "installing")
    shown = []
    for document in good.installation():
        client.send(good.report(document)).raise_for_status()
        if document.get("phase") == "progress":
            percent = f"{10 + 50 * int(str(document['done_bytes'])) // 10} %"
            browser.wait_for(good, percent)
            shown.append(percent)
        if percent_is_half(document):
            browser.screenshot("installing")
    assert shown == sorted(shown, key=lambda text: int(text.split()[0]))
    browser.wait_for(good, "installed")
    client.send(bad.report(event("message", text="plan made"))).raise_for_status()
    failure = {
        "event": "failure",
        "error": {"message": REASON, "where": "disk-setup", "hint": "Say wipe."},
        "log": "first line\nlast line of the log\n",
    }
    client.send(bad.report(failure)).raise_for_status()
    browser.wait_for(bad, REASON)
    for document in good.agent():
        client.send(good.report(document)).raise_for_status()
    browser.wait_for(good, "ready")
    rows = browser.rows()
    assert bad.mac in rows[0] and waiting.mac in rows[1] and good.mac in rows[2]
    assert "installing" in rows[2] and "approved" in rows[2]
    browser.screenshot("machines")
    browser.click(By.LINK_TEXT, "Log")
    WebDriverWait(browser.driver, LIMIT).until(
        lambda driver: "last line of the log" in driver.page_source, "the log is not shown"
    )
    browser.driver.back()
    browser.press("retry", bad)
    browser.wait_for(bad, "approved")
    assert asks(bad, client) == "install"
    assert asks(good, client) == "disk"


def percent_is_half(document: dict[str, object]) -> bool:
    return document.get("done_bytes") == 5


def test_phone_dark_and_details(server: Serving, browser: Browser, client: httpx.Client) -> None:
    machine = SimulatedMachine(10, server.http)
    asks(machine, client)
    browser.log_in()
    browser.wait_for(machine, "seen")
    browser.press("approve", machine)
    browser.wait_for(machine, "approved")
    asks(machine, client)
    machine.take(client.send(machine.answer_request()))
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    browser.wait_for(machine, "installing")
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
    browser.press("approve", machine)
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
