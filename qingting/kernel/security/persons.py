"""Citizens (办事人) sealed and opened; what a hall and its city say to each other about them.

The city keeps its citizens under its own keys. What it tells a hall about a person is sealed with keys that are
derived for that hall (:func:`for_hall`), so that a hall's box opens in that hall and in the city only. The hall gets
these keys from the city, in a box that only it can open, with each connection; it keeps them in memory and puts every
person under its own keys and its own index as they arrive (:func:`taken_over`).
"""

import json

from qingting.contract.people import Person, mask_name, mask_number
from qingting.contract.states import CertificateKind
from qingting.kernel.security.lease_keys import BoxError, open_box, seal_for
from qingting.kernel.security.seal import Sealer, SealError, parse_keys

PERSON_CONTEXT = "person"
_HANDOVER = "keys of a hall"


def seal_person(sealer: Sealer, kind: CertificateKind, name: str, number: str) -> Person:
    """A citizen as logs and directives may know them: masked for people, sealed for the law."""
    clear = json.dumps({"name": name, "number": number}, ensure_ascii=False)
    return Person(
        kind=kind,
        masked_name=mask_name(name),
        masked_number=mask_number(number),
        sealed=sealer.seal(clear, context=PERSON_CONTEXT),
        index=sealer.blind_index(number),
    )


def open_person(sealer: Sealer, person: Person) -> tuple[str, str]:
    """Name and number in clear, for the law only; raises ``SealError``."""
    clear = json.loads(sealer.open(person.sealed, context=PERSON_CONTEXT))
    if not isinstance(clear, dict):
        raise SealError("not a person")
    return str(clear["name"]), str(clear["number"])


def for_hall(city: Sealer, hall: str) -> Sealer:
    """The sealer of what the city tells ``hall`` about people."""
    return city.narrowed(f"hall {hall}")


def hand_over(city: Sealer, hall: str, public: str) -> str:
    """The keys of :func:`for_hall` in a box for the holder of ``public`` (:func:`lease_keys.public_half`)."""
    lines = "\n".join(key.line for key in for_hall(city, hall).keys)
    return seal_for(public, lines, context=_HANDOVER)


def receive(secret: bytes, box: str) -> Sealer:
    """Inverse of :func:`hand_over` in the hall; raises ``SealError``."""
    try:
        return Sealer(parse_keys(open_box(secret, box, context=_HANDOVER)))
    except BoxError as error:
        raise SealError("damaged or for somebody else") from error


def taken_over(city: Sealer, own: Sealer, person: Person) -> Person:
    """A person of the city's as one of the hall's own, whom a card finds; raises ``SealError``."""
    name, number = open_person(city, person)
    return seal_person(own, person.kind, name, number)
