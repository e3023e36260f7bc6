"""Rendered drawings made fit for a page: what a screen reader, a pointer and a dark screen need."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

_SVG = "http://www.w3.org/2000/svg"
_DESCRIBED = "points_marks"
_NOISE = ("aria-label", "aria-roledescription", "aria-hidden", "role")

ET.register_namespace("", _SVG)


def in_page(svg: str, alt: str, numbers: Sequence[int] = ()) -> str:
    """The drawing for the page: one picture to a screen reader, described by `alt`, scaled by the page.

    Args:
        svg: the drawing as rendered.
        alt: the drawing in words.
        numbers: the place of each drawn point among the report's points, by which the page's script knows it.
    """
    root = _tidied(svg)
    if numbers:
        for mark, number in zip(_marks(root), numbers, strict=True):
            mark.set("data-n", str(number))
    root.set("role", "img")
    root.set("aria-label", alt)
    root.set("class", "chart")
    root.attrib.pop("height")  # the page's style sheet keeps the width, and the view box the height
    return _text(root)


def standing_alone(svg: str, alt: str, paper: str, style: str) -> str:
    """The drawing as a file: on paper of its own, with title and with the style sheet for dark screens.

    Args:
        svg: the drawing as rendered.
        alt: the drawing in words.
        paper: colour of the background.
        style: CSS.
    """
    root = _tidied(svg)
    root.set("role", "img")
    sheet = ET.Element(f"{{{_SVG}}}style")
    sheet.text = style
    background = ET.Element(f"{{{_SVG}}}rect", {"width": "100%", "height": "100%", "fill": paper})
    title = ET.Element(f"{{{_SVG}}}title")
    title.text = alt
    for place, element in enumerate((title, sheet, background)):
        root.insert(place, element)
    return _text(root) + "\n"


def _tidied(svg: str) -> ET.Element:
    """Turns the description of each point into a title, which browsers show on pointing, and drops the rest.

    The renderer describes every mark by its data fields, lines and labels included; read aloud that is noise.
    """
    root = ET.fromstring(svg)  # noqa: S314 - the renderer wrote it; it has no document type and no entities
    for mark in _marks(root):
        ET.SubElement(mark, f"{{{_SVG}}}title").text = mark.get("aria-label", "")
    for element in root.iter():
        for attribute in _NOISE:
            element.attrib.pop(attribute, None)
        if "role-" in element.get("class", "") and _DESCRIBED not in element.get("class", ""):
            del element.attrib["class"]
    return root


def _marks(root: ET.Element) -> list[ET.Element]:
    groups = (group for group in root.iter(f"{{{_SVG}}}g") if _DESCRIBED in group.get("class", ""))
    return [mark for group in groups for mark in group]


def _text(root: ET.Element) -> str:
    return ET.tostring(root, encoding="unicode")
