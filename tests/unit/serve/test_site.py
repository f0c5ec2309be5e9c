"""The site file: every error has its line, and nearly right words are corrected."""

from __future__ import annotations

from pathlib import Path

import pytest

from image.serve.load_site import SiteError, json_schema, load_site
from image.serve.preview import preview, remarks
from installer.answers.reference import reference_tables
from tests.unit.serve.site import site

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/serve.md"


def error(folder: Path, more: str = "", **options: str) -> str:
    with pytest.raises(SiteError) as raised:
        site(folder, more, **options)
    return str(raised.value)


def test_a_valid_site(tmp_path: Path) -> None:
    loaded = site(tmp_path, '[[machines]]\nname = "db"\nmatch.serial = "S"\n')
    assert loaded.site.machines[0].name == "db"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('[dhpc]\ninterface = "x"', 'did you mean "dhcp"?'),
        ('[[groups]]\nname = "g"\nmatch = {}', "match needs at least one"),
        ('[[groups]]\nname = "g"\nmatch.mca = "x"', 'did you mean "mac"?'),
        ('[[groups]]\nname = "g"\nmatch.identity = {"dmi" = "x"}', "JSON pointer"),
        ('[[groups]]\nname = "g"\nmatch.mac = "*"\ncluster = "lab"', "belong together"),
        ('[[groups]]\nname = "g"\nmatch.mac = "*"\nanswer.globl = {}', 'did you mean "global"?'),
        ('[[groups]]\nname = "g"\nmatch.mac = "*"\nanswer.webhook = {}', "by the server itself"),
        (
            '[[machines]]\nname = "m"\nmatch.mac = "*"\nanswer.global.fqdn = "{{ x"',
            "not a valid template",
        ),
        ('[dhcp]\ninterface = "e"\nnetwork = "192.0.2.0/24"\nmode = "full"', "needs range"),
        ('[dhcp]\ninterface = "e"\nnetwork = "192.0.2.7/24"', "network"),
        ('[[groups]]\nname = "g"\nmatch.mac = "1"\n' * 2, "the same name"),
    ],
)
def test_errors_have_lines(tmp_path: Path, more: str, words: str) -> None:
    said = error(tmp_path, more)
    assert words in said
    assert "site.toml:" in said


@pytest.mark.parametrize("address", ["2001:db8::1", "server.example.org"])
def test_firmware_needs_an_ipv4_address(tmp_path: Path, address: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(f'[server]\naddress = "{address}"\n')
    assert load_site(path).site.server.address == address
    path.write_text(path.read_text() + '[dhcp]\ninterface = "e"\nnetwork = "192.0.2.0/24"\n')
    with pytest.raises(SiteError) as raised:
        load_site(path)
    assert "an IPv4 address" in str(raised.value)


def test_several_errors_at_once(tmp_path: Path) -> None:
    said = error(tmp_path, "[dhcp]\ninterface = 1\n", approve="on-side")
    assert 'did you mean "on-sight"?' in said
    assert "dhcp.network: is missing" in said
    assert "site.toml:3:" in said


def test_no_toml_and_no_file(tmp_path: Path) -> None:
    assert "not valid TOML" in error(tmp_path, "[")
    with pytest.raises(SiteError, match="cannot be read"):
        load_site(tmp_path / "none.toml")


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    example = DOCUMENT.read_text().partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "site.toml").write_text(example)
    loaded = load_site(tmp_path / "site.toml")
    rendered, _ = preview(loaded, tmp_path / "none", "db1")
    assert rendered.answer.global_.fqdn == "db1.example.org"


def test_remarks_about_single_machines(tmp_path: Path) -> None:
    more = '[[machines]]\nname = "m"\nmatch.serial = "1"\nanswer.wipe = "{{ nothing }}"\n'
    said = list(remarks(site(tmp_path, more)))
    assert len(said) == 1 and "'nothing' is undefined" in said[0]
    assert list(remarks(site(tmp_path))) == []


def test_the_reference_is_up_to_date() -> None:
    assert reference_tables(json_schema()) in DOCUMENT.read_text()
