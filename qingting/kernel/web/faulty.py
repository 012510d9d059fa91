"""Inputs at fault: which they are, and the attributes by which a page tells people who cannot see it."""

import html
import re
from collections.abc import Iterator

from markupsafe import Markup

from qingting.contract.errors import Refusal

NOTICE = "problem"
"""Id of the banner that says what is wrong; every page with a problem has it."""
_OF_CODE = {
    "login.wrong": ("number", "name", "password", "old", "present"),
    "login.password_weak": ("new",),
    "login.password_used": ("new",),
    "login.password_mismatch": ("new", "again"),
    "factor.wrong": ("passcode",),
    "factor.first_wrong": ("passcode",),
    "network.wrong": ("network",),
    "network.exists": ("network",),
    "network.yourself": ("network",),
    "staff.wrong_password": ("number", "password"),
    "window.unknown": ("window",),
    "account.name": ("name",),
    "account.exists": ("name",),
    "account.staff_taken": ("staff",),
    "organisation.no_staff": ("staff",),
    "division.code": ("code",),
    "division.parent": ("code",),
    "division.exists": ("code",),
    "division.name": ("name",),
    "division.unknown": ("division",),
    "organisation.staff_number": ("number",),
    "organisation.staff_exists": ("number",),
    "organisation.staff_name": ("name",),
    "department.id": ("id",),
    "department.exists": ("id",),
    "department.parent": ("parent",),
    "department.name": ("name",),
    "department.unknown": ("department",),
    "department.uscc": ("uscc",),
    "department.uscc_check": ("uscc",),
    "catalogue.exists": ("code",),
    "role.id": ("id",),
    "role.exists": ("id",),
    "role.name": ("name",),
    "role.empty": ("functions",),
    "role.unknown": ("role",),
    "reach.unknown": ("reach",),
    "backup.not_typed": ("typed",),
    "citizen.name": ("name",),
    "appointments.nobody": ("number",),
    "citizen.number": ("number",),
    "citizen.phone": ("phone",),
    "request.phone": ("phone",),
    "citizen.no_consent": ("agree",),
    "citizen.not_sure": ("sure",),
    "hall_backup.not_sure": ("sure",),
    "integrator.id": ("id",),
    "integrator.exists": ("id",),
    "integrator.name": ("name",),
    "integrator.scopes": ("scopes",),
    "integrator.networks": ("networks",),
    "integrator.quota": ("per_minute", "per_day"),
    "integrator.not_yours": ("reach", "scopes"),
}
_STEP = re.compile(r"([^.\[\]]+)(?:\[(\d+)\])?")


class FormRefusal(Refusal):
    """``form.invalid`` that knows the names of its inputs."""

    def __init__(self, field: str, inputs: frozenset[str]) -> None:
        super().__init__("form.invalid", field=field)
        self.inputs = inputs


def inputs_at(path: str) -> frozenset[str]:
    """Names that the input of a path may have: ``queues[2].caps[0].tickets`` is ``queue-2-caps``.

    Lists of a form bear the name of the list in the record, or its singular.
    """
    steps = _STEP.findall(path)
    for at, (name, number) in enumerate(steps):
        if number and at + 1 < len(steps):
            return frozenset(f"{one}-{number}-{steps[at + 1][0]}" for one in _called(name))
    return frozenset(name for name, _ in steps[-1:])


def _called(name: str) -> Iterator[str]:
    yield name
    for end in ("s", "es"):
        if name.endswith(end):
            yield name.removesuffix(end)


def faulty_inputs(problem: object) -> frozenset[str]:
    """Names of the inputs that a problem is about; none where it is about none."""
    if isinstance(problem, FormRefusal):
        return problem.inputs
    if not isinstance(problem, Refusal):
        return frozenset()
    if problem.code == "form.invalid":
        return inputs_at(str(problem.params.get("field", "")))
    return frozenset(_OF_CODE.get(problem.code, ()))


def in_words(problem: object, faulty: frozenset[str], page: str) -> Refusal | None:
    """``form.invalid`` with what ``page`` calls its input instead of the input's name, so that a person knows which one
    is meant. None for every other problem, and where the page has no label for the input."""
    if not isinstance(problem, Refusal) or problem.code != "form.invalid":
        return None
    for name in sorted(faulty):
        label = re.search(rf'<label for="f-{re.escape(name)}">([^<]+)</label>', page)
        if label is not None:
            return FormRefusal(html.unescape(label[1]).strip(), faulty)
    return None


def attributes(name: str, hint: str, faulty: frozenset[str]) -> Markup:
    """``aria-invalid`` and what describes an input: the notice where it is at fault, and its hint's id."""
    wrong = name in faulty
    ids = " ".join(filter(None, (NOTICE if wrong else "", hint)))
    invalid = Markup(' aria-invalid="true"') if wrong else Markup("")
    return invalid + (Markup(' aria-describedby="{}"').format(ids) if ids else Markup(""))
