"""A private D-Bus daemon with fakes of systemd's services on it."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Iterator

import pydbus
import pytest

from tests.unit.agent.fake_services import Machine, published

BUS_CONFIGURATION = """
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@pytest.fixture(scope="session")
def bus_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real bus that nothing else is on."""
    folder = tmp_path_factory.mktemp("bus")
    configuration = folder / "bus.conf"
    configuration.write_text(BUS_CONFIGURATION.format(folder=folder))
    argv = ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address=1"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout
        try:
            yield daemon.stdout.readline().strip()
        finally:
            daemon.terminate()


@pytest.fixture
def machine(bus_address: str) -> Iterator[Machine]:
    """systemd and timedated as the tests want them, reached over the bus."""
    with pydbus.connect(bus_address) as service_bus, pydbus.connect(bus_address) as client_bus:
        with warnings.catch_warnings():
            # pydbus publishes with a call that PyGObject has renamed.
            warnings.simplefilter("ignore", DeprecationWarning)
            with published(service_bus, client_bus) as machine:
                yield machine
