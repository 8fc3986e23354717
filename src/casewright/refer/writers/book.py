"""A workbook of text cells, as spreadsheet programs read it: SpreadsheetML (ECMA-376, part 1) in an Open Packaging zip
(part 2). No formulas, links, numbers or macros can come of it: every cell is an inline string.

Sheets are written column by column and go to the zip a block of rows at a time; no clock reaches them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

BLOCK = 4096
"""Rows whose cells are held as XML at once."""
LARGE = 4_000_000
"""From so many cells on a sheet's XML may pass the 2 GB that a plain zip entry holds."""
HEAD, CELL = 1, 2
"""The styles: bold and wrapped; wrapped, from the top."""
UNSAID = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What XML cannot hold, and what reads as the escape for it: `_xHHHH_` (22.9.2.19)."""
MARKS = ("&", "<", ">", "_x")
"""What must be escaped in any text that can be printed."""
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts><fills count="2"><fill><patternFill '
    'patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border>'
    '<left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" '
    'fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" '
    'borderId="0" xfId="0"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" '
    'applyFont="1" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf><xf numFmtId="49" fontId="0" '
    'fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top" '
    'wrapText="1"/></xf></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
"""Number format 49 is text: what somebody types over a cell stays text too."""

CORE = (
    f'<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    '<dc:title>{}</dc:title><dcterms:created xsi:type="dcterms:W3CDTF">2000-01-01T00:00:00Z</dcterms:created>'
    "</cp:coreProperties>"
)


@dataclass(frozen=True)
class Sheet:
    """One sheet: its heads, the width of each column in letters, and the columns, equally long. Empty text: no cell."""

    name: str
    heads: Sequence[str]
    widths: Sequence[int]
    columns: Sequence[Sequence[str]]


def write_book(path: Path, title: str, sheets: Sequence[Sheet]) -> None:
    """Write the workbook; the same sheets give the same bytes with the same zlib."""
    with ZipFile(path, "w") as archive:
        for name, text in _frame(title, sheets):
            archive.writestr(_entry(name), XML + text)
        for number, sheet in enumerate(sheets, 1):
            large = len(sheet.columns) * len(sheet.columns[0]) > LARGE if sheet.columns else False
            with archive.open(_entry(f"xl/worksheets/sheet{number}.xml"), "w", force_zip64=large) as sink:
                for piece in _sheet(sheet, first=number == 1):
                    sink.write(piece.encode("utf-8", "backslashreplace"))


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name)  # of 1980: a zip knows no earlier time
    entry.compress_type, entry.create_system = ZIP_DEFLATED, 0
    return entry


def _frame(title: str, sheets: Sequence[Sheet]) -> Iterator[tuple[str, str]]:
    """The parts beside the sheets, which say what there is and how it looks."""
    numbers = range(1, len(sheets) + 1)
    kinds = [("/xl/workbook.xml", f"{OFFICE}.sheet.main+xml"), ("/xl/styles.xml", f"{OFFICE}.styles+xml"),
             ("/docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"),
             *((f"/xl/worksheets/sheet{n}.xml", f"{OFFICE}.worksheet+xml") for n in numbers)]  # fmt: skip
    yield "[Content_Types].xml", _types(kinds)
    yield "_rels/.rels", _relations([
        (f"{DOCUMENT}/officeDocument", "xl/workbook.xml"),
        (f"{PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
    ])  # fmt: skip
    yield "docProps/core.xml", CORE.format(escaped(title))
    yield "xl/workbook.xml", _workbook(sheets)
    listed = [(f"{DOCUMENT}/worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    yield "xl/_rels/workbook.xml.rels", _relations([*listed, (f"{DOCUMENT}/styles", "styles.xml")])
    yield "xl/styles.xml", STYLES


def _types(parts: Sequence[tuple[str, str]]) -> str:
    told = "".join(f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in parts)
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="{rels}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{told}</Types>'
    )


def _workbook(sheets: Sequence[Sheet]) -> str:
    """The sheets in order; the row of heads is printed on every page."""
    listed = "".join(f'<sheet name="{_quoted(s.name)}" sheetId="{n}" r:id="rId{n}"/>' for n, s in enumerate(sheets, 1))
    titles = "".join(
        f'<definedName name="_xlnm.Print_Titles" localSheetId="{n}">\'{_quoted(s.name)}\'!$1:$1</definedName>'
        for n, s in enumerate(sheets)
    )
    names = f"<definedNames>{titles}</definedNames>" if titles else ""
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><bookViews><workbookView/></bookViews>'
        f"<sheets>{listed}</sheets>{names}</workbook>"
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(f'<Relationship Id="rId{n}" Type="{kind}" Target="{target}"/>'
                     for n, (kind, target) in enumerate(targets, 1))  # fmt: skip
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def _sheet(sheet: Sheet, first: bool) -> Iterator[str]:
    """The sheet's XML, piece by piece: heads that stay in sight, widths, rows, and how it is printed."""
    widths = "".join(f'<col min="{n}" max="{n}" width="{width}" style="{CELL}" customWidth="1"/>'
                     for n, width in enumerate(sheet.widths, 1))  # fmt: skip
    selected = ' tabSelected="1"' if first else ""
    yield (
        f'{XML}<worksheet xmlns="{MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView'
        f'{selected} workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f'</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>{widths}</cols><sheetData>'
    )
    letters = [column_name(x) for x in range(len(sheet.heads))]
    yield from _rows(letters, [[head] for head in sheet.heads], 1, HEAD)
    count = len(sheet.columns[0]) if sheet.columns else 0
    for start in range(0, count, BLOCK):
        yield from _rows(letters, [column[start : start + BLOCK] for column in sheet.columns], start + 2, CELL)
    yield (
        '</sheetData><pageMargins left="0.5" right="0.5" top="0.6" bottom="0.6" header="0.3" footer="0.3"/><pageSetup '
        'paperSize="9" orientation="landscape" fitToHeight="0"/><headerFooter><oddFooter>&amp;L&amp;A&amp;R&amp;P / '
        "&amp;N</oddFooter></headerFooter></worksheet>"
    )


def _rows(letters: Sequence[str], columns: Sequence[Sequence[str]], start: int, style: int) -> Iterator[str]:
    """Some rows as XML; `start` is the number of the first."""
    cells = [_cells(letter, column, start, style) for letter, column in zip(letters, columns, strict=True)]
    rows = map("".join, zip(*cells, strict=True))
    yield "".join(f'<row r="{y}">{row}</row>' for y, row in enumerate(rows, start))


def _cells(letter: str, column: Sequence[str], start: int, style: int) -> Iterator[str]:
    """One column's cells. What no text of a column needs is not looked for in each."""
    whole = "".join(column)
    plain = whole.isprintable() and not any(mark in whole for mark in MARKS)
    texts = column if plain else map(escaped, column)
    shape = f'<c r="{letter}{{}}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{{}}</t></is></c>'.format
    return (shape(y, text) if text else "" for y, text in enumerate(texts, start))


def escaped(text: str) -> str:
    """Text as it stands between tags; what XML cannot hold as `_xHHHH_`, which spreadsheet programs turn back."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return UNSAID.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def _quoted(text: str) -> str:
    return escaped(text).replace('"', "&quot;")


def column_name(x: int) -> str:
    """A, B, ..., Z, AA, ...: the column at place `x`, from 0."""
    name, x = "", x + 1
    while x:
        x, rest = divmod(x - 1, 26)
        name = chr(65 + rest) + name
    return name
