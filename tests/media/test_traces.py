"""What files tell of their source is what real programs wrote into them; damage ends in a reason."""

import io
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational

from casewright.media.stages import STAGES
from casewright.media.tracing import read_traces
from tests.kernels.test_pdq import scene
from tests.media.films import film
from tests.media.test_media import encoded
from tests.world import context, digests_of, rows_of

needs_exiftool = pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not installed")
needs_mkvmerge = pytest.mark.skipif(not shutil.which("mkvmerge"), reason="mkvmerge is not installed")


def told(raw: bytes) -> dict[str, list[str]]:
    found, odd = read_traces(io.BytesIO(raw))
    assert odd is None
    values = defaultdict(list)
    for trace in found:
        values[trace.kind].append(trace.value)
    return values


def tagged(path: Path, raw: bytes, *tags: str) -> bytes:
    """The file with tags that exiftool wrote."""
    path.write_bytes(raw)
    subprocess.run(["exiftool", "-q", "-overwrite_original", *tags, str(path)], check=True, timeout=60)
    return path.read_bytes()


@needs_exiftool
@pytest.mark.parametrize(("form", "suffix"), [("JPEG", "jpg"), ("PNG", "png"), ("TIFF", "tif"), ("WEBP", "webp")])
def test_camera_serials_program_and_place_are_read_as_exiftool_wrote_them(
    form: str, suffix: str, tmp_path: Path
) -> None:
    raw = tagged(
        tmp_path / f"a.{suffix}", encoded(scene(), form), "-EXIF:Make=Maker", "-EXIF:Model=Model 3",
        "-EXIF:SerialNumber=00123-A", "-EXIF:LensSerialNumber=L77", "-EXIF:Software=Firmware 1.2",
        "-EXIF:GPSLatitude=52.0875", "-EXIF:GPSLatitudeRef=N", "-EXIF:GPSLongitude=4.305", "-EXIF:GPSLongitudeRef=E",
    )  # fmt: skip
    values = told(raw)
    assert {k: values[k] for k in ("camera", "serial", "lens serial", "encoder", "position")} == {
        "camera": ["Maker Model 3"], "serial": ["00123-A"], "lens serial": ["L77"], "encoder": ["Firmware 1.2"],
        "position": ["52 5 15 N, 4 18 18 E"],
    }  # fmt: skip


def test_a_place_without_numbers_is_none() -> None:
    """Cameras that found no satellite write 0/0."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (IFDRational(0, 0),) * 3, 3: "E", 4: (IFDRational(0, 0),) * 3})
    assert "position" not in told(encoded(scene(), exif=exif))


@needs_exiftool
def test_serials_in_xmp_are_read_where_exif_has_none(tmp_path: Path) -> None:
    tags = ("-XMP-aux:SerialNumber=778899", "-XMP-aux:LensSerialNumber=55", "-XMP:CreatorTool=Darkroom 4")
    for form, suffix in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")):
        values = told(tagged(tmp_path / f"a.{suffix}", encoded(scene(), form), *tags))
        assert (values["serial"], values["lens serial"], values["encoder"]) == (["778899"], ["55"], ["Darkroom 4"])


@pytest.mark.parametrize("quality", [5, 30, 50, 75, 92, 100])
@pytest.mark.parametrize("colours", ["RGB", "L"])
def test_tables_of_every_program_are_named_by_their_quality(quality: int, colours: str) -> None:
    (value,) = told(encoded(scene().convert(colours), quality=quality))["quantisation"]
    assert value.startswith(f"standard {quality}; ")
    assert value.endswith("; baseline; standard Huffman tables")


def test_tables_of_a_program_of_its_own_differ_from_the_standard_and_are_the_same_for_all_its_pictures() -> None:
    def tables(seed: int, **options: Any) -> str:
        return told(encoded(scene(200, 200 + seed), **options))["quantisation"][0]

    own = tables(1, qtables="web_high", subsampling="4:2:2", progressive=True)
    assert own.startswith("tables ")
    assert "; 2x1 1x1 1x1; progressive; own Huffman tables" in own
    assert own == tables(9, qtables="web_high", subsampling="4:2:2", progressive=True)
    assert own != tables(1, qtables="web_medium", subsampling="4:2:2", progressive=True)


def test_a_jpeg_says_how_it_is_laid_out_and_what_its_comment_says() -> None:
    values = told(encoded(scene(), comment=b"CREATOR: a converter, quality = 82", exif=Image.Exif(), icc_profile=b"x"))
    assert values["encoder"] == ["CREATOR: a converter, quality = 82"]
    (container,) = values["container"]
    assert container.startswith("SOI APP0(JFIF) ")
    assert container.endswith(" COM DQT×2 SOF0 DHT×4 SOS")


def test_png_gives_the_order_of_its_chunks_and_its_program() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "Painter 9")
    info.add_itxt("Comment", "none")
    values = told(encoded(scene(), "PNG", pnginfo=info, dpi=(72, 72)))
    assert values == {"encoder": ["Painter 9"], "container": ["IHDR tEXt iTXt pHYs IDAT IEND"]}


def x264(form: str, **tags: str) -> bytes:
    """A short film, coded by x264."""
    sink = io.BytesIO()
    with av.open(sink, "w", format=form) as container:
        container.metadata.update(tags)
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            picture = np.asarray(scene(64, 48).resize((64, 48)))
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return sink.getvalue()


def test_films_name_their_boxes_their_muxer_and_their_encoder() -> None:
    values = told(x264("mp4"))
    (container,) = values["container"]
    assert container.startswith("ftyp(isom ")
    assert "moov(mvhd trak(tkhd edts(elst) mdia(mdhd hdlr(vide) minf(vmhd dinf(dref) stbl(stsd(avc1) " in container
    said = " | ".join(values["encoder"])
    assert "x264 - core" in said
    assert "Lavf" in said
    assert "VideoHandler" in values["encoder"]


def test_mov_tells_camera_and_place() -> None:
    values = told(x264("mov", make="Maker", model="Model 3", location="+52.0875+004.3050/"))
    assert (values["camera"], values["position"]) == (["Maker Model 3"], ["+52.0875+004.3050/"])


@pytest.mark.parametrize("form", ["matroska", "webm"])
def test_matroska_names_its_elements_and_programs(form: str) -> None:
    raw = x264("matroska") if form == "matroska" else film_as("webm", "libvpx")
    values = told(raw)
    assert values["container"][0].startswith("EBML ")
    assert form in values["container"][0]
    assert values["container"][0].endswith("Cluster")
    assert any(v.startswith("Lavf") for v in values["encoder"])


def film_as(form: str, codec: str) -> bytes:
    sink = io.BytesIO()
    with av.open(sink, "w", format=form) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for packet in stream.encode(av.VideoFrame(64, 48, "yuv420p")):
            container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return sink.getvalue()


@needs_mkvmerge
def test_mkvmerge_is_known_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(x264("mp4"))
    subprocess.run(["mkvmerge", "-q", "-o", "b.mkv", "a.mp4"], cwd=tmp_path, check=True, timeout=60)
    values = told((tmp_path / "b.mkv").read_bytes())
    assert any(v.startswith("mkvmerge v") for v in values["encoder"])
    assert any(v.startswith("libebml v") for v in values["encoder"])
    assert any(v.startswith("x264 - core") for v in values["encoder"])


def test_avi_names_its_chunks() -> None:
    values = told(film_as("avi", "mpeg4"))
    assert values["container"][0].startswith("AVI LIST(hdrl) avih LIST(strl) strh(vidsFMP4) strf")
    assert any(v.startswith("Lavf") for v in values["encoder"])


SAMPLES = (
    encoded(scene(), exif=Image.Exif(), comment=b"x"), encoded(scene(), "PNG"), encoded(scene(), "WEBP"),
    encoded(scene(), "AVIF"), encoded(scene(60, 40), "TIFF"), film(1), film_as("matroska", "mpeg4"),
    film_as("avi", "mpeg4"),
)  # fmt: skip


@settings(max_examples=300)
@given(st.sampled_from(SAMPLES), st.data())
def test_cut_and_flipped_files_end_in_a_reason(raw: bytes, data: Any) -> None:
    wrong = bytearray(raw[: data.draw(st.integers(0, len(raw)))])
    for at in data.draw(st.lists(st.integers(0, max(0, min(len(wrong), 2000) - 1)), max_size=6)) if wrong else []:
        wrong[at] = data.draw(st.integers(0, 255))
    found, odd = read_traces(io.BytesIO(bytes(wrong)))
    assert odd is None or odd
    assert all(t.value and len(t.value) <= 2000 for t in found)


def test_a_header_that_claims_very_many_pixels_is_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Example", "One"
    found, odd = read_traces(io.BytesIO(encoded(scene(60, 40), "TIFF", exif=exif)))
    assert odd is None
    assert any(trace.kind == "camera" for trace in found)


def test_boxes_without_end_and_within_each_other_end_in_a_reason() -> None:
    ftyp = (16).to_bytes(4, "big") + b"ftypisom" + bytes(4)
    many = ftyp + ((8).to_bytes(4, "big") + b"free") * 100_000
    deep = b"".join(((5000 - 8 * n).to_bytes(4, "big") + b"moov") for n in range(600)).ljust(5000, b"\0")
    for raw in (many, ftyp + deep):
        _, odd = read_traces(io.BytesIO(raw))
        assert odd is not None
        assert "more than" in odd


def test_the_stage_tells_of_each_item_and_sets_damaged_headers_aside() -> None:
    good, cut = encoded(scene(), comment=b"made by a converter"), encoded(scene())[:300]
    contents = {"a": good, "b": good, "cut": cut, "gif": encoded(scene(), "GIF")}
    items = [
        {"item": n, "name": n, "mime": "image/jpeg", "sha256": digests_of(raw).sha256} for n, raw in contents.items()
    ]
    world = context({"items": items}, contents.values())
    stage = next(s for s in STAGES if s.name == "traces")
    output = stage.work(world.table("items"), world)
    rows = rows_of(output.tables["media_traces"])
    assert {r["item"] for r in rows if r["value"] == "made by a converter"} == {"a", "b"}
    assert len({r["id"] for r in rows}) == len(rows)
    (place,) = {(r["span_start"], r["span_length"]) for r in rows if r["kind"] == "encoder"}
    assert good[place[0] :][: place[1]] == b"made by a converter"
    assert [(a.subject, a.reason) for a in output.set_aside] == [("cut", "damaged")]
    assert [(t.noun, t.received, t.done, t.nothing) for t in output.tallies] == [
        ("media", 4, 2, 2), ("damaged headers", 1, 0, 0)]  # fmt: skip
