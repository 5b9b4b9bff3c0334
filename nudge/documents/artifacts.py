"""What is printed in the margin of a page, such as its number, marked as no part of the letter's text.

WeasyPrint 70 numbers it like text and then names it in no tag, so that a screen reader meets words that lead nowhere.
"""

from __future__ import annotations

from typing import Any

import pydyf


def set_aside_margins(pdf: Any) -> None:
    """Turn every run of content that the tree of tags does not reach into an artifact, in an unfinished PDF."""
    objects = {f"{item.number} {item.generation} R".encode(): item for item in pdf.objects}
    root = objects[_reference(pdf.catalog["StructTreeRoot"])]
    reached = _below(root, objects)
    numbers = objects[_reference(root["ParentTree"])]["Nums"]
    for page, of_page in zip(numbers[::2], numbers[1::2], strict=True):
        if not isinstance(of_page, pydyf.Array):  # an annotation's own element
            continue
        stray = {run for run, element in enumerate(of_page) if _reference(element) not in reached}
        if stray:
            leaf = objects[_reference(pdf.page_references[page])]
            _rewrite(objects[_reference(leaf["Contents"])].stream, stray)
            for run in stray:
                of_page[run] = "null"


def _below(root: Any, objects: dict[bytes, Any]) -> set[bytes]:
    """The references of all elements that hang on the root."""
    reached: set[bytes] = set()
    waiting = [root]
    while waiting:
        element = waiting.pop()
        for child in element.get("K", ()) if isinstance(element.get("K"), (list, tuple)) else ():
            reference = _reference(child)
            if reference in objects and reference not in reached:
                reached.add(reference)
                waiting.append(objects[reference])
    return reached


def _rewrite(stream: list[Any], stray: set[int]) -> None:
    for at, item in enumerate(stream):
        if isinstance(item, pydyf.Dictionary) and item.get("MCID") in stray:
            stream[at - 1] = "/Artifact"
            stream[at] = pydyf.Dictionary({"Type": "/Pagination"})


def _reference(item: Any) -> bytes:
    return item if isinstance(item, bytes) else str(item).encode()
