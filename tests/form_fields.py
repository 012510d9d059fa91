"""What a browser without scripts would send of a page's form: the fields as they stand."""

from html.parser import HTMLParser


class _Form(HTMLParser):
    """Fields of the form whose action is wanted."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.inside = action, False
        self.fields: dict[str, str] = {}
        self.entries: list[tuple[str, str]] = []
        self.select = ""
        self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name, value = values.get("name") or "", values.get("value") or ""
        if tag == "form":
            self.inside = values.get("action") == self.action
        elif not self.inside:
            return
        elif tag == "select":
            self.select = name
        elif tag == "textarea":
            self.area = name
            self.fields[name] = ""
        elif tag == "option":
            if self.select not in self.fields or "selected" in values:
                self.fields[self.select] = value
        elif tag == "input" and name:
            box = values.get("type") in ("checkbox", "radio")
            if not box or "checked" in values:
                self.fields[name] = value
                self.entries.append((name, value))

    def handle_data(self, data: str) -> None:
        """A browser drops the first line break of a text of several lines."""
        if self.area:
            first = not self.fields[self.area]
            self.fields[self.area] += data.removeprefix("\n") if first else data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = ""
        if tag == "form":
            self.inside = False


def form_entries(page: str, action: str) -> list[tuple[str, str]]:
    """All that a browser would send, with names that stand several times; the CSRF field is there."""
    form = _Form(action)
    form.feed(page)
    assert form.entries, f"no form for {action}"
    inputs = {name for name, _ in form.entries}
    return [
        *form.entries,
        *((name, one) for name, one in form.fields.items() if name not in inputs),
    ]


def form_fields(page: str, action: str) -> dict[str, str]:
    """Field names and values; the CSRF field is left out."""
    form = _Form(action)
    form.feed(page)
    form.fields.pop("csrf", None)
    assert form.fields, f"no form for {action}"
    return form.fields


class _Faults(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.described: dict[str, set[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            assert given["id"] not in self.ids, f"id {given['id']} stands twice"
            self.ids.add(given["id"])
        if given.get("aria-invalid") == "true":
            self.described[given["name"]] = set(given.get("aria-describedby", "").split())


def invalid_inputs(page: str) -> set[str]:
    """Names of the inputs that a page marks as faulty; each is described by what the page holds."""
    found = _Faults()
    found.feed(page)
    for name, ids in found.described.items():
        assert "problem" in ids, f"{name} says not where the problem is told"
        assert ids <= found.ids, f"{name} is described by nothing on the page"
    return set(found.described)
