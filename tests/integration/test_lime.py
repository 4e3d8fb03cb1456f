# SPDX-License-Identifier: MIT
"""LiME, AVML, .zdmp and HPAK files of one machine against its raw memory.

All but the LiME file are written here, from their public descriptions: AVML's src/image.rs and
snappy's framing_format.txt, z2dmp's src/zdmp.rs and [MS-XCA] 2.5, Volatility 2's hpak.py.
"""
import ctypes
import ctypes.util
import functools
import os
import struct
import subprocess
import tempfile
import unittest
import zlib

import harness
from harness import machine, member, run

CONTAINERS = "windows-like/win19041-tiny-containers"
CHUNK = 1 << 16
PIECE = 16 << 20  # AVML's, since it leaves out those that are zeros
SAME = ("cpus", "dtb", "kernel_base", "build_lab", "pdb_guid", "symbols", "system_time",
        "boot_time")


def lime_ranges(path):
    """(start, length, offset of the data)"""
    with open(path, "rb") as f:
        while head := f.read(32):
            magic, version, start, last, _ = struct.unpack("<4sIQQQ", head)
            assert (magic, version) == (b"EMiL", 1)
            yield start, last - start + 1, f.tell()
            f.seek(last - start + 1, 1)


class Snappy:
    def __init__(self, name):
        self.library = ctypes.CDLL(name)
        self.sums = [self.two_bytes(i) for i in range(1 << 16)]

    @staticmethod
    def two_bytes(value):
        for _ in range(16):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        return value

    def masked_sum(self, data):
        value, sums = 0xffffffff, self.sums
        for word in memoryview(data).cast("H"):
            value = sums[(value ^ word) & 0xffff] ^ value >> 16
        value ^= 0xffffffff
        return ((value >> 15 | value << 17) + 0xa282ead8) & 0xffffffff

    @functools.lru_cache(maxsize=4)  # there are many chunks of zeros
    def chunk(self, data):
        size = ctypes.c_size_t(len(data) * 2 + 64)
        out = ctypes.create_string_buffer(size.value)
        if self.library.snappy_compress(data, ctypes.c_size_t(len(data)), out,
                                        ctypes.byref(size)):
            raise RuntimeError("snappy_compress")
        packed = out.raw[:size.value]
        kind = 0
        if len(packed) >= len(data) - len(data) // 8:  # as snappy's own writers do
            kind, packed = 1, data
        body = struct.pack("<I", self.masked_sum(data)) + packed
        return struct.pack("<I", len(body) << 8 | kind) + body

    def write_range(self, out, start, data):
        stream = [b"\xff\x06\x00\x00sNaPpY"]
        stream += [self.chunk(data[i:i + CHUNK]) for i in range(0, len(data), CHUNK)]
        out.write(struct.pack("<4sIQQQ", b"AVML", 2, start, start + len(data) - 1, 0))
        out.writelines(stream)
        out.write(struct.pack("<Q", sum(map(len, stream))))


def write_avml(snappy, raw, ranges, path, cut):
    """cut: as AVML does it now, in pieces; those of zeros are left out."""
    with open(raw, "rb") as f, open(path, "wb") as out:
        for start, length, _ in ranges:
            step = PIECE if cut else length
            for at in range(start, start + length, step):
                f.seek(at)
                data = f.read(min(step, start + length - at))
                if not cut or data.strip(b"\0"):
                    snappy.write_range(out, at, data)


def lznt1(data):
    """What repeats one byte is a run, the rest is stored."""
    out = []
    for i in range(0, len(data), 4096):
        chunk = data[i:i + 4096]
        if len(chunk) > 3 and chunk == chunk[:1] * len(chunk):
            out.append(struct.pack("<HBBH", 0xb003, 2, chunk[0], len(chunk) - 4))
        else:
            out.append(struct.pack("<H", 0x3000 | len(chunk) - 1) + chunk)
    return b"".join(out)


def write_zdmp(dump, path, block=2 << 20):
    with open(dump, "rb") as f, open(path, "wb") as out:
        size = os.path.getsize(dump)
        out.write(struct.pack("<4sIQIHH", b"ZDMP", 0x100, size, block, 1, 2).ljust(4096, b"\0"))
        while data := f.read(block):
            packed = lznt1(data)
            if len(packed) >= block:
                packed = data
            out.write(struct.pack("<4sII", b"ZBLK", len(packed), zlib.crc32(packed)) + packed)


def write_hpak(raw, path):
    size = os.path.getsize(raw)
    section = bytearray(0xe0)
    section[:29] = b"HPAKSECTHPAK_SECTION_PHYSDUMP"
    struct.pack_into("<Q", section, 0x98, size)
    struct.pack_into("<QQ", section, 0xa8, 0x20 + len(section), 0)
    with open(path, "wb") as out:
        out.write(b"HPAK".ljust(0x20, b"\0") + section)
    subprocess.run(["dd", f"if={raw}", f"of={path}", "bs=1M", "conv=notrunc,sparse", "oflag="
                    "seek_bytes", f"seek={0x20 + len(section)}", "status=none"], check=True)
    os.truncate(path, 0x20 + len(section) + size)


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.raw = machine("win19041-tiny")
        cls.lime = member(CONTAINERS, "lime")
        cls.ranges = list(lime_ranges(cls.lime))
        cls.ps = run("ps", "--format", "json", cls.raw).json()
        cls.info = run("info", "--format", "json", cls.raw).json()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=harness.scratch_for(self.raw))
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def convert(self, snapshot):
        """The captured memory: its hash, and a raw file of it."""
        got = run("convert", "--to", "raw", "--output", self.path("raw"), "--force", "--format",
                  "json", snapshot)
        self.assertEqual(got.status, 0, got.err)
        return got.json()["memory_sha256"], self.path("raw")

    def check_pages(self, path, ranges):
        """What AVML leaves out is zeros in the machine, and a hole in the raw file or behind it."""
        with open(path, "rb") as a, open(self.raw, "rb") as b:
            for start, length, _ in ranges:
                a.seek(start)
                b.seek(start)
                for at in range(0, length, PIECE):
                    size = min(PIECE, length - at)
                    self.assertTrue(a.read(size).ljust(size, b"\0") == b.read(size),
                                    hex(start + at))

    def check_commands(self, snapshot, name):
        info = run("info", "--format", "json", snapshot)
        self.assertEqual((info.status, info.err), (0, ""))
        self.assertEqual(info.json()["format"], name)
        for key in SAME:
            self.assertEqual(info.json()[key], self.info[key], key)
        ps = run("ps", "--format", "json", snapshot)
        self.assertEqual((ps.status, ps.err), (0, ""))
        self.assertEqual(ps.json(), self.ps)

    def test_commands_on_lime(self):
        self.check_commands(self.lime, "lime")

    def test_pages_of_lime_and_avml(self):
        lime_hash, raw = self.convert(self.lime)
        self.check_pages(raw, self.ranges)
        name = ctypes.util.find_library("snappy")
        if not name:
            self.skipTest("libsnappy is not here")
        snappy = Snappy(name)
        for cut in (False, True):
            with self.subTest(cut=cut):
                path = self.path("avml")
                write_avml(snappy, self.raw, self.ranges, path, cut)
                self.check_commands(path, "avml")
                avml_hash, raw = self.convert(path)
                self.check_pages(raw, self.ranges)
                if not cut:
                    self.assertEqual(avml_hash, lime_hash)

    def test_zdmp(self):
        dump = member(CONTAINERS, "dmp-full")
        write_zdmp(dump, self.path("zdmp"))
        self.check_commands(self.path("zdmp"), "crash-dump")
        self.assertEqual(self.convert(self.path("zdmp"))[0], self.convert(dump)[0])

    def test_hpak(self):
        write_hpak(self.raw, self.path("hpak"))
        self.check_commands(self.path("hpak"), "raw")


if __name__ == "__main__":
    harness.main()
