"""Service items as hypothesis makes them."""

from hypothesis import strategies as st

from console.modules.calendar.api import TimeLimit, Unit
from console.modules.catalogue.domain import HANDLINGS, KINDS, Audience, Channel, ItemBody

CODE = "11230600MB0A00001N3000117051000"
WORDS = st.text(
    st.characters(
        codec="gb18030", exclude_categories=("Cs", "Cc", "Zs"), exclude_characters="；;'"
    ),
    min_size=1,
    max_size=8,
)
LISTS = st.lists(WORDS, max_size=3, unique=True).map(tuple)
LIMITS = st.none() | st.builds(TimeLimit, st.integers(0, 3000), st.sampled_from(Unit))
BODIES = st.builds(
    ItemBody,
    name=WORDS,
    name_en=WORDS,
    kind=st.sampled_from(KINDS),
    level=st.just(3),
    division=st.sampled_from(["", "230600", "230602013"]),
    department=WORDS,
    audience=st.sampled_from(Audience),
    handling=st.sampled_from(HANDLINGS),
    themes=LISTS,
    basis=WORDS,
    materials=LISTS,
    process=LISTS,
    legal=LIMITS,
    promised=st.none(),
    charge=WORDS,
    channels=st.lists(st.sampled_from(Channel), min_size=1, unique=True).map(tuple),
    halls=LISTS,
    withdrawn=st.booleans(),
)
GOOD = ItemBody(name="社保卡补办", department="人社局", division="230600")
