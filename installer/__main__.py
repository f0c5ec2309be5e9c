"""The installer's command line: `python3 -m installer …`.

Exit status: 0 done, 1 the answer file is not valid for this machine, 2 could not run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from agent.core.errors import SlipwayError
from installer.answers.load import Loaded, load_answer
from installer.answers.problems import AnswerError
from installer.inventory.model import Inventory

DONE, INVALID, COULD_NOT_RUN = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(argv)
    try:
        return int(options.command(options))
    except AnswerError as error:
        print(error, file=sys.stderr)
        return INVALID
    except SlipwayError as error:
        print(error, file=sys.stderr)
        return COULD_NOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m installer", description="Install a node.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    validate = commands.add_parser("validate", help="check an answer file")
    validate.add_argument("file", type=Path, help="the answer file, TOML, or JSON if named .json")
    validate.set_defaults(command=_validate)

    schema = commands.add_parser("schema", help="print the JSON Schema of the answer file")
    schema.add_argument("--markdown", action="store_true", help="print tables for people instead")
    schema.set_defaults(command=_schema)

    inventory = commands.add_parser("inventory", help="print what this machine is made of")
    inventory.set_defaults(command=_inventory)

    plan = commands.add_parser("plan", help="print what an installation would do")
    plan.add_argument("--answer", type=Path, required=True, help="the answer file")
    plan.add_argument("--json", action="store_true", help="print the plan as JSON")
    plan.set_defaults(command=_plan)

    match = commands.add_parser("match", help="print the disks or NICs that a filter matches")
    match.add_argument("kind", choices=("disk", "network"))
    match.add_argument("filter", nargs="+", type=_key_and_glob, metavar="KEY=GLOB")
    match.add_argument("--filter-match", choices=("any", "all"), default="any")
    match.set_defaults(command=_match)

    for command in (plan, match):
        command.add_argument(
            "--inventory", type=Path, help="a saved inventory; default: this machine"
        )

    run = commands.add_parser("run", help="install this machine")
    run.add_argument(
        "--unattended", action="store_true", help="end where people would be waited for"
    )
    run.set_defaults(command=_run)

    console = commands.add_parser("console", help="follow or steer the installation from here")
    console.add_argument("--plain", action="store_true", help="ask line by line")
    console.add_argument(
        "--login", action="store_true", help="as a console's login: wait until it is needed"
    )
    console.set_defaults(command=_console)
    return parser


def _key_and_glob(text: str) -> tuple[str, str]:
    key, equals, glob = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form KEY=GLOB")
    return key, glob


def _validate(options: argparse.Namespace) -> int:
    _load(options.file)
    print(f"{options.file}: the answer file is valid")
    return DONE


def _schema(options: argparse.Namespace) -> int:
    from installer.answers.reference import reference_tables
    from installer.answers.schema import json_schema

    print(reference_tables() if options.markdown else json.dumps(json_schema(), indent=2))
    return DONE


def _inventory(options: argparse.Namespace) -> int:
    print(_probe().model_dump_json(indent=2))
    return DONE


def _plan(options: argparse.Namespace) -> int:
    from installer.plan.planner import make_plan
    from installer.plan.show import plan_text

    loaded = _load(options.answer)
    inventory = _load_inventory(options.inventory)
    try:
        plan = make_plan(loaded.answer, inventory)
    except SlipwayError as error:
        print(error, file=sys.stderr)
        return INVALID
    print(plan.model_dump_json(indent=2) if options.json else plan_text(plan))
    return DONE


def _match(options: argparse.Namespace) -> int:
    from installer.plan.disk_match import matches_filter

    inventory = _load_inventory(options.inventory)
    devices = inventory.disks if options.kind == "disk" else inventory.interfaces
    wanted = dict(options.filter)
    names = [x.name for x in devices if matches_filter(x, wanted, options.filter_match)]
    print(json.dumps(names))
    return DONE


def _run(options: argparse.Namespace) -> int:
    from installer.start import run

    return run(unattended=options.unattended)


def _console(options: argparse.Namespace) -> int:
    from installer.ui.main import main as console

    return console(plain=options.plain, login=options.login)


def _load(path: Path) -> Loaded:
    loaded = load_answer(_read(path), str(path), "json" if path.suffix == ".json" else "toml")
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return loaded


def _load_inventory(path: Path | None) -> Inventory:
    if path is None:
        return _probe()
    try:
        return Inventory.model_validate_json(_read(path))
    except ValidationError as error:
        reason = error.errors()[0]
        place = ".".join(map(str, reason["loc"])) or "the file"
        raise SlipwayError(
            f"this is not an inventory: {place}: {reason['msg']}",
            where=str(path),
            hint="Make one with: python3 -m installer inventory",
        ) from None


def _probe() -> Inventory:
    from installer.inventory.probe import probe

    return probe()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SlipwayError(f"cannot be read: {error.strerror}", where=str(path)) from error


if __name__ == "__main__":
    sys.exit(main())
