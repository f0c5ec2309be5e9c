"""A QR code as lines of characters. Pure."""

from __future__ import annotations

import qrcode

# Blanks around the code that readers need (ISO 18004), in modules.
BORDER = 2


def qr_lines(text: str, *, ascii: bool) -> list[str]:
    """The code of this text, dark on light, light being what is printed.

    With half blocks a character is two modules high; in ASCII a module is two characters wide.
    """
    if not text:
        return []
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, border=BORDER)
    code.add_data(text)
    rows: list[list[bool]] = code.get_matrix()
    if ascii:
        return ["".join("  " if dark else "##" for dark in row) for row in rows]
    blocks = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    light = [False] * len(rows)
    pairs = zip(rows[::2], [*rows[1::2], light], strict=False)
    return ["".join(blocks[pair] for pair in zip(*both, strict=True)) for both in pairs]
