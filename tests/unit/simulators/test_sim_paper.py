"""A ticket's picture is a whole SVG, drawn only from what was printed."""

import base64
import io
import xml.etree.ElementTree as ET

from PIL import Image

from simulators.escpos import Command
from simulators.paper import render_svg
from simulators.strip import Edge, Strip, Ticket

SVG = "{http://www.w3.org/2000/svg}"


def ticket(*commands: Command, edge: Edge = Edge.FULL_CUT) -> Ticket:
    strip = Strip()
    for command in commands:
        strip.execute(command)
    strip.execute(Command("ESC J", b"\xff"))
    return strip.tear(edge)


def parsed(one: Ticket) -> ET.Element:
    return ET.fromstring(render_svg(one))


def test_each_glyph_stands_in_the_middle_of_its_cell() -> None:
    svg = parsed(ticket(Command("FS &"), Command("text", "号A&<".encode("gb18030")), Command("LF")))
    texts = [(node.text, node.get("x")) for node in svg.iter(f"{SVG}text")]
    assert texts == [("号", "12"), ("A&<", "30 42 54")]


def test_magnified_text_is_stretched_not_reset() -> None:
    svg = parsed(ticket(Command("GS !", b"\x21"), Command("text", b"A1"), Command("LF")))
    (text,) = svg.iter(f"{SVG}text")
    assert "scale(3 2)" in text.get("transform", "")
    assert text.get("x") == "6 18"


def test_a_bitmap_is_embedded_dot_for_dot() -> None:
    svg = parsed(ticket(Command("GS v", b"0\x00\x01\x00\x02\x00\x80\x01")))
    (image,) = svg.iter(f"{SVG}image")
    data = image.get("href", "").removeprefix("data:image/png;base64,")
    alpha = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA").getchannel("A")
    dots = [(x, y) for y in range(2) for x in range(8) if alpha.getpixel((x, y))]
    assert dots == [(0, 0), (7, 1)]


def test_white_on_black_has_a_black_ground() -> None:
    svg = parsed(ticket(Command("GS B", b"\x01"), Command("text", b"NO"), Command("LF")))
    (ground,) = svg.iter(f"{SVG}rect")
    assert (ground.get("width"), ground.get("height")) == ("24", "24")


def test_every_edge_draws_and_needs_nothing_from_outside() -> None:
    for edge in Edge:
        svg = render_svg(ticket(Command("text", b"x"), Command("LF"), edge=edge))
        ET.fromstring(svg)
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_an_empty_strip_of_paper_is_a_ticket_too() -> None:
    assert parsed(ticket()).get("aria-label") == ""
