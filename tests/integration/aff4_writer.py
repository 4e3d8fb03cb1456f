# SPDX-License-Identifier: MIT
"""Writes AFF4 volumes as imagers do, for tests: streams of chunks in bevies, maps, metadata.

Layouts: the AFF4 standard 1.0 (github.com/aff4/Standard), and what c-aff4 wrote before it
(github.com/Velocidex/c-aff4, until 2016: other names, an index of offsets, another order in maps).
"""
import ctypes
import ctypes.util
import hashlib
import io
import struct
import zipfile
import zlib

SCHEMA = "http://aff4.org/Schema#"
METHODS = {
    "stored": SCHEMA + "NullCompressor",
    "zlib": "https://www.ietf.org/rfc/rfc1950.txt",
    "deflate": "https://tools.ietf.org/html/rfc1951",
    "snappy": "http://code.google.com/p/snappy/",
    "lz4": "https://code.google.com/p/lz4/",
}
ENTRY = struct.Struct("<QQQI")


def deflate(data):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def by_library(name, function, arguments):
    """A compressor of a C library; None where the library is not here."""
    path = ctypes.util.find_library(name)
    if not path:
        return None
    call = getattr(ctypes.CDLL(path), function)

    def compress(data):
        out = ctypes.create_string_buffer(len(data) * 2 + 1024)
        return arguments(call, data, out)
    return compress


def snappy_arguments(call, data, out):
    size = ctypes.c_size_t(len(out))
    assert call(data, ctypes.c_size_t(len(data)), out, ctypes.byref(size)) == 0
    return out.raw[:size.value]


def lz4_arguments(call, data, out):
    size = call(data, out, len(data), len(out))
    assert size > 0
    return out.raw[:size]


COMPRESSORS = {
    "stored": None,
    "zlib": zlib.compress,
    "deflate": deflate,
    "snappy": by_library("snappy", "snappy_compress", snappy_arguments),
    "lz4": by_library("lz4", "LZ4_compress_default", lz4_arguments),
}


class Volume:
    """with Volume(path) as v: v.image_stream(...); v.map(...)

    OLD: as c-aff4 wrote it before the standard.
    """

    def __init__(self, path, uri="aff4://0f3c1a52-6b7d-4a6e-9c5d-2b1e8f7a9d30", old=False,
                 prefix=b"", turtle=None, version="major=1\nminor=0\ntool=test\n"):
        self.path, self.uri, self.old, self.prefix = path, uri, old, prefix
        self.turtle, self.version = turtle, version
        self.buffer = io.BytesIO()
        self.zip = zipfile.ZipFile(self.buffer, "w", zipfile.ZIP_STORED)
        self.zip.comment = uri.encode()
        self.statements = []

    def __enter__(self):
        self.member("container.description", self.uri.encode())
        if not self.old and self.version:
            self.member("version.txt", self.version.encode())
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            text = self.turtle if self.turtle is not None else self.metadata()
            self.member("information.turtle", text.encode(), zipfile.ZIP_DEFLATED)
            self.zip.close()
            with open(self.path, "wb") as f:
                f.write(self.prefix + self.buffer.getvalue())

    def member(self, name, data, method=zipfile.ZIP_STORED):
        info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
        info.compress_type = method
        with self.zip.open(info, "w", force_zip64=True) as f:
            f.write(data)

    def name(self, uri):
        """Of a member: below the volume relative, else escaped."""
        if uri.startswith(self.uri + "/"):
            return uri[len(self.uri) + 1:]
        return uri.replace("aff4://", "aff4%3A%2F%2F")

    def metadata(self):
        head = (f"@base <{self.uri}> .\n@prefix aff4: <{SCHEMA}> .\n"
                "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
                f"@prefix memory: <{SCHEMA}memory/> .\n\n")
        return head + "\n".join(self.statements)

    def describe(self, uri, kinds, **properties):
        lines = [f"<{uri}>\n    a " + " , ".join("aff4:" + k for k in kinds)]
        lines += [f"    aff4:{key} {value}" for key, value in properties.items()]
        self.statements.append(" ;\n".join(lines) + " .\n")

    def image_stream(self, uri, data, method="zlib", chunk_size=32768, per_bevy=16, pad=True,
                     **properties):
        """PAD: the last chunk to its full size, as the standard wants it."""
        compress = COMPRESSORS[method]
        chunks = [data[i:i + chunk_size] for i in range(0, len(data), chunk_size)]
        if chunks and pad:
            chunks[-1] = chunks[-1].ljust(chunk_size, b"\0")
        for first in range(0, len(chunks), per_bevy):
            bevy, index = b"", b""
            for chunk in chunks[first:first + per_bevy]:
                packed = compress(chunk) if compress else chunk
                if len(packed) >= chunk_size - 16:
                    packed = chunk
                index += (struct.pack("<I", len(bevy)) if self.old
                          else struct.pack("<QI", len(bevy), len(packed)))
                bevy += packed
            name = f"{self.name(uri)}/{first // per_bevy:08d}"
            self.member(name, bevy)
            self.member(name + ("/index" if self.old else ".index"), index)
        hashes = ", ".join(f'"{hashlib.new(kind.lower(), data).hexdigest()}"^^aff4:{kind}'
                           for kind in ("MD5", "SHA1", "SHA256"))
        names = (("image", "chunk_size", "chunks_per_segment", "compression") if self.old else
                 ("ImageStream", "chunkSize", "chunksInSegment", "compressionMethod"))
        self.describe(uri, [names[0]], **{
            names[1]: f'"{chunk_size}"^^xsd:int', names[2]: per_bevy,
            names[3]: f"<{METHODS[method]}>", "size": f'"{len(data)}"^^xsd:long', "hash": hashes,
            "stored": f"<{self.uri}>", **properties})

    def map(self, uri, ranges, targets, kinds=("Map",), **properties):
        """RANGES: (offset, length, target offset, index of target)"""
        order = (0, 2, 1, 3) if self.old else (0, 1, 2, 3)
        self.member(self.name(uri) + "/map",
                    b"".join(ENTRY.pack(*(r[i] for i in order)) for r in ranges))
        self.member(self.name(uri) + "/idx", "".join(t + "\n" for t in targets).encode())
        self.describe(uri, ["map"] if self.old else kinds, **properties)
