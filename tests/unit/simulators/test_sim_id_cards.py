"""Card records have each field where the standard puts it."""

from datetime import date

import pytest

from simulators.id_cards import (
    DEMO_CARDS,
    PHOTO_BYTES,
    RECORD_BYTES,
    Card,
    CardKind,
    check_digit,
    extra_address,
    photo,
    text_record,
)


def field(card: str, offset: int, length: int) -> str:
    return text_record(DEMO_CARDS[card])[offset : offset + length].decode("utf-16-le").rstrip()


@pytest.mark.parametrize("card", DEMO_CARDS.values(), ids=DEMO_CARDS.keys())
def test_every_demo_card_fits_its_record(card: Card) -> None:
    record = text_record(card)
    assert len(record) == RECORD_BYTES
    assert record[248:250] == card.kind.value.encode("utf-16-le")
    assert len(photo(card)) == PHOTO_BYTES
    date(int(card.birth[:4]), int(card.birth[4:6]), int(card.birth[6:]))


@pytest.mark.parametrize("card", DEMO_CARDS.values(), ids=DEMO_CARDS.keys())
def test_numbers_agree_with_birth_sex_and_check_digit(card: Card) -> None:
    if card.kind is CardKind.FOREIGNER_2017:
        assert len(card.number) == 15
        return
    assert card.number[6:14] == card.birth
    assert (check_digit(card.number[:17]) == card.number[17]) == (card.id != "bad_check_digit")
    assert ("1" if int(card.number[16]) % 2 else "2") == card.sex


def test_the_check_digit_matches_known_numbers() -> None:
    known = ("230602199001011238", "230624198506150026", "230604195212311016")
    assert [check_digit(number[:17]) for number in known] == [number[17] for number in known]


def test_a_resident_card() -> None:
    assert field("citizen", 0, 30) == "张示例"
    assert (field("citizen", 30, 2), field("woman", 30, 2)) == ("1", "2")
    assert field("woman", 32, 4) == "02"
    assert field("citizen", 36, 16) == "19900101"
    assert field("citizen", 52, 70).startswith("黑龙江省大庆市")
    assert field("citizen", 122, 36) == "230602199001011238"
    assert (field("elder", 188, 16), field("elder", 204, 16)) == ("20060301", "长期")


def test_a_residence_permit() -> None:
    assert field("residence_permit", 122, 6) == "810"
    assert field("residence_permit", 220, 18) == "H00000000"
    assert field("residence_permit", 238, 4) == "01"


def test_a_foreigners_card_of_2017() -> None:
    assert field("foreigner_2017", 0, 120) == "SAMPLE, PERSON INVENTED"
    assert field("foreigner_2017", 122, 30) == "CAN230081042301"
    assert field("foreigner_2017", 152, 6) == "CAN"
    assert field("foreigner_2017", 158, 30) == "样本先生"
    assert field("foreigner_2017", 220, 16) == "19810423"
    assert field("foreigner_2017", 248, 2) == "I"


def test_a_foreigners_card_of_2023_spreads_a_long_name_over_two_fields() -> None:
    name = field("foreigner_2023", 52, 70) + field("foreigner_2023", 220, 22)
    assert "INVENTED, DEMONSTRATION PERSON OF NO COUNTRY".startswith(
        field("foreigner_2023", 52, 70)
    )
    assert name.replace(" ", "") == "INVENTED,DEMONSTRATIONPERSONOFNOCOUNTRY"
    assert field("foreigner_2023", 122, 2) == "9"
    assert field("foreigner_2023", 242, 6) == "FRA"


def test_a_rare_character_keeps_its_surrogate_pair() -> None:
    assert field("rare_name", 0, 30) == "刘𬭎样"


def test_a_text_too_long_for_its_field_is_refused() -> None:
    card = Card(id="x", title="", title_en="", name="很长的名字" * 4, birth="19900101", number="1")
    with pytest.raises(ValueError, match="field at 0"):
        text_record(card)


def test_the_appended_address_is_70_bytes_or_nothing() -> None:
    assert len(extra_address(DEMO_CARDS["woman"])) == 70
    assert extra_address(DEMO_CARDS["citizen"]) == b""
