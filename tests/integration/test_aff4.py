# SPDX-License-Identifier: MIT
"""AFF4 volumes of several writers' kinds: streams against their hashes, memory against its source.

usage: test_aff4.py NTSCOPE AFF4_TOOL
"""
import gzip
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

import harness
from aff4_writer import COMPRESSORS, SCHEMA, Volume
from harness import machine, run, scratch_for

TOOL = None
PAGE = 4096
MACHINE = "win19041-tiny"
VOLUME = "aff4://0f3c1a52-6b7d-4a6e-9c5d-2b1e8f7a9d30"
DATA = VOLUME + "/PhysicalMemory/data"
METHODS = [m for m in COMPRESSORS if m == "stored" or COMPRESSORS[m]]


def content(size, seed=1):
    """Bytes that compress well, badly and not at all."""
    random.seed(seed)
    parts, have = [], 0
    while have < size:
        n = random.randrange(1, 60000)
        kind = random.randrange(3)
        part = (bytes(n) if kind == 0 else random.randbytes(n) if kind == 1
                else (b"memory %d " % n) * (n // 8 + 1))
        parts.append(part[:n])
        have += n
    return b"".join(parts)[:size]


class Aff4(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="aff4-", dir=scratch_for(machine(MACHINE)))
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "volume.aff4")

    def tool(self, *args):
        done = subprocess.run([TOOL, self.path, *args], capture_output=True, check=False)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        return done

    def stream(self, uri):
        done = self.tool(uri)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout

    def memory_hash(self, path, *options, to="lime.lz4"):
        """What `convert` says of the memory it read."""
        got = run("convert", *options, "--to", to, "-o", f"{self.path}.{to}", "--force",
                  "--format", "json", path)
        self.assertEqual(got.status, 0, got.err)
        row = got.json()
        return (row[0] if isinstance(row, list) else row)["memory_sha256"]


class Streams(Aff4):
    def test_equal_their_recorded_hashes(self):
        for method in METHODS:
            for size, options in ((1, {}), (32768, {}), (1_000_001, {}),
                                  (1_000_001, {"pad": False}),
                                  (700_000, {"chunk_size": 4096, "per_bevy": 7}),
                                  (3_000_000, {"chunk_size": 2 << 20, "per_bevy": 1})):
                data = content(size, seed=size)
                with self.subTest(method=method, size=size, **options):
                    with Volume(self.path) as v:
                        v.image_stream(DATA, data, method, **options)
                        v.image_stream("aff4://c0ffee00-1111-2222-3333-444455556666", data,
                                       method, **options)
                    lines = self.tool().stdout.decode().splitlines()
                    self.assertEqual(len(lines), 2)
                    for line in lines:
                        uri, length, *hashes = line.split()
                        got = self.stream(uri)
                        self.assertEqual(len(got), int(length))
                        for kind, value in (h.split("=") for h in hashes):
                            self.assertEqual(hashlib.new(kind.lower(), got).hexdigest(), value)
                        self.assertEqual(len(hashes), 3)

    def test_of_before_the_standard(self):
        data = content(900_000)
        with Volume(self.path, old=True) as v:
            v.image_stream(DATA, data, "zlib", pad=False)
        self.assertEqual(self.stream(DATA), data)

    def test_maps_of_all_kinds_of_targets(self):
        data = content(200_000)
        with Volume(self.path) as v:
            v.image_stream(DATA, data)
            v.member("extra.bin", b"segment" * 100)
            v.map(VOLUME + "/inner", [(0, 1000, 5, 0), (2000, 500, 100_000, 0)], [DATA],
                  size=3000)
            v.map(VOLUME + "/outer", [
                (0, 3000, 0, 0), (3000, 700, 0, 1), (4000, 100, 0, 2), (4100, 100, 0, 3),
                (5000, 2 << 20, 0, 4), (3_000_000, 20, 0, 5),
            ], [VOLUME + "/inner", VOLUME + "/extra.bin", SCHEMA + "SymbolicStreamFF",
                SCHEMA + "SymbolicStream61", SCHEMA + "UnreadableData", SCHEMA + "Zero"],
                  size=3_000_100, mapGapDefaultStream="aff4:SymbolicStream2E")
        inner = data[5:1005] + bytes(1000) + data[100_000:100_500] + bytes(500)
        mebibyte = (b"UNREADABLEDATA" * (1 << 17))[:1 << 20]
        outer = bytearray(b"." * 3_000_100)
        for at, part in ((0, inner), (3000, b"segment" * 100), (4000, b"\xff" * 100),
                         (4100, b"a" * 100), (5000, mebibyte * 2), (3_000_000, bytes(20))):
            outer[at:at + len(part)] = part
        self.assertEqual(self.stream(VOLUME + "/inner"), inner)
        self.assertEqual(self.stream(VOLUME + "/outer"), bytes(outer))

    def test_maps_in_a_circle_end(self):
        with Volume(self.path) as v:
            v.map(VOLUME + "/a", [(0, 10, 0, 0)], [VOLUME + "/b"], size=10)
            v.map(VOLUME + "/b", [(0, 10, 0, 0)], [VOLUME + "/a"], size=10)
        done = self.tool(VOLUME + "/a")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"leads back to itself", done.stderr)


class Memory(Aff4):
    """The memory of a machine through an AFF4 volume is the memory of its raw snapshot."""

    @classmethod
    def setUpClass(cls):
        """Runs as WinPmem records them, but that zeros are not stored: volumes stay small."""
        cls.raw, cls.data, cls.ranges = machine(MACHINE), b"", []
        parts, size = [], 1 << 20
        with open(cls.raw, "rb") as f:
            while block := f.read(size):
                kept = block.count(0) != len(block)
                cls.ranges.append((len(cls.ranges) * size, len(block),
                                   len(parts) * size if kept else 0, 0 if kept else 1))
                if kept:
                    parts.append(block)
        cls.data = b"".join(parts)

    def raw_hash(self):
        if not hasattr(Memory, "hash"):
            Memory.hash = self.memory_hash(self.raw)
        return Memory.hash

    def write(self, method="zlib", **options):
        with Volume(self.path, **options) as v:
            v.image_stream(DATA, self.data, method, per_bevy=512)
            v.map(VOLUME + "/PhysicalMemory", self.ranges, [DATA, SCHEMA + "Zero"],
                  category="memory:physical")

    def check(self, path, *options, subtype):
        row, = run("info", *options, "--format", "jsonl", path).out.splitlines()
        row = json.loads(row)
        self.assertEqual((row["format"], row["subtype"]), ("aff4", subtype))
        self.assertEqual(self.memory_hash(path, *options), self.raw_hash())

    def test_with_codecs(self):
        for method in ("snappy", "lz4", "deflate"):
            if method not in METHODS:
                continue
            with self.subTest(method=method):
                self.write(method)
                self.check(self.path, subtype=method)
        got, want = (run("ps", "--format", "json", path) for path in (self.path, self.raw))
        self.assertEqual((got.status, got.out), (want.status, want.out))

    def test_of_winpmem_before_the_standard(self):
        self.write(old=True)
        self.check(self.path, subtype="zlib")

    def test_behind_other_bytes_and_in_a_container(self):
        self.write("stored", prefix=b"MZ" * 5000)
        self.check(self.path, "--input-format", "aff4", subtype="stored")
        self.write("stored")
        with open(self.path, "rb") as f, gzip.open(self.path + ".gz", "wb", 1) as packed:
            packed.write(f.read())
        self.check(self.path + ".gz", subtype="stored")

    def test_an_elf_core_as_the_stream(self):
        self.memory_hash(self.raw, to="elf")
        with open(self.path + ".elf", "rb") as f, Volume(self.path) as v:
            v.image_stream(VOLUME + "/PhysicalMemory", f.read(), per_bevy=1024,
                           category="memory:physical")
        self.check(self.path, subtype="elf-core")


class Small(Aff4):
    """What is refused, and how it is told."""

    def test_a_disk_is_refused_by_name(self):
        with Volume(self.path) as v:
            v.image_stream(DATA, content(100_000))
            v.describe(VOLUME + "/disk", ("Image", "DiskImage"), dataStream=f"<{DATA}>")
        got = run("info", self.path)
        self.assertEqual(got.status, 1)
        self.assertIn("AFF4 image of a disk", got.err)

    def test_striped_images_are_refused_by_name(self):
        other = "aff4://99999999-1111-2222-3333-444455556666"
        with Volume(self.path) as v:
            v.image_stream(DATA, content(100_000))
            v.describe(other + "/data", ("ImageStream",), stored=f"<{other}>", size=100000)
            v.map(VOLUME + "/PhysicalMemory", [(0, PAGE, 0, 0), (PAGE, PAGE, 0, 1)],
                  [DATA, other + "/data"], category="memory:physical")
        got = run("info", self.path)
        self.assertEqual(got.status, 1)
        self.assertIn("striped", got.err)

    def test_what_nobody_knows_is_not_made_up(self):
        """... not even below another map, where the standard has a text for it."""
        with Volume(self.path) as v:
            v.image_stream(DATA, b"A" * 2 * PAGE)
            v.map(VOLUME + "/inner", [(0, PAGE, 0, 0), (PAGE, PAGE, 0, 1)],
                  [DATA, SCHEMA + "UnknownData"], size=2 * PAGE)
            v.map(VOLUME + "/PhysicalMemory", [(0, 2 * PAGE, 0, 0)], [VOLUME + "/inner"],
                  category="memory:physical")
        known, unknown = (run("read", "--physical", "--length", "16", self.path, at)
                          for at in ("0", "1000"))
        self.assertEqual((known.status, unknown.status), (0, 3), known.err + unknown.err)
        self.assertIn("AAAAAAAAAAAAAAAA", known.out)
        self.assertNotIn("UNKNOWN", unknown.out)

    def test_other_zip_archives_are_no_volume(self):
        with Volume(self.path, turtle="") as v:
            v.member("readme.txt", b"hello")
        got = run("info", "--input-format", "aff4", self.path)
        self.assertEqual(got.status, 1)


if __name__ == "__main__":
    TOOL = os.path.abspath(sys.argv.pop(2))
    harness.main()
