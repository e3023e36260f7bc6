"""Images that are something else as well, or that carry rubbish, or that claim to be vast."""

from __future__ import annotations

import io
import pickle
import random
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from corpus.fetch.outcomes import Picture, Refusal
from corpus.fetch.pictures import examine
from corpus.fetch.policy import Limits
from fit.imitation.decoding import FORMATS, decode, quiet_decoding

KINDS = ("PNG", "JPEG", "WEBP", "GIF")
PLAIN = Image.fromarray(np.random.default_rng(3).integers(0, 255, (24, 16, 3), np.uint8))


def saved(kind: str, **options: object) -> bytes:
    sink = io.BytesIO()
    PLAIN.save(sink, kind, **options)
    return sink.getvalue()


def packed() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        file.writestr("__main__.py", "raise SystemExit('executed')")
    return sink.getvalue()


TAILS = {
    "zip": packed(),
    "page": b"<!doctype html><script>alert(1)</script>",
    "pickle": pickle.dumps(print),
    "shell": b"\n#!/bin/sh\nrm -rf /\n",
}


@pytest.mark.parametrize("kind", [*KINDS, "BMP"])
@pytest.mark.parametrize("tail", TAILS)
def test_of_a_polyglot_the_image_alone_is_seen(kind: str, tail: str) -> None:
    whole = decode(saved(kind))
    found = decode(saved(kind) + TAILS[tail])
    assert isinstance(whole, Image.Image)
    assert isinstance(found, Image.Image)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(whole))


@pytest.mark.parametrize("kind", KINDS)
def test_a_polyglots_file_is_called_an_image(kind: str) -> None:
    found = examine(saved(kind) + TAILS["page"], Limits())
    assert isinstance(found, Picture)
    assert found.suffix in {".png", ".jpg", ".webp", ".gif"}


NO_IMAGES = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><image href="file:///etc/passwd"/></svg>',
    "svg with entities": b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>',
    "html": b"<html><img src=x onerror=alert(1)></html>",
    "html behind a GIF's first bytes": b"GIF89a/*<html><script>alert(1)</script>*/=1;",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
    "pdf": b"%PDF-1.7\n1 0 obj\n<< /OpenAction << /S /JavaScript >> >>\n",
    "xbm": b"#define a_width 9\n#define a_height 9\nstatic char a_bits[] = {0};\n",
    "ppm": b"P6 99999 99999 255 ",
    "icon": b"\0\0\1\0\1\0" + bytes(40),
    "tiff": b"II*\0\x08\0\0\0" + bytes(40),
    "fits": b"SIMPLE  =                    T" + bytes(2850),
    "pickle": pickle.dumps(print),
}


@pytest.mark.parametrize("data", NO_IMAGES.values(), ids=NO_IMAGES)
def test_what_is_no_image_reaches_no_decoder(data: bytes) -> None:
    assert isinstance(decode(data), str)
    assert isinstance(examine(data, Limits()), Refusal)


def test_only_plain_formats_have_decoders() -> None:
    assert set(FORMATS) == {"PNG", "JPEG", "WEBP", "GIF", "BMP"}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_rubbish_in_exif_and_colour_profiles_costs_no_image(kind: str) -> None:
    rng = random.Random(5)
    with quiet_decoding():
        for _ in range(60):
            junk = rng.randbytes(rng.randrange(1, 400))
            tiff = rng.choice((b"II*\0", b"MM\0*")) + struct.pack("<I", rng.randrange(2**32)) + junk
            data = saved(kind, exif=b"Exif\0\0" + rng.choice((junk, tiff)), icc_profile=junk)
            found = decode(data)
            assert isinstance(found, Image.Image)
            assert sorted(found.size) == [16, 24]


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@pytest.mark.parametrize("name", [b"iCCP", b"zTXt", b"iTXt"])
def test_texts_and_profiles_that_unpack_to_gigabytes_take_no_memory(name: bytes) -> None:
    bomb = zlib.compress(bytes(300_000_000), 9)
    head = {b"iCCP": b"x\0\0", b"zTXt": b"x\0\0", b"iTXt": b"x\0\1\0\0\0"}[name]
    plain = saved("PNG")
    end_of_header = 8 + 25
    data = plain[:end_of_header] + chunk(name, head + bomb) + plain[end_of_header:]
    tracemalloc.start()
    try:
        found, kept = decode(data), examine(data, Limits())
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(found, Image.Image | str)
    assert isinstance(kept, Picture | Refusal)
    assert most < 50_000_000


def vast(kind: str) -> bytes:
    """An image whose header claims 60,000 pixels a side, or as many as the format knows."""
    data, side = bytearray(saved(kind)), 60_000
    if kind == "JPEG":
        place = data.index(b"\xff\xc0") + 5
        data[place : place + 4] = struct.pack(">HH", side, side)
    elif kind == "GIF":
        data[6:10] = struct.pack("<HH", side, side)
        frame = data.index(b"\x2c", 13 + 3 * 2 ** ((data[10] & 7) + 1))
        data[frame + 5 : frame + 9] = struct.pack("<HH", side, side)
    elif kind == "BMP":
        data[18:26] = struct.pack("<ii", side, side)
    else:
        data[16:24] = struct.pack(">II", side, side)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "BMP", "PNG"])
def test_headers_that_claim_too_much_are_believed_and_refused(kind: str) -> None:
    found, kept = decode(vast(kind)), examine(vast(kind), Limits())
    assert isinstance(found, str)
    assert "60000" in found or "3600000000" in found
    assert isinstance(kept, Refusal)
    assert kept.reason in {"too many pixels", "not an image"}
