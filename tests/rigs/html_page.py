"""HTML read as strictly as it should be written: what is opened is closed, in order. And what every page must be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
# Elements of HTML that hold text in a line: nothing that stands as a block may be in them.
_IN_LINE = frozenset(
    {"a", "abbr", "b", "bdi", "button", "code", "em", "label", "p", "q", "small", "span", "strong", "time"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4"})
_BLOCKS = _HEADINGS | frozenset(
    {"article", "div", "dl", "figure", "footer", "form", "header", "main", "nav", "ol", "p", "section", "table", "ul"}
)
_NAMED = frozenset({"button", "input", "select", "textarea"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    def all(self, tag: str | None = None, *, css_class: str | None = None) -> Iterator[Element]:
        """Below it, in order."""
        for child in self.children:
            if isinstance(child, Element):
                if tag in (None, child.tag) and (css_class is None or css_class in child.classes):
                    yield child
                yield from child.all(tag, css_class=css_class)

    @property
    def text(self) -> str:
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child._texts()


class HtmlPage(HTMLParser):
    """Raises AssertionError for what is not well-formed."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = source
        self.root = Element("", {})
        self._at = self.root
        assert source.startswith("<!doctype html>")
        self.feed(source)
        self.close()
        assert self._at is self.root, f"<{self._at.tag}> is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open(tag, attrs)
        if tag not in _VOID:
            self._at = self._last()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._at.tag == tag, f"</{tag}> closes <{self._at.tag}>, line {self.getpos()[0]}"
        assert self._at.parent is not None
        self._at = self._at.parent

    def handle_data(self, data: str) -> None:
        self._at.children.append(data)

    def all(self, tag: str | None = None, *, css_class: str | None = None) -> list[Element]:
        return list(self.root.all(tag, css_class=css_class))

    def _open(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> has an attribute twice"
        assert not (tag in _BLOCKS and self._at.tag in _IN_LINE | _HEADINGS), f"<{tag}> within <{self._at.tag}>"
        self._at.children.append(Element(tag, {name: value or "" for name, value in attrs}, self._at))

    def _last(self) -> Element:
        last = self._at.children[-1]
        assert isinstance(last, Element)
        return last


def require_page(page: HtmlPage) -> None:
    """What holds for every page: no script, nothing of somebody else's, and a way through it without eyes or mouse."""
    _require_silent(page)
    _require_landmarks(page)
    _require_named(page)
    _require_tables(page)
    _require_figures(page)


def _require_silent(page: HtmlPage) -> None:
    for element in page.all():
        assert element.tag not in ("script", "style", "iframe", "object", "embed"), element.tag
        for name, value in element.attributes.items():
            assert name != "style" and not name.startswith("on"), f"<{element.tag} {name}>"
            if name in ("href", "src", "action"):
                assert value.startswith(("/", "#")) and not value.startswith("//"), value


def _require_landmarks(page: HtmlPage) -> None:
    (html,) = page.all("html")
    assert html.attributes["lang"] == "en"
    (title,) = page.all("title")[:1]
    assert title.text
    assert len(page.all("main")) == len(page.all("h1")) == len(page.all("footer")) == 1
    assert page.all("a")[0].attributes["href"] == "#main"
    levels = [int(element.tag[1]) for element in page.all() if element.tag in _HEADINGS]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    navs = [nav.attributes.get("aria-label", "") for nav in page.all("nav")]
    assert all(navs) and len(set(navs)) == len(navs), navs


def _require_named(page: HtmlPage) -> None:
    ids = [element.attributes["id"] for element in page.all() if "id" in element.attributes]
    assert len(set(ids)) == len(ids), "an id twice"
    for element in page.all():
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert set(element.attributes.get(name, "").split()) <= set(ids), f"{name} names nothing"
        if element.tag == "a":
            assert element.text or element.attributes.get("aria-label"), "a link without words"
            href = element.attributes["href"]
            assert not href.startswith("#") or href[1:] in ids, f"{href} leads nowhere"
        if element.tag in _NAMED and element.attributes.get("type") != "hidden":
            labelled = {label.attributes.get("for") for label in page.all("label")}
            assert element.text or element.attributes.get("id") in labelled, f"<{element.tag}> without a name"
    for form in page.all("form"):
        hidden = {each.attributes.get("name") for each in form.all("input") if each.attributes.get("type") == "hidden"}
        assert form.attributes["method"] == "get" or "csrf" in hidden, "a form that changes something needs csrf"


def _require_tables(page: HtmlPage) -> None:
    for table in page.all("table"):
        (caption,) = table.all("caption")
        assert caption.text
        assert all(head.attributes.get("scope") in ("col", "row") for head in table.all("th"))
        for row in table.all("tr"):
            assert any(True for _ in row.all("th")), "a row without a head"
    for svg in page.all("svg"):
        if svg.attributes.get("role") == "img":
            assert any(title.text for title in svg.all("title")), "a picture without words"


def _require_figures(page: HtmlPage) -> None:
    """No number is shown bare: each has its range, or the reason why there is none, its unit and its period."""
    figures = page.all(css_class="figure")
    for figure in figures:
        for part in ("range", "unit", "period"):
            assert any(each.text for each in figure.all(css_class=part)), f"a figure without {part}: {figure.text}"
        values = list(figure.all(css_class="value"))
        assert len(values) + len(list(figure.all(css_class="not-shown"))) == 1, figure.text
    within = {id(each) for figure in figures for each in figure.all(css_class="value")}
    assert all(id(value) in within for value in page.all(css_class="value")), "a value that is no figure"
