"""Cockpit in a real browser: signing in, the cluster's page, and what its console says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from selenium import webdriver
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.cluster.person import PASSWORD

# Of every wait, in seconds. Only a failure takes so long.
LIMIT = 180
# Cockpit's own complaints: fonts that Debian leaves out, and whether one is signed in already.
OF_COCKPIT = ("/assets/fonts/", "/cockpit/login")
# Of a page that is as wide as a phone.
PHONE = (400, 800)


class Cockpit:
    """A browser at a node's Cockpit. screenshots: the folder where they are kept."""

    def __init__(self, address: str, screenshots: Path, port: int) -> None:
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--ignore-certificate-errors"):
            options.add_argument(argument)
        options.add_argument("--window-size=1280,1400")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(LIMIT)
        self.screenshots = screenshots
        self.url = f"https://{address}:{port}"

    def sign_in(
        self, name: str = "root", password: str = PASSWORD, *, administer: bool = True
    ) -> None:
        """Sign in, with administrative access or without, and go to the cluster's page."""
        self.wait(self._at_login, "login")
        # Cockpit asks for it again in the next session as it was in the last.
        self.run("localStorage.setItem('superuser-key', 'superuser:' + arguments[0])", name)
        self.run(
            "localStorage.setItem('superuser:' + arguments[0], arguments[1])",
            name,
            "any" if administer else "none",
        )
        self.driver.find_element(By.ID, "login-user-input").send_keys(name)
        self.driver.find_element(By.ID, "login-password-input").send_keys(password)
        self.driver.find_element(By.ID, "login-button").click()
        self.enter()

    def _at_login(self) -> bool:
        """The page for signing in is there; else it is asked for again.

        Chromium gives up what it loads when the network changes, as it does with a new cable.
        """
        if not self.driver.find_elements(By.ID, "login-user-input"):
            with suppress(WebDriverException):
                self.driver.get(f"{self.url}/slipway")
        return self.driver.find_element(By.ID, "login-user-input").is_displayed()

    def enter(self) -> None:
        """Until the page is there, in its frame, and has something to show."""
        self.driver.switch_to.default_content()
        frame = "iframe[name='cockpit1:localhost/slipway']"
        self.wait(lambda: self.driver.find_element(By.CSS_SELECTOR, frame), "the page's frame")
        self.driver.switch_to.frame(self.driver.find_element(By.CSS_SELECTOR, frame))
        self.wait(lambda: self.run("return !!document.getElementById('cards')"), "the page")

    def wait(self, condition: Callable[[], object], what: str, limit: float = LIMIT) -> None:
        """Until something is true."""
        ignored = [NoSuchElementException, StaleElementReferenceException]
        WebDriverWait(self.driver, limit, ignored_exceptions=ignored).until(
            lambda _: condition(), f"waited for {what}"
        )

    def text(self, identity: str) -> str:
        """The words of an element, empty when it is not there."""
        script = "return document.getElementById(arguments[0])?.innerText ?? ''"
        return str(self.run(script, identity))

    def shows(self, identity: str, words: str, limit: float = LIMIT) -> None:
        """Until an element has these words."""
        try:
            self.wait(lambda: words in self.text(identity), f"{words!r} in {identity}", limit)
        except Exception:
            self.screenshot("failed")
            raise

    def has(self, identity: str) -> bool:
        """There is such an element."""
        return bool(self.run("return !!document.getElementById(arguments[0])", identity))

    def click(self, identity: str) -> None:
        """Click on an element that is there, or will be, wherever the page has moved it."""
        self.wait(lambda: self.has(identity), f"{identity} to click")
        self.run("document.getElementById(arguments[0]).click()", identity)

    def keys(self, key: str) -> None:
        """Press a key, wherever the focus is."""
        ActionChains(self.driver).send_keys(key).perform()

    def run(self, script: str, *arguments: object) -> Any:
        """What a script in the page gives."""
        execute = cast(Callable[..., object], self.driver.execute_script)
        return execute(script, *arguments)

    def dark(self, *, on: bool) -> None:
        """As a system that is dark, or light."""
        scheme = "dark" if on else "light"
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        script = "return document.documentElement.classList.contains('pf-v6-theme-dark')"
        self.wait(lambda: self.run(script) is on, scheme)

    def size(self, width: int, height: int) -> None:
        """A window of this size, also one that is smaller than Chromium's smallest."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def fits(self) -> bool:
        """Nothing of the page is wider than its window."""
        script = (
            "return [document.documentElement, ...document.querySelectorAll("
            "'.pf-v6-c-page__main-container, .pf-v6-c-page__main-section, .pf-v6-c-card')]"
            ".every(one => one.scrollWidth <= one.clientWidth)"
        )
        return bool(self.run(script))

    def screenshot(self, name: str) -> None:
        """Keep what the window shows as NAME.png."""
        self.screenshots.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(self.screenshots / f"{name}.png"))

    def complaints(self) -> list[str]:
        """Errors of the console since the last look."""
        get_log = cast(Callable[[str], list[dict[str, str]]], self.driver.get_log)
        entries = get_log("browser")
        severe = [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
        return [said for said in severe if not any(part in said for part in OF_COCKPIT)]


@contextmanager
def browsing(address: str, screenshots: Path, port: int = 9090) -> Iterator[Cockpit]:
    """A browser until the context ends."""
    opened = Cockpit(address, screenshots, port)
    try:
        yield opened
    finally:
        opened.driver.quit()
