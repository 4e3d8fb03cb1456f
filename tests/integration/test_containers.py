# SPDX-License-Identifier: MIT
"""Snapshots inside compressed files and archives, made by other programs: the same answers, and
the same bytes, as from the snapshot itself.

usage: test_containers.py PROGRAM [unittest arguments]
"""
import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import subprocess
import tempfile
import unittest
import zipfile

import harness

MEMORY_END = 128 << 20
PARTIAL, USAGE = 3, 2


def tool(*args):
    def pack(source, target):
        with open(source, "rb") as i, open(target, "wb") as o:
            subprocess.run(args, stdin=i, stdout=o, check=True)
    return pack


def python(opener, **options):
    def pack(source, target):
        with open(source, "rb") as i, opener(target, "wb", **options) as o:
            shutil.copyfileobj(i, o, 1 << 20)
    return pack


def archive(**options):
    def pack(source, target):
        with zipfile.ZipFile(target, "w", **options) as z:
            z.writestr("about.txt", "who took it, and when")
            z.write(source, "case/memory.raw")
    return pack


def nested(source, target):
    with tempfile.NamedTemporaryFile(suffix=".gz") as inner:
        python(gzip.open, compresslevel=1)(source, inner.name)
        with zipfile.ZipFile(target, "w") as z:
            z.write(inner.name, "memory.raw.gz")


# name: what info calls it, is it unpacked to a temporary file, and how it is made
CONTAINERS = {
    "gz": ("gzip", False, python(gzip.open, compresslevel=1)),
    "xz": ("xz", True, python(lzma.open, preset=0)),
    "blocks.xz": ("xz", False, tool("xz", "-0", "-T2", "--block-size=2MiB", "-c")),
    "bz2": ("bzip2", True, python(bz2.open, compresslevel=1)),
    "zst": ("zstd", True, tool("zstd", "-q", "-1", "-c")),
    "lz4": ("lz4", False, tool("lz4", "-q", "-1", "-c")),
    "small.lz4": ("lz4", False, tool("lz4", "-q", "-1", "-B4", "-BX", "-c")),
    "linked.lz4": ("lz4", True, tool("lz4", "-q", "-1", "-BD", "-c")),
    "legacy.lz4": ("lz4", False, tool("lz4", "-q", "-l", "-c")),
    "stored.zip": ("zip", False, archive()),
    "deflated.zip": ("zip", False, archive(compression=zipfile.ZIP_DEFLATED, compresslevel=1)),
    "gz.zip": ("gzip in zip", False, nested),
}
QUICK = ["gz", "lz4"]


def memory_hash(path, *options):
    """SHA-256 of all physical memory, with zeros where there is none."""
    done = subprocess.run([harness.PROGRAM, "read", "-q", "--physical", "--raw", "--zero-absent",
                           "--length", hex(MEMORY_END), *options, path, "0"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          stdin=subprocess.DEVNULL)
    if done.returncode not in (0, PARTIAL) or not done.stdout:
        raise AssertionError(f"{path}: {done.returncode} {done.stderr}")
    return hashlib.sha256(done.stdout).hexdigest()


def answers(path):
    """What info and ps say, without what a container changes."""
    info = harness.run("info", "--format", "json", path)
    ps = harness.run("ps", "-q", "--format", "json", path)
    facts = info.json()
    own = {key: facts.pop(key) for key in ("file_size", "container", "unpacked_size")}
    return own, (facts, info.status, ps.json(), ps.status), info.err


class Containers(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="containers-")
        cls.addClassCleanup(cls.folder.cleanup)

    def pack(self, name, source):
        """Once for each snapshot."""
        path = os.path.join(self.folder.name, f"{os.path.basename(source)}.{name}")
        if not os.path.exists(path):
            CONTAINERS[name][2](source, path)
        return path

    def check_answers(self, name, source, plain):
        container, spools, _ = CONTAINERS[name]
        path = self.pack(name, source)
        own, same, notes = answers(path)
        self.assertEqual(same, plain, name)
        self.assertEqual(own, {"container": container, "file_size": os.path.getsize(path),
                               "unpacked_size": os.path.getsize(source)}, name)
        self.assertEqual("temporary file" in notes, spools, name)
        return path

    def check_memory(self, path, want, *options):
        self.assertEqual(memory_hash(path, *options), want, path)

    def test_raw_memory_in_each(self):
        source = harness.machine("win19041-tiny")
        _, plain, _ = answers(source)
        with open(source, "rb") as f:
            want = hashlib.sha256(f.read()).hexdigest()
        for name in CONTAINERS:
            path = self.check_answers(name, source, plain)
            self.check_memory(path, want)

    def test_other_formats_in_some(self):
        for inside in ("dmp-bitmap", "elf", "lime"):
            source = harness.member("windows-like/win19041-tiny-containers", inside)
            _, plain, _ = answers(source)
            want = memory_hash(source)
            for name in QUICK:
                path = self.check_answers(name, source, plain)
                self.check_memory(path, want)

    def test_little_memory(self):
        source = harness.machine("win19041-tiny")
        want = memory_hash(source)
        for name in ("gz", "lz4"):
            self.check_memory(self.pack(name, source), want, "--max-memory", "2M")

    def test_cut_off(self):
        source = harness.machine("win19041-tiny")
        path = os.path.join(self.folder.name, "cut")
        for name in ("gz", "lz4", "zst", "deflated.zip"):
            shutil.copyfile(self.pack(name, source), path)
            os.truncate(path, os.path.getsize(path) * 9 // 10)
            info = harness.run("info", "--format", "json", path)
            self.assertEqual(info.status, PARTIAL, name)
            self.assertIn("is not there", info.err, name)
            self.assertGreater(info.json()["physical_pages"], 1000, name)

    def test_bombs_and_several_members(self):
        source = harness.machine("win19041-tiny")
        path = self.pack("gz", source)
        refused = harness.run("info", "--max-unpacked", "16M", path)
        self.assertEqual(refused.status, 1)
        self.assertIn("--max-unpacked", refused.err)
        path = os.path.join(self.folder.name, "two.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
            z.write(source, "first.raw")
            z.write(source, "second.raw")
        asked = harness.run("info", path)
        self.assertEqual(asked.status, USAGE)
        self.assertIn("'first.raw', 'second.raw'", asked.err)
        chosen = harness.run("info", "--member", "second.raw", "--format", "json", path)
        self.assertEqual((chosen.status, chosen.json()["container"]), (0, "zip"))


if __name__ == "__main__":
    harness.main()
