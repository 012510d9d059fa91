"""Forms with a list of rows: ``row-<n>-<field>`` in, rows moved, added and dropped without a script."""

from collections.abc import Mapping

from qingting.contract.errors import Refusal

Values = dict[str, str]
"""The fields of one row as typed."""
MAX_ROWS = 80


def read_rows(data: Mapping[str, object], name: str = "row", most: int = MAX_ROWS) -> list[Values]:
    """Rows in the order of their numbers. Raises ``form.invalid`` for a number that is none."""
    rows: dict[int, Values] = {}
    for key, value in data.items():
        prefix, _, rest = key.partition("-")
        if prefix != name or not isinstance(value, str):
            continue
        number, _, field = rest.partition("-")
        if not number.isdecimal() or int(number) >= most or not field:
            raise Refusal("form.invalid", field=key[:40])
        rows.setdefault(int(number), {})[field] = value.strip()
    return [rows[number] for number in sorted(rows)]


def changed(
    rows: list[Values], action: str, fresh: Mapping[str, Values], most: int = MAX_ROWS
) -> list[Values]:
    """Rows after a button of the list: ``up:3``, ``down:3``, ``drop:3`` or ``add:<kind>``.

    An action that does not fit the rows changes nothing.
    """
    verb, _, what = action.partition(":")
    if verb == "add" and what in fresh and len(rows) < most:
        return [*rows, dict(fresh[what])]
    if not what.isdecimal() or int(what) >= len(rows):
        return rows
    at = int(what)
    if verb == "drop":
        return rows[:at] + rows[at + 1 :]
    other = {"up": at - 1, "down": at + 1}.get(verb, -1)
    if not 0 <= other < len(rows):
        return rows
    moved = list(rows)
    moved[at], moved[other] = moved[other], moved[at]
    return moved
