"""Messages about answer files: places, secrets, suggestions, old spellings, limits."""

from __future__ import annotations

import json

import pytest

from installer.answers.load import load_answer
from installer.answers.parse import MAXIMUM_BYTES, MAXIMUM_DEPTH
from installer.answers.problems import SHOWN_PROBLEMS, AnswerError
from tests.unit.answers.files import MINIMAL, MINIMAL_TOML, changed, errors_of, errors_of_text, load


def test_all_errors_come_at_once_in_the_order_of_the_file() -> None:
    text = MINIMAL_TOML.replace('"at"', '"AT"').replace("root-password", "root-pasword")
    text = text.replace('"ext4"', '"ext5"') + '[disk-setup.lvm]\nhdsize = "big"\n'
    assert errors_of_text(text) == [
        "answer.toml:2:1: global.country: "
        '"AT" is given, expected the ISO code of a country in lower case, like "at"',
        'answer.toml:7:1: global.root-pasword: is not a known key; did you mean "root-password"?',
        'answer.toml:13:1: disk-setup.filesystem: "ext5" is given, expected '
        'one of "ext4", "xfs", "zfs", "btrfs"; did you mean "ext4"?',
        'answer.toml:16:1: disk-setup.lvm.hdsize: "big" is given, '
        "expected a number above 0 to 8589934592",
    ]


def test_a_missing_key_is_told_at_its_table_with_what_it_means() -> None:
    assert errors_of_text(MINIMAL_TOML.replace('filesystem = "ext4"\n', "")) == [
        "answer.toml:12:1: disk-setup.filesystem: is missing, expected "
        'one of "ext4", "xfs", "zfs", "btrfs" (The root file system; ext4 and xfs are put on LVM)'
    ]


def test_places_are_those_of_items_and_of_keys_in_inline_tables() -> None:
    text = MINIMAL_TOML + (
        "\n[[users]]\n"
        'name = "anna"\n'
        "groups = [\n"
        '  "sudo", # administrators\n'
        '  "Wheel",\n'
        "]\n"
        'password = "correct horse"\n'
        "[cluster]\n"
        'mode = "create"\n'
        'name = "lab"\n'
        'qdevice = { host = "q.example.com", algorithm = "lsm" }\n'
    )
    places = [line.split(": ")[:2] for line in errors_of_text(text)]
    assert places == [
        ["answer.toml:20:3", "users[0].groups[1]"],
        ["answer.toml:26:37", "cluster.qdevice.algorithm"],
    ]


def test_json_has_places_too() -> None:
    text = json.dumps(changed("global.country", "AT"), indent=2).encode()
    with pytest.raises(AnswerError) as caught:
        load_answer(text, "answer.json", "json")
    assert caught.value.lines[0].startswith("answer.json:3:5: global.country: ")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[global\n", "answer.toml:1:8: "),
        ('[global]\ncountry = "at\n', "answer.toml:2:14: "),
        ('[global]\na = 1\na = 2\n"', "answer.toml:3:6: "),
        ('[global]\n"', "answer.toml:2:2: "),
    ],
)
def test_a_syntax_error_has_its_place(text: str, place: str) -> None:
    (line,) = errors_of_text(text)
    assert line.startswith(f"{place}not valid TOML: ")


def test_json_syntax_errors_have_their_place() -> None:
    with pytest.raises(AnswerError) as caught:
        load_answer(b'{\n  "global": ,\n}', "answer.json", "json")
    assert caught.value.lines == ("answer.json:2:13: not valid JSON: Expecting value",)


def test_json_keys_are_given_once() -> None:
    text = '{"wipe": "selected","wipe": "none",' + json.dumps(MINIMAL).removeprefix("{")
    with pytest.raises(AnswerError) as caught:
        load_answer(text.encode(), "answer.json", "json")
    assert caught.value.lines == ("answer.json:1:21: wipe: is given twice",)


def test_a_list_is_not_an_answer_file() -> None:
    (message,) = errors_of([])
    assert message == "a list is given, expected a table"


def test_old_spellings_are_taken_with_a_warning() -> None:
    text = MINIMAL_TOML.replace("root-password", "root_password").replace("disk-list", "disk_list")
    loaded = load_answer(text.encode(), "answer.toml")
    assert loaded.answer.disk_setup.disk_list == ("sda",)
    assert loaded.warnings == (
        "answer.toml:7:1: global.root_password: is the older spelling of root-password",
        "answer.toml:14:1: disk-setup.disk_list: is the older spelling of disk-list",
    )


def test_properties_keep_their_spelling() -> None:
    setup = {"filesystem": "ext4", "filter": {"ID_SERIAL_SHORT": "a_b"}}
    loaded = load(changed("disk-setup", setup))
    assert loaded.answer.disk_setup.filter == {"ID_SERIAL_SHORT": "a_b"}
    assert loaded.warnings == ()


@pytest.mark.parametrize("key", ["global_", "not_"])
def test_names_of_attributes_are_not_keys(key: str) -> None:
    text = {
        "global_": MINIMAL_TOML.replace("[global]", "[global_]"),
        "not_": MINIMAL_TOML.replace('disk-list = ["sda"]', 'select.not_.bus = "usb"'),
    }
    (line,) = errors_of_text(text[key])
    assert line.endswith(f"{key}: is not a known key")


def test_a_key_in_both_spellings_is_refused() -> None:
    assert errors_of_text(MINIMAL_TOML + 'disk_list = ["sdb"]\n') == [
        "answer.toml:15:1: disk-setup.disk_list: is given twice, also as disk-list"
    ]


def test_what_is_taken_and_not_used_is_a_warning() -> None:
    data = changed("global.subscription-key", "pve2c-0123456789")
    data["global"]["root-ssh-keys"] = ["ssh-ed25519 AAAAC3Nz a@b", "~/.ssh/id_ed25519.pub"]
    warnings = [warning.split(": ", 1)[1] for warning in load(data).warnings]
    assert warnings == [
        "global.subscription-key: is not used: there are no subscriptions",
        "global.root-ssh-keys[1]: does not look like an SSH key",
    ]


SECRET = "hunter2-hunter2"
SECRET_PLACES: list[tuple[str, object]] = [
    ("global.root-password", [SECRET]),
    ("global.root-password", {SECRET: 1}),
    ("global.root-password", "hunter2"),
    ("global.root-pasword", SECRET),
    ("global.root-password-hashed", SECRET),
    ("global.subscription-key", [SECRET]),
    ("global", SECRET),
    ("cluster", SECRET),
    ("cluster", {"mode": "create", "name": "lab", "token": SECRET}),
    ("cluster", {"mode": "join", "token": [SECRET]}),
    ("cluster", {"mode": "join", "token": {"value": SECRET}}),
    ("users", [{"name": "root", "password": SECRET}]),
    ("users", [{"name": "anna", "password": [SECRET]}]),
    ("users", SECRET),
    ("post-installation-webhook", {"url": "x", "auth-token": SECRET}),
    ("post-installation-webhook", SECRET),
    ("storage", [{"type": "smb", "name": "a", "passwort": SECRET, "password": [SECRET]}]),
    ("storage", [{"type": "sbm", "name": "a", "password": SECRET}]),
    ("storage", [{"type": "rbd", "key": 5, "password": SECRET}]),
    ("system.proxy", f"http://user:{SECRET}@proxy.example.com"),
    ("first-boot", {"source": "from-url", "url": f"ftp://user:{SECRET}@example.com"}),
]


@pytest.mark.parametrize(("path", "value"), SECRET_PLACES)
def test_no_message_holds_a_secret(path: str, value: object) -> None:
    with pytest.raises(AnswerError) as caught:
        load(changed(path, value))
    told = str(caught.value) + repr(caught.value) + str(caught.value.__cause__)
    assert "hunter2" not in told


def test_a_valid_answer_prints_no_secret() -> None:
    loaded = load(changed("global.root-password", SECRET))
    assert "hunter2" not in f"{loaded!r}{loaded.answer.model_dump()}{loaded.answer}"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"#" * (MAXIMUM_BYTES + 1), "larger than 1024 KiB"),
        (b"[global]\nname = '\xff'", "answer.toml:2:9: this is not UTF-8"),
        (MINIMAL_TOML.encode("utf-16"), "this is not UTF-8"),
        (b"a = " + b"[" * 100_000, "nested more than"),
        (b"a = " + b"[" * 200 + b"]" * 200, "nested more than"),
        (b"a." * 100_000 + b"a = 1", "nested more than"),
        (b'["" . ' + b"'x'." * 1000 + b"a]", "nested more than"),
        (b"a = " + b"{a=" * 200 + b"1" + b"}" * 200, "nested more than"),
        (b"a = " + b"9" * 100_000, "not valid TOML"),
        (b"a = 0x" + b"f" * 100_000, "a: must be a number of at most"),
        (b"a = inf", "a: must be a finite number"),
        (b"a = nan", "a: must be a finite number"),
        (b"a = 1979-05-27", "a: is a date or a time"),
        (b"[a]\nb = [1979-05-27 07:32:00, 07:32:00]", "answer.toml:2:6: a.b[0]: is a date"),
        (b'a = "\\u0000"', "a: has a control character in it"),
        (b'a = "\\u001b[2J"', "a: has a control character in it"),
        (b'"a\\u001b" = 1', "has a control character in its name"),
    ],
)
def test_what_no_answer_file_can_be_is_refused(content: bytes, expected: str) -> None:
    with pytest.raises(AnswerError) as caught:
        load_answer(content, "answer.toml")
    assert expected in caught.value.lines[0]
    assert str(caught.value).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[" * 100_000, "nested more than"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "nested more than"),
        (b'{"a": NaN}', "a: must be a finite number"),
        (b'{"a": 1e999}', "a: must be a finite number"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "not valid JSON"),
        (b'{"a": "\\ud800"}', "a: has a control character in it"),
        (b"", "not valid JSON"),
    ],
)
def test_what_no_json_answer_can_be_is_refused(content: bytes, expected: str) -> None:
    with pytest.raises(AnswerError) as caught:
        load_answer(content, "answer.json", "json")
    assert expected in caught.value.lines[0]


def test_tables_as_deep_as_the_limit_have_places() -> None:
    key = ".".join(["a"] * (MAXIMUM_DEPTH - 1))
    (line,) = errors_of_text(f"{MINIMAL_TOML}\n[x]\n{key} = 1\n")
    assert line.startswith("answer.toml:16:1: x: is not a known key")


def test_many_errors_are_counted() -> None:
    text = MINIMAL_TOML + "".join(f"k{number} = 1\n" for number in range(1000))
    with pytest.raises(AnswerError) as caught:
        load_answer(text.encode(), "answer.toml")
    assert caught.value.message == "the answer file has 1000 errors"
    assert len(caught.value.lines) == SHOWN_PROBLEMS
    assert str(caught.value).endswith(f"and {1000 - SHOWN_PROBLEMS} more")


def test_line_ends_and_byte_order_mark_of_windows_are_taken() -> None:
    text = b"\xef\xbb\xbf" + MINIMAL_TOML.replace("\n", "\r\n").encode()
    assert load_answer(text, "answer.toml").answer.global_.country == "at"


def test_text_reaches_the_answer_unchanged() -> None:
    text = MINIMAL_TOML.replace('"correct horse"', "'''a&\"b' $(c) `d` ü'''")
    password = load_answer(text.encode(), "answer.toml").answer.global_.root_password
    assert password is not None
    assert password.get_secret_value() == "a&\"b' $(c) `d` ü"
