"""What is sealed with the city's keys has a name for people on the page of keys."""

from console.app.modules import PAGE_PACKAGES
from console.halls.boxes import DirectiveBoxes
from console.modules.citizens import boxes as citizens
from console.modules.gateway.models import subscription
from console.modules.identity import factor
from console.modules.privacy import requests
from qingting.kernel.i18n import Catalogue


def test_every_kind_of_sealed_box_has_words() -> None:
    known = Catalogue.load("qingting.web.pages", *PAGE_PACKAGES)
    sealed = [*citizens.BOXES, *factor.BOXES, *requests.BOXES, DirectiveBoxes()]
    names = [one.name for one in sealed]
    names += [f"gate_subscription.{one.name}" for one in subscription.c if "secret" in one.name]
    assert len(names) > 10
    assert [name for name in names if not known.has(f"boxes.{name}")] == []
