"""Spans of time as people write them: 30m, 2h, 7d."""

from __future__ import annotations

import argparse
import datetime
import re

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LONGEST = datetime.timedelta(days=365)


def duration(text: str) -> datetime.timedelta:
    """Minutes, hours or days, at most a year. Raises ArgumentTypeError, for command lines."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text)
    span = datetime.timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
    if span is None or span > LONGEST:
        raise argparse.ArgumentTypeError(f'"{text}" is not a time such as 30m, 2h or 7d')
    return span
