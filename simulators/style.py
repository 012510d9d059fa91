"""The print settings that ESC/POS commands change and ESC @ resets."""

from collections.abc import Callable
from dataclasses import dataclass

DEFAULT_LINE_DOTS = 30


@dataclass(slots=True)
class Style:
    """How the next characters are printed. Sizes are magnifications of the printer's base font.

    Latin letters follow GS ! and ESC !, Chinese ones FS ! and FS W, as in most Chinese modules: who
    wants both alike has to say both.
    """

    chinese: bool = False
    code_page: int = 0
    font: int = 0
    sx: int = 1
    sy: int = 1
    chinese_sx: int = 1
    chinese_sy: int = 1
    chinese_underline: bool = False
    bold: bool = False
    underline: bool = False
    inverse: bool = False
    align: int = 0
    line_dots: int = DEFAULT_LINE_DOTS
    margin: int = 0
    area: int | None = None
    qr_dots: int = 3
    qr_level: int = 0x30

    def apply(self, name: str, args: bytes) -> bool:
        """Carries out a setting; False when ``name`` is none."""
        setter = _SETTERS.get(name)
        if setter is None:
            return False
        setter(self, args)
        return True

    def latin_size(self, args: bytes) -> None:
        """GS ! n: high half width, low half height, 0 = once."""
        self.sx, self.sy = (args[0] >> 4 & 7) + 1, (args[0] & 7) + 1

    def latin_mode(self, args: bytes) -> None:
        """ESC ! n: font, bold, double height and width, underline in one byte."""
        n = args[0]
        self.font, self.bold, self.underline = n & 1, bool(n & 0x08), bool(n & 0x80)
        self.sx, self.sy = 2 if n & 0x20 else 1, 2 if n & 0x10 else 1

    def chinese_mode(self, args: bytes) -> None:
        """FS ! n: double width and height, underline."""
        n = args[0]
        self.chinese_sx, self.chinese_sy = 2 if n & 0x04 else 1, 2 if n & 0x08 else 1
        self.chinese_underline = bool(n & 0x80)

    def chinese_quadruple(self, args: bytes) -> None:
        """FS W n."""
        self.chinese_sx = self.chinese_sy = 2 if args[0] & 1 else 1


def _flag(name: str, mask: int = 1) -> Callable[[Style, bytes], None]:
    return lambda style, args: setattr(style, name, bool(args[0] & mask))


def _number(name: str) -> Callable[[Style, bytes], None]:
    return lambda style, args: setattr(style, name, int.from_bytes(args, "little"))


def _value(name: str, value: int | bool) -> Callable[[Style, bytes], None]:
    return lambda style, _args: setattr(style, name, value)


_SETTERS: dict[str, Callable[[Style, bytes], None]] = {
    "FS &": _value("chinese", value=True),
    "FS .": _value("chinese", value=False),
    "FS !": Style.chinese_mode,
    "FS W": Style.chinese_quadruple,
    "FS -": _flag("chinese_underline", 0x0F),
    "GS !": Style.latin_size,
    "ESC !": Style.latin_mode,
    "ESC E": _flag("bold"),
    "ESC G": _flag("bold"),
    "ESC -": _flag("underline", 0x0F),
    "GS B": _flag("inverse"),
    "ESC M": lambda style, args: setattr(style, "font", args[0] & 1),
    "ESC a": lambda style, args: setattr(style, "align", args[0] & 3),
    "ESC t": _number("code_page"),
    "ESC 3": _number("line_dots"),
    "ESC 2": _value("line_dots", DEFAULT_LINE_DOTS),
    "GS L": _number("margin"),
    "GS W": _number("area"),
}
