"""What a photograph's pixels are: those that Pillow gives of it upright, on white, in both contracts."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFile

from facelab import adience, embedded, pipeline
from facelab.pipeline._reading import read_chunks

CONTRACTS = [pipeline.PixelContract(48, 1), pipeline.PixelContract(48, 3)]
TURN = Image.Transpose
LAID = {
    1: None,
    2: TURN.FLIP_LEFT_RIGHT,
    3: TURN.ROTATE_180,
    4: TURN.FLIP_TOP_BOTTOM,
    5: TURN.TRANSPOSE,
    6: TURN.ROTATE_90,
    7: TURN.TRANSVERSE,
    8: TURN.ROTATE_270,
}
"""How a camera lays down what each orientation says is upright."""

JPEG = {"format": "JPEG", "quality": 95}
IN_XMP = b'http://ns.adobe.com/xap/1.0/\0<rdf:Description tiff:Orientation="6"/>'


@pytest.fixture(scope="module")
def face() -> Image.Image:
    """An embedded face, which no turn leaves as it is."""
    table = adience.usable(adience.read_folds(embedded.data_dir()))
    with Image.open(embedded.data_dir() / table["path"].iloc[3]) as image:
        return image.convert("RGB")


def laid(image: Image.Image, orientation: int) -> Image.Image:
    way = LAID[orientation]
    return image if way is None else image.transpose(way)


def exif(orientation: int) -> Image.Exif:
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def encoded(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def behind_start(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def deep_png(pixels: np.ndarray, kind: int, clear: bytes = b"", shape: tuple[int, ...] = ()) -> bytes:
    """Write a PNG of 16 bits, which Pillow writes of grey alone; `kind` is PNG's number for grey, colour …"""
    height, width = shape or pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in (pixels.astype(">u2") * 257).astype(">u2"))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + (chunk(b"tRNS", clear) if clear else b"") + body


def write(files: dict[str, bytes], place: Path) -> pd.DataFrame:
    """Write photographs without a suffix that would say what they are."""
    for number, file in enumerate(files.values()):
        (place / str(number)).write_bytes(file)
    return pd.DataFrame({"path": [str(number) for number in range(len(files))]}, index=list(files))


def read(table: pd.DataFrame, place: Path, contract: pipeline.PixelContract) -> np.ndarray:
    return np.concatenate(list(read_chunks([str(place / path) for path in table["path"]], contract)))


def as_wanted(whole: Image.Image, contract: pipeline.PixelContract) -> np.ndarray:
    """What a whole, upright and opaque picture is to become, by Pillow alone."""
    whole = whole.convert("L" if contract.channels == 1 else "RGB")
    side = min(whole.size)
    left, top = (whole.width - side) // 2, (whole.height - side) // 2
    square = whole.crop((left, top, left + side, top + side))
    small = square.resize((contract.side, contract.side), Image.Resampling.BILINEAR)
    return np.asarray(small, int).reshape(contract.side, contract.side, contract.channels)


def assert_read_as(pairs: dict[str, tuple[bytes, Image.Image]], place: Path) -> None:
    """Every file must become its picture, in both contracts, and `unreadable` must agree that it can."""
    table = write({name: file for name, (file, _) in pairs.items()}, place)
    for contract in CONTRACTS:
        assert pipeline.unreadable(table, place, contract).empty
        wanted = np.stack([as_wanted(whole, contract) for _, whole in pairs.values()])
        error = np.abs(read(table, place, contract) - wanted).mean(axis=(1, 2, 3))
        assert not dict(zip(table.index[error > 2], error[error > 2], strict=True))  # of 255 levels


def assert_refused(
    cases: dict[str, tuple[bytes, str]], place: Path, contract: pipeline.PixelContract
) -> None:
    """Reading and `unreadable` must give the same reason, of one line without TensorFlow's own words."""
    table = write({name: file for name, (file, _) in cases.items()}, place)
    bad = pipeline.unreadable(table, place, contract)
    assert bad.index.tolist() == list(cases)
    assert not bad["why"].str.contains(r"Traceback|ValueError|\{\{|Op:|\n").any()
    for name, (_, why) in cases.items():
        assert re.search(why, bad["why"][name]), name
        with pytest.raises(
            adience.DataSetError, match=f"/{table['path'][name]}: {re.escape(bad['why'][name])}"
        ):
            read(table.loc[[name]], place, contract)


@pytest.mark.parametrize("size", [(96, 96), (1024, 768), (201, 155)])
def test_a_photograph_is_read_upright(face: Image.Image, tmp_path: Path, size: tuple[int, int]) -> None:
    whole = face.resize(size, Image.Resampling.BICUBIC)
    formats = [*[("JPEG", number) for number in range(1, 9)], ("PNG", 6), ("WEBP", 8)]
    pairs = {
        f"{format} {orientation}": (
            encoded(laid(whole, orientation), format=format, quality=95, exif=exif(orientation)),
            whole,
        )
        for format, orientation in formats
    }
    assert_read_as(pairs, tmp_path)


def test_the_orientation_is_found_wherever_it_stands(face: Image.Image, tmp_path: Path) -> None:
    tag = b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
    broken = b"Exif\0\0MM\0*\0\0\0\x08\0\x02" + tag + b"\x87\x69\0\x04\0\0\0\x01\0\xff\xff\xff\0\0\0\0"
    six = segment(0xE1, exif(6).tobytes())
    places = {
        "in XMP": [segment(0xE1, IN_XMP)],
        "behind a comment": [segment(0xFE, b"c" * 5000), six],
        "behind what looks like scans": [segment(0xED, b"\xff\xda" * 3000), six],
        "beside an entry that leads nowhere": [segment(0xE1, broken)],
    }
    lying = encoded(laid(face, 6), **JPEG)
    assert_read_as({name: (behind_start(lying, *at), face) for name, at in places.items()}, tmp_path)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_exif_data_that_make_no_sense_turn_nothing(face: Image.Image, tmp_path: Path) -> None:
    jpeg = encoded(face, **JPEG)
    nonsense = [b"", b"nonsense", b"II*\0", b"II*\0\xff\xff\xff\x7f"]
    pairs = {str(data): behind_start(jpeg, segment(0xE1, b"Exif\0\0" + data)) for data in nonsense}
    pairs |= {str(number): encoded(face, exif=exif(number), **JPEG) for number in (0, 9)}
    assert_read_as({name: (file, face) for name, file in pairs.items()}, tmp_path)


def test_one_lying_photograph_among_upright_ones_is_turned(face: Image.Image, tmp_path: Path) -> None:
    """Read in steps of 32 until the lying one, singly behind it: in the order of the table."""
    files = {str(number): encoded(face, **JPEG) for number in range(70)}
    files["40"] = encoded(laid(face, 8), exif=exif(8), **JPEG)
    pixels = read(write(files, tmp_path), tmp_path, CONTRACTS[1])
    assert np.abs(pixels[40].astype(int) - pixels[0]).mean() <= 2
    assert (np.delete(pixels, 40, axis=0) == pixels[0]).all()


@pytest.mark.parametrize("size", [(96, 96), (816, 816), (201, 155)])
def test_pillow_and_tensorflow_give_the_same_pixels(
    face: Image.Image, tmp_path: Path, size: tuple[int, int]
) -> None:
    """A tag that turns nothing changes nothing, also where the decoder leaves pixels out."""
    whole = face.resize(size, Image.Resampling.BICUBIC)
    files = {"plain": encoded(whole, **JPEG), "tagged": encoded(whole, exif=exif(1), **JPEG)}
    table = write(files, tmp_path)
    for contract in CONTRACTS:
        plain, tagged = read(table, tmp_path, contract).astype(int)
        assert np.abs(plain - tagged).max() <= 2


def test_every_format_is_read_in_both_contracts(face: Image.Image, tmp_path: Path) -> None:
    modes = {
        "JPEG": ["RGB", "L", "CMYK"],
        "PNG": ["RGB", "L", "P", "1"],
        "GIF": ["RGB", "L", "P", "1"],
        "BMP": ["RGB", "L", "P", "1"],
        "WEBP": ["RGB", "L", "P"],
    }
    images = {(format, mode): face.convert(mode) for format in modes for mode in modes[format]}
    kinds = {
        "progressive": {"progressive": True},
        "RGB": {"keep_rgb": True},
        "profile": {"icc_profile": bytes(9000)},
    }
    pairs = {
        f"{format} {mode}": (encoded(image, format=format, quality=95), image.convert("RGB"))
        for (format, mode), image in images.items()
    }
    pairs |= {f"JPEG, {kind}": (encoded(face, **JPEG, **options), face) for kind, options in kinds.items()}
    assert_read_as(pairs, tmp_path)


def test_the_first_of_several_pictures_is_read(face: Image.Image, tmp_path: Path) -> None:
    """An animation's, and that of a phone which puts a second one behind."""
    more = {"save_all": True, "append_images": [face.transpose(TURN.ROTATE_180)], "quality": 95}
    pairs = {format: encoded(face, format=format, **more) for format in ("GIF", "PNG", "WEBP", "MPO")}
    pairs["MPO, lying"] = encoded(laid(face, 6), format="MPO", exif=exif(6), **more)
    assert_read_as({name: (file, face) for name, file in pairs.items()}, tmp_path)


def veiled(face: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Make a face that is clear at the edge and half clear at the left; with it, the same on white."""
    veil = Image.new("L", face.size, 0)
    veil.paste(255, (24, 24, 72, 72))
    veil.paste(128, (0, 0, 24, 96))
    clear = face.copy()
    clear.putalpha(veil)
    return clear, Image.composite(face, Image.new("RGB", face.size, "white"), veil)


def test_what_is_transparent_is_white(face: Image.Image, tmp_path: Path) -> None:
    clear, on_white = veiled(face)
    grey = clear.convert("LA")
    pairs = {
        "PNG": (encoded(clear, format="PNG"), on_white),
        "grey PNG": (encoded(grey, format="PNG"), on_white.convert("L")),
        "deep PNG": (deep_png(np.asarray(clear), 6), on_white),
        "deep grey PNG": (deep_png(np.asarray(grey), 4), on_white.convert("L")),
        "WebP": (encoded(clear, format="WEBP", lossless=True), on_white),
    }
    coloured = face.convert("P")
    index = int(np.bincount(np.asarray(coloured).ravel()).argmax())
    holes = (np.asarray(coloured) == index)[..., np.newaxis]
    white = Image.fromarray(np.where(holes, 255, np.asarray(coloured.convert("RGB"))).astype(np.uint8))
    for format in ("PNG", "GIF"):
        pairs[f"{format}, one colour"] = (encoded(coloured, format=format, transparency=index), white)
    assert_read_as(pairs, tmp_path)


def test_of_16_bits_the_upper_8_are_read(face: Image.Image, tmp_path: Path) -> None:
    grey = np.asarray(face.convert("L"))
    level = int(np.bincount(grey.ravel()).argmax())
    on_white = Image.fromarray(np.where(grey == level, 255, grey).astype(np.uint8))
    pairs = {
        "grey": (deep_png(grey, 0), face.convert("L")),
        "colour": (deep_png(np.asarray(face), 2), face),
        "transparent": (deep_png(grey, 0, struct.pack(">H", 257 * level)), on_white),
    }
    assert_read_as(pairs, tmp_path)


def boxed(brand: bytes, others: bytes) -> bytes:
    """Begin a file as HEIC, AVIF and films do."""
    return struct.pack(">I", 16 + len(others)) + b"ftyp" + brand + bytes(4) + others + bytes(300)


def huge(jpeg: bytes) -> bytes:
    size = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:size] + struct.pack(">HH", 60000, 60000) + jpeg[size + 4 :]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_is_not_read_is_named_with_the_reason(
    face: Image.Image, tmp_path: Path, contract: pipeline.PixelContract
) -> None:
    convert = "convert it to JPEG"
    cases = {
        "HEIC": (boxed(b"heic", b"mif1heic"), f"HEIC.*{convert}"),
        "HEIC, general": (boxed(b"mif1", b"mif1heic"), f"HEIC.*{convert}"),
        "AVIF": (boxed(b"avif", b"avifmif1"), f"AVIF.*{convert}"),
        "AVIF, general": (boxed(b"mif1", b"mif1avif"), f"AVIF.*{convert}"),
        "film": (boxed(b"mp42", b"isommp42"), f"unknown.*{convert}"),
        "TIFF": (encoded(face, format="TIFF"), f"TIFF.*{convert}"),
        "PPM": (encoded(face, format="PPM"), f"unknown.*{convert}"),
        "too large a PNG": (deep_png(np.asarray(face.convert("L")), 0, shape=(60000, 60000)), "pixels"),
        "too large a JPEG": (huge(encoded(face, **JPEG)), "pixels"),
    }
    assert_refused(cases, tmp_path, contract)


def test_a_file_that_ends_too_early_is_refused(face: Image.Image, tmp_path: Path) -> None:
    whole = {format: encoded(face, format=format) for format in ("JPEG", "PNG", "GIF", "BMP", "WEBP")}
    whole["tagged JPEG"] = encoded(face, exif=exif(6), **JPEG)
    whole["CMYK JPEG"] = encoded(face.convert("CMYK"), **JPEG)
    cases = {
        f"{name}, {left}": (file[: int(left * len(file))], ".")
        for name, file in whole.items()
        for left in (0.5, 0.9)
    }
    assert_refused(cases, tmp_path, CONTRACTS[0])


def with_hole(file: bytes) -> bytes:
    """Take 64 bytes out of the middle."""
    middle = len(file) // 2
    return file[:middle] + file[middle + 64 :]


def test_a_hole_is_found_in_a_png_and_not_in_a_jpeg(face: Image.Image, tmp_path: Path) -> None:
    """The documentation says both: if a JPEG's is found one day, it must say so."""
    png, jpeg = encoded(face, format="PNG"), encoded(face, **JPEG)
    middle = len(png) // 2
    overwritten = png[:middle] + bytes(64) + png[middle + 64 :]
    assert_refused({"missing": (with_hole(png), "."), "zeros": (overwritten, ".")}, tmp_path, CONTRACTS[0])
    table = write({"JPEG": with_hole(jpeg)}, tmp_path)
    assert pipeline.unreadable(table, tmp_path).empty
    assert np.abs(read(table, tmp_path, CONTRACTS[0])[0] - as_wanted(face, CONTRACTS[0])).mean() > 5


def test_damage_is_refused_also_where_pillow_is_told_to_pass_it_over(
    face: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    jpeg, png = encoded(face, **JPEG), encoded(face, format="PNG")
    cases = {
        "JPEG": (jpeg[: len(jpeg) // 2], "JPEG"),
        "PNG": (png[: len(png) // 2], "LOAD_TRUNCATED_IMAGES.*set it to False"),
    }
    assert_refused(cases, tmp_path, CONTRACTS[0])
    assert ImageFile.LOAD_TRUNCATED_IMAGES  # another's setting, left as it is


def test_unreadable_refuses_a_contract_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no pixel contract"):
        pipeline.unreadable(pd.DataFrame({"path": ["a.jpg"]}), tmp_path, pipeline.PixelContract(48, 2))
