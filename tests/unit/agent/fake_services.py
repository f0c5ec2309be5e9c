"""Two services of the system bus, published on a private one: systemd and systemd-timedated."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from gi.repository import GLib

# Every service is at the same place: the tests have one at a time.
SERVICE_PATH = "/org/freedesktop/systemd1/unit/service"

Row = tuple[str, str, str, str, str, str, str, int, str, str]


@dataclass
class FakeUnit:
    """A unit and what happens to it.

    starts_as: its state once a start job has ended; looks: how many times systemd is asked
    before a job that is pending ends.
    """

    active: str = "inactive"
    enabled: str = "enabled"
    loaded: str = "loaded"
    starts_as: str = "active"
    looks: int = 0


class FakeSystemd:
    """
    <node>
      <interface name="org.freedesktop.systemd1.Manager">
        <method name="ListUnitsByNames">
          <arg type="as" direction="in"/><arg type="a(ssssssouso)" direction="out"/>
        </method>
        <method name="GetUnitFileState">
          <arg type="s" direction="in"/><arg type="s" direction="out"/>
        </method>
        <method name="EnableUnitFiles">
          <arg type="as" direction="in"/><arg type="b" direction="in"/>
          <arg type="b" direction="in"/>
          <arg type="b" direction="out"/><arg type="a(sss)" direction="out"/>
        </method>
        <method name="Reload"/>
        <method name="LoadUnit">
          <arg type="s" direction="in"/><arg type="o" direction="out"/>
        </method>
        <method name="ResetFailedUnit"><arg type="s" direction="in"/></method>
        <method name="StartUnit">
          <arg type="s" direction="in"/><arg type="s" direction="in"/>
          <arg type="o" direction="out"/>
        </method>
      </interface>
    </node>
    """

    def __init__(self) -> None:
        self.fakes: dict[str, FakeUnit] = {}
        self.calls: list[tuple[str, ...]] = []
        self.pending: dict[str, int] = {}

    def begin_job(self, name: str) -> None:
        """Queue a start, as the start of the machine does."""
        self.pending[name] = self.fakes[name].looks

    def ListUnitsByNames(self, names: list[str]) -> list[Row]:
        return [self._row(name) for name in names]

    def _row(self, name: str) -> Row:
        fake = self.fakes.get(name, FakeUnit(loaded="not-found"))
        if name in self.pending:
            self.pending[name] -= 1
            if self.pending[name] < 0:
                del self.pending[name]
                fake.active = fake.starts_as
        job = 7 if name in self.pending else 0
        return (name, "", fake.loaded, fake.active, "sub", "", "/unit", job, "start", "/job")

    def LoadUnit(self, name: str) -> str:
        return SERVICE_PATH

    def GetUnitFileState(self, name: str) -> str:
        return self.fakes[name].enabled

    def EnableUnitFiles(
        self, names: list[str], runtime: bool, force: bool
    ) -> tuple[bool, list[tuple[str, str, str]]]:
        self.calls.append(("enable", *names))
        for name in names:
            self.fakes[name].enabled = "enabled"
        return True, []

    def Reload(self) -> None:
        self.calls.append(("reload",))

    def ResetFailedUnit(self, name: str) -> None:
        self.calls.append(("reset", name))
        self.fakes[name].active = "inactive"

    def StartUnit(self, name: str, mode: str) -> str:
        self.calls.append(("start", name))
        if self.fakes[name].active == "failed":
            raise ValueError("start request repeated too quickly")
        self.begin_job(name)
        return "/job"


class FakeService:
    """
    <node>
      <interface name="org.freedesktop.systemd1.Service">
        <property name="Result" type="s" access="read"/>
        <property name="ExecMainStatus" type="i" access="read"/>
      </interface>
    </node>
    """

    def __init__(self) -> None:
        self.Result = "success"
        self.ExecMainStatus = 0


class FakeTimedate:
    """
    <node>
      <interface name="org.freedesktop.timedate1">
        <property name="NTPSynchronized" type="b" access="read"/>
      </interface>
    </node>
    """

    def __init__(self) -> None:
        self.NTPSynchronized = False


@dataclass
class Machine:
    """The fakes, and the bus they are on as a client sees it."""

    bus: Any
    systemd: FakeSystemd = field(default_factory=FakeSystemd)
    service: FakeService = field(default_factory=FakeService)
    timedate: FakeTimedate = field(default_factory=FakeTimedate)


@contextmanager
def published(service_bus: Any, client_bus: Any) -> Iterator[Machine]:
    """Put both services on the bus for as long as the context lasts."""
    machine = Machine(client_bus)
    loop = GLib.MainLoop()
    with (
        service_bus.publish(
            "org.freedesktop.systemd1", machine.systemd, (SERVICE_PATH, machine.service)
        ),
        service_bus.publish("org.freedesktop.timedate1", machine.timedate),
    ):
        thread = Thread(target=loop.run)
        thread.start()
        try:
            # Quitting a loop that does not run yet would be lost.
            while not loop.is_running():
                time.sleep(0.001)
            yield machine
        finally:
            loop.quit()
            thread.join()
