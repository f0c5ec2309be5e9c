"""A virtual machine's consoles in Cockpit, seen and used with a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.lab.answers import PASSWORD
from tests.lab.guests import LOGS
from tests.lab.host import Host
from tests.serve.browser import Browser, browsing

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

# Seconds for a page of an emulated node.
LIMIT = 300
PAGE = "/cockpit/@localhost/machines/index.html"


@pytest.fixture
def browser(host: Host) -> Iterator[Browser]:
    """Root is logged in at the node's Cockpit."""
    with browsing(host.node.web_address.rstrip("/"), host.logs / "cockpit") as browser:
        browser.open("/")
        wait_for(browser, "#login-user-input")
        for field, text in (("user", "root"), ("password", PASSWORD)):
            browser.driver.find_element(By.ID, f"login-{field}-input").send_keys(text)
        browser.driver.find_element(By.ID, "login-button").click()
        wait_for(browser, "#host-apps")
        yield browser
        browser.screenshot("last")


def wait_for(browser: Browser, selector: str) -> None:
    WebDriverWait(browser.driver, LIMIT).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, selector), f"there is no {selector}"
    )


def test_the_serial_console(host: Host, browser: Browser, other: list[str]) -> None:
    """What is typed in the browser runs in the guest, and its answer is shown."""
    other.append("seen")
    host.guests.create("seen", "size=0.25")
    browser.open(f"{PAGE}#/vm?name=seen&connection=system")
    wait_for(browser, ".xterm-helper-textarea")
    keys = browser.driver.find_element(By.CSS_SELECTOR, ".xterm-helper-textarea")
    keys.send_keys("echo word$((40 + 2))\n")
    host.until(
        lambda: "word42" in host.run("cat", f"{LOGS}/seen.log") or None,
        60,
        "the guest's answer",
        where="seen",
    )
    browser.screenshot("serial")


def test_the_screen(host: Host, browser: Browser, other: list[str]) -> None:
    """The screen of a guest is drawn in the browser."""
    other.append("shown")
    host.guests.create("shown", "size=0.25", "--graphics", "vnc")
    browser.open(f"{PAGE}#/vm?name=shown&connection=system")
    wait_for(browser, "canvas")
    ActionChains(browser.driver).pause(1).perform()
    browser.screenshot("screen")
