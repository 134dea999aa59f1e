"""Builds both books with mdBook and puts together the site: pages, pictures, one style, one script, and the text that the search
looks through. The same sources give the same bytes.

The English book takes the reference pages from docs/ and deploy/ as they are. A link between them leads to its page; a link to
any other file of the repository becomes its path in the text, since the site does not hold it.
"""

import argparse
import html
import json
import pathlib
import posixpath
import re
import shutil
import subprocess
import tempfile
from html.parser import HTMLParser

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOOKS = ROOT / "docs/book"
LANGUAGES = ("zh", "en")
WORDS = {
    "zh": {"skip": "跳到正文", "search": "搜索，如 套牌、时钟", "none": "没有找到", "found": "共 {count} 处", "failed": "搜索无法加载",
           "chapters": "章节", "page": "进入系统", "language": "English", "hreflang": "en"},
    "en": {"skip": "Skip to content", "search": "Search, such as clock or mirror", "none": "Nothing found", "found": "{count} found",
           "failed": "The search cannot be loaded", "chapters": "Chapters", "page": "Open the page", "language": "中文", "hreflang": "zh-CN"},
}
# Pages that stand outside docs/, and their names among the reference pages.
OUTSIDE = {
    "deploy/README.md": "deploy.md",
    "deploy/RUNBOOK.md": "runbook.md",
    "deploy/monitoring/README.md": "monitoring.md",
    "deploy/compose/README.md": "compose.md",
    "sql/README.md": "sql.md",
}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
FENCE = re.compile(r"^\s*(```|~~~)")


def reference_pages() -> dict[str, str]:
    """Paths in the repository, and names among the reference pages."""
    own = {f"docs/{page.name}": page.name for page in sorted((ROOT / "docs").glob("*.md"))}
    return own | {path: name for path, name in OUTSIDE.items() if (ROOT / path).exists()}


def with_links(text: str, path: str, pages: dict[str, str]) -> str:
    """The text of a reference page, its links as they lead in the book. Blocks of code stay as they are."""

    def lead(match: re.Match) -> str:
        mark, words, target = match.groups()
        place, hash_, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:") or not place:
            return match.group(0)
        full = posixpath.normpath(posixpath.join(posixpath.dirname(path), place))
        if full in pages:
            return f"{mark}[{words}]({pages[full]}{hash_}{anchor})"
        if not (ROOT / full).exists():
            raise SystemExit(f"{path}: {target} leads nowhere")
        return words if full in words or posixpath.basename(full) in words else f"{words} (`{full}`)"

    lines, code = [], False
    for line in text.split("\n"):
        if FENCE.match(line):
            code = not code
        lines.append(line if code else LINK.sub(lead, line))
    return "\n".join(lines)


CONDITION = re.compile(r"<!-- if (\S+) -->\n(.*?)<!-- end -->\n", re.DOTALL)


def with_conditions(text: str) -> str:
    """A chapter without the parts about files that are not there."""
    return CONDITION.sub(lambda match: match[2] if (ROOT / match[1]).exists() else "", text)


def contents(pages: dict[str, str], folder: pathlib.Path) -> str:
    """The entries of the reference pages, by the titles that they have."""
    titles = {name: (folder / name).read_text().split("\n", 1)[0].lstrip("# ") for name in pages.values()}
    return "\n".join(f"  - [{title}](reference/{name})" for name, title in titles.items())


class Sections(HTMLParser):
    """The text of a page, divided at its headings."""

    HEADINGS = ("h1", "h2", "h3")
    BREAKS = ("p", "li", "td", "th", "tr", "pre", "div", "br", "blockquote")

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[dict] = []
        self.in_main = self.in_heading = False
        self.title = ""

    def handle_starttag(self, tag, attrs):
        if tag == "main":
            self.in_main = True
        elif self.in_main and tag in self.HEADINGS:
            self.in_heading = True
            self.sections.append({"id": dict(attrs).get("id") or "", "heading": "", "text": ""})
        elif self.in_main and tag == "p" and dict(attrs).get("class") == "turn":
            self.in_main = False
        elif tag in self.BREAKS:
            self.handle_data(" ")

    def handle_endtag(self, tag):
        if tag == "main":
            self.in_main = False
        elif tag in self.HEADINGS:
            self.in_heading = False

    def handle_data(self, data):
        if self.in_main and self.sections:
            self.sections[-1]["heading" if self.in_heading else "text"] += data

    def rows(self, url: str) -> list[list[str]]:
        """Address, title of the page, heading, text."""
        clean = lambda text: " ".join(text.split())
        title = clean(self.sections[0]["heading"]) if self.sections else url
        return [[f"{url}#{part['id']}" if number and part["id"] else url, title, clean(part["heading"]), clean(part["text"])]
                for number, part in enumerate(self.sections)]


def with_chapters(page: str, name: str) -> str:
    """The page with its list of chapters as links from where it is; mdBook means that list for a script, and for one place."""
    up = "../" * name.count("/")

    def chapters(match: re.Match) -> str:
        text = re.sub(r'<span class="chapter-link-wrapper">|</span>| class="chapter-item expanded "| class="(?:chapter|section)"', "", match[0])
        text = text.replace('<li><li class="part-title">', '<li class="part-title">').replace("</li></li>", "</li>")
        text = text.replace(f'<a href="{name}">', f'<a aria-current="page" href="{name}">')
        return text.replace(' href="', f' href="{up}')

    return re.sub(r"<nav .*?</nav>", chapters, page, flags=re.DOTALL)


def built(mdbook: str, scratch: pathlib.Path, language: str) -> pathlib.Path:
    """The folder of a book as mdBook makes it."""
    book, out = scratch / language, scratch / f"{language}-built"
    subprocess.run([mdbook, "build", str(book), "--dest-dir", str(out)], check=True, stdout=subprocess.DEVNULL)
    return out


def pages_of(folder: pathlib.Path) -> list[str]:
    """The pages of a book that are its chapters."""
    ours = lambda name: name not in ("404.html", "toc.html", "print.html")
    return sorted(name for name in (str(page.relative_to(folder)) for page in folder.rglob("*.html")) if ours(name))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mdbook", required=True)
    options.add_argument("--out", required=True, type=pathlib.Path)
    asked = options.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        for part in (*LANGUAGES, "theme"):
            shutil.copytree(BOOKS / part, scratch / part)
        pages = reference_pages()
        for path, name in pages.items():
            text = with_links((ROOT / path).read_text(), path, pages)
            (scratch / "en/src/reference").mkdir(exist_ok=True)
            (scratch / "en/src/reference" / name).write_text(text)

        for chapter in (path for language in LANGUAGES for path in (scratch / language / "src").rglob("*.md")):
            chapter.write_text(with_conditions(chapter.read_text()))
        summary = scratch / "en/src/SUMMARY.md"
        summary.write_text(summary.read_text().replace("<!-- reference -->", contents(pages, scratch / "en/src/reference")))

        books = {language: built(asked.mdbook, scratch, language) for language in LANGUAGES}
        names = {language: pages_of(books[language]) for language in LANGUAGES}
        site = scratch / "site"
        for language in LANGUAGES:
            other = next(one for one in LANGUAGES if one != language)
            index = []
            for name in names[language]:
                words = WORDS[language] | {"other": f"../{other}/{name if name in names[other] else 'index.html'}"}
                page = (books[language] / name).read_text()
                page = re.sub(r"@([a-z]+)@", lambda match: html.escape(words[match[1]]) if match[1] in words else match[0], page)
                page = with_chapters(page, name)
                target = site / language / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(page)
                sections = Sections()
                sections.feed(page)
                index += sections.rows(name)
            (site / language / "search.json").write_text(json.dumps(index, ensure_ascii=False, separators=(",", ":")))
            for picture in sorted((BOOKS / language / "src/images").glob("*")):
                (site / language / "images").mkdir(exist_ok=True)
                shutil.copyfile(picture, site / language / "images" / picture.name)
        for file in sorted((BOOKS / "site").iterdir()):
            shutil.copyfile(file, site / file.name)
        shutil.copyfile(ROOT / "web/public/favicon.svg", site / "favicon.svg")
        shutil.rmtree(asked.out, ignore_errors=True)
        shutil.copytree(site, asked.out)
    size = sum(file.stat().st_size for file in asked.out.rglob("*") if file.is_file())
    print(f"{asked.out}: {len(names['zh'])} Chinese and {len(names['en'])} English pages, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
