"""The page in a real browser: Chromium without a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait

# Of every wait, in seconds. Only a failure takes so long.
LIMIT = 90
PASSWORD = "let me in"


class Browser:
    """A browser that is looked at through conditions, each with a limit.

    https: the page's address; screenshots: the folder where they are kept.
    """

    def __init__(self, https: str, screenshots: Path, *, javascript: bool = True) -> None:
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
        self.https = https
        self.screenshots = screenshots

    def open(self, path: str) -> None:
        """Go to a path of the server."""
        self.driver.get(f"{self.https}{path}")

    def log_in(self, password: str = PASSWORD) -> None:
        """Log in at the page, or be refused."""
        self.open("/")
        assert self.driver.current_url.endswith("/login")
        self.driver.find_element(By.ID, "password").send_keys(password)
        self.driver.find_element(By.CSS_SELECTOR, ".login button").click()
        words = "Machines" if password == PASSWORD else "This is not the password"
        WebDriverWait(self.driver, LIMIT).until(
            lambda driver: words in driver.page_source, f"{words!r} is not shown"
        )

    def wait_for(self, mac: str, words: str, limit: float = LIMIT) -> None:
        """Until the row of the machine with this address has these words."""
        WebDriverWait(self.driver, limit).until(
            lambda _: words in self.row(mac), f"{words!r} is not in the row of {mac}"
        )

    def wait_for_state(self, mac: str, state: str, limit: float = LIMIT) -> None:
        """Until the machine with this address is in a state; its row also names earlier ones."""
        script = (
            "return [...document.querySelectorAll('tbody tr')]"
            ".some(row => row.className === arguments[1] && row.innerText.includes(arguments[0]))"
        )
        WebDriverWait(self.driver, limit).until(
            lambda _: self.run(script, mac, state), f"{mac} is not {state}"
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

    def row(self, mac: str) -> str:
        """The words of the machine's row."""
        script = (
            "return [...document.querySelectorAll('tbody tr')]"
            ".map(row => row.innerText).find(text => text.includes(arguments[0])) ?? ''"
        )
        return str(self.run(script, mac))

    def run(self, script: str, *arguments: str) -> object:
        """What a script in the page gives."""
        execute = cast(Callable[..., object], self.driver.execute_script)
        return execute(script, *arguments)

    def press(self, command: str, mac: str) -> None:
        """Press a button in the machine's row."""
        row = f"//tr[.//small[contains(., '{mac}')]]"
        self.click(By.XPATH, f"{row}//button[contains(@class, '{command}')]")

    def confirm(self) -> None:
        """Say yes to the question that is asked."""
        alert = WebDriverWait(self.driver, LIMIT).until(
            expected_conditions.alert_is_present(), "nothing is asked"
        )
        alert.accept()

    def rows(self) -> list[str]:
        """The words of all rows."""
        script = "return [...document.querySelectorAll('tbody tr')].map(row => row.innerText)"
        return [str(text) for text in cast(list[object], self.run(script))]

    def screenshot(self, name: str) -> None:
        """Keep what the window shows as NAME.png."""
        self.screenshots.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(self.screenshots / f"{name}.png"))


@contextmanager
def browsing(https: str, screenshots: Path, *, javascript: bool = True) -> Iterator[Browser]:
    """A browser until the context ends."""
    opened = Browser(https, screenshots, javascript=javascript)
    try:
        yield opened
    finally:
        opened.driver.quit()
