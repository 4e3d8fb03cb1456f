# SPDX-License-Identifier: MIT
"""What is kept of a snapshot between runs never changes what is said of it.

A machine without its start block, and one that has no self-referencing page tables either, so that
all of its memory is searched for the kernel. Each answer, what --verbose tells of the search
included, is compared with that of a run that neither uses nor keeps anything.
"""
import hashlib
import os
import re
import subprocess
import tempfile
import unittest

import harness

PAGE = 4096
VERSION_AT, FINGERPRINT_AT, END_AT, SUM_SIZE = 8, 24, 56, 32
KEPT = "ntscope/snapshots"


def without_stub(path):
    with open(path, "r+b") as f:
        f.seek(PAGE)
        f.write(bytes(0x9f * PAGE))


def without_self_maps(path):
    """Present and writable entries in the upper half of a page that point to the page itself."""
    with open(path, "r+b") as f:
        at = 0
        while True:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA) & -PAGE
            except OSError:
                return
            page = os.pread(f.fileno(), PAGE, at)
            for i in range(PAGE // 2, PAGE, 8):
                entry = int.from_bytes(page[i:i + 8], "little")
                if entry & 0xffffffffff083 == at | 3:
                    os.pwrite(f.fileno(), bytes(8), at + i)
            at += PAGE


def seal(content):
    """With the checksum that fits."""
    return content[:-SUM_SIZE] + hashlib.sha256(content[:-SUM_SIZE]).digest()


class SnapshotCache(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        whole = harness.machine("win19041-tiny")
        cls.scratch = tempfile.TemporaryDirectory(prefix="snapshots-",
                                                  dir=harness.scratch_for(whole))
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.whole = whole
        cls.no_stub = cls.copy(whole, "no-stub.raw")
        without_stub(cls.no_stub)
        cls.physical = cls.copy(cls.no_stub, "physical.raw")
        without_self_maps(cls.physical)
        with open(cls.physical, "r+b") as f:  # where the fingerprint looks
            f.write(b"another machine")

    @classmethod
    def copy(cls, path, name):
        target = os.path.join(cls.scratch.name, name)
        subprocess.run(["cp", "--sparse=always", path, target], check=True)
        return target

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cache-")
        self.addCleanup(folder.cleanup)
        self.cache = folder.name

    def run_info(self, path, *options):
        return harness.run("info", "--verbose", *options, path,
                           env={"XDG_CACHE_HOME": self.cache})

    def kept(self):
        folder = os.path.join(self.cache, KEPT)
        if not os.path.isdir(folder):
            return []
        return sorted(os.path.join(folder, name) for name in os.listdir(folder))

    def expect_same(self, path, found=None):
        plain = self.run_info(path, "--no-cache")
        if found:
            self.assertIn(f"located by {found}:", plain.err)
        self.expect_as(path, plain)
        return plain

    def expect_as(self, path, plain):
        got = self.run_info(path)
        notes = [line for line in got.err.splitlines(True)
                 if "not used: " not in line and "is not kept: " not in line]
        self.assertEqual((got.status, got.out, "".join(notes)),
                         (plain.status, plain.out, plain.err))
        return got

    def replace_kept(self, content):
        path, = self.kept()
        with open(path, "wb") as f:
            f.write(content)

    def read_kept(self):
        path, = self.kept()
        with open(path, "rb") as f:
            return f.read()

    def test_cold_and_warm(self):
        for path, found in (self.no_stub, "self-map"), (self.physical, "physical"):
            plain = self.expect_same(path, found)
            kept = self.kept()
            self.assertTrue(kept)
            before = [os.stat(p).st_ino for p in kept]
            self.expect_as(path, plain)
            self.assertEqual([os.stat(p).st_ino for p in self.kept()], before)
        self.assertEqual(len(self.kept()), 2)
        self.assertEqual(os.stat(os.path.join(self.cache, KEPT)).st_mode & 0o777, 0o700)

    def test_nothing_is_kept(self):
        self.expect_same(self.whole, "low-stub")  # nothing was searched
        self.run_info(self.no_stub, "--no-cache")
        self.assertEqual(self.kept(), [])
        self.assertEqual(os.listdir(self.cache), [])

    def test_other_files_of_the_same_memory(self):
        """The name is nothing; what was changed, or is packed, is another file."""
        plain = self.expect_same(self.no_stub)
        moved = self.copy(self.no_stub, "moved.raw")
        os.utime(moved, ns=(0, os.stat(self.no_stub).st_mtime_ns))
        self.assertEqual(self.run_info(moved).out, plain.out)
        self.assertEqual(len(self.kept()), 1)
        for tool in "gzip", "zstd":
            path = os.path.join(self.scratch.name, tool)
            with open(path, "wb") as f:
                subprocess.run([tool, "-1", "-c", self.no_stub], stdout=f, check=True)
            plain = self.expect_same(path)
            self.expect_as(path, plain)
        self.assertEqual(len(self.kept()), 3)
        os.utime(moved)
        self.assertEqual(self.run_info(moved).out, self.run_info(self.no_stub).out)
        self.assertEqual(len(self.kept()), 4)

    def test_tampered(self):
        plain = self.expect_same(self.no_stub)
        good = self.read_kept()
        zeros = bytes(len(good))
        for content in (b"", good[:20], good[:-1], good + b"\0", zeros, good[::-1],
                        good[:90] + b"\xff" + good[91:], os.urandom(len(good)), b"\0" * (1 << 20)):
            self.replace_kept(content)
            got = self.expect_as(self.no_stub, plain)
            self.assertIn("not used: ", got.err)
            self.assertEqual(self.read_kept(), good)

    def test_lies_that_are_well_formed(self):
        plain = self.expect_same(self.no_stub)
        good = self.read_kept()
        for at in range(END_AT, len(good) - SUM_SIZE, 17):
            lie = bytearray(good)
            lie[at] ^= 0x21
            self.replace_kept(seal(bytes(lie)))
            self.expect_as(self.no_stub, plain)

    def test_another_version(self):
        plain = self.expect_same(self.no_stub)
        good = self.read_kept()
        for version in 0, 2, 0xffffffff:
            old = bytearray(good)
            old[VERSION_AT:VERSION_AT + 4] = version.to_bytes(4, "little")
            self.replace_kept(seal(bytes(old)))
            got = self.expect_as(self.no_stub, plain)
            self.assertIn(f"version {version}: expected 1", got.err)
            self.assertEqual(self.read_kept(), good)

    def test_changed_where_the_fingerprint_does_not_look(self):
        """The table that was found is gone, another is found or none: what a search says."""
        path = self.copy(self.no_stub, "changed.raw")
        self.run_info(path)
        changed = os.stat(path).st_mtime_ns
        root = re.search(r"located by self-map: self-map 0x([0-9a-f]+)",
                         self.run_info(path).err)
        with open(path, "r+b") as f:
            f.seek(int(root.group(1), 16))
            f.write(bytes(PAGE))
        os.utime(path, ns=(changed, changed))
        plain = self.run_info(path, "--no-cache")
        self.expect_as(path, plain)
        self.expect_as(path, plain)
        self.assertEqual(len(self.kept()), 1)  # the same name

    def test_of_another_snapshot(self):
        self.run_info(self.no_stub)
        first, = self.kept()
        good = self.read_kept()
        plain = self.expect_same(self.physical)
        second, = (p for p in self.kept() if p != first)
        fingerprint = bytes.fromhex(os.path.basename(second)[:64])
        as_it_is = good
        renamed = seal(good[:FINGERPRINT_AT] + fingerprint + good[END_AT:])
        for content in as_it_is, renamed:
            with open(second, "wb") as f:
                f.write(content)
            self.expect_as(self.physical, plain)

    def test_no_place_to_keep_it(self):
        plain = self.run_info(self.no_stub, "--no-cache")
        blocked = os.path.join(self.cache, "ntscope")
        open(blocked, "w").close()
        got = self.expect_as(self.no_stub, plain)
        self.assertIn("is not kept: ", got.err)
        quiet = harness.run("info", self.no_stub, env={"XDG_CACHE_HOME": self.cache})
        self.assertNotIn("kept", quiet.err)
        os.unlink(blocked)
        os.makedirs(os.path.join(self.cache, KEPT))
        self.run_info(self.no_stub)
        path, = self.kept()
        os.unlink(path)
        os.mkfifo(path)  # is not waited for
        self.expect_as(self.no_stub, plain)
        os.unlink(path)
        os.mkdir(path)
        self.expect_as(self.no_stub, plain)

    def test_written_by_many_at_once(self):
        plain = self.run_info(self.no_stub, "--no-cache")
        env = {**os.environ, "XDG_CACHE_HOME": self.cache}
        for _ in range(3):
            runs = [subprocess.Popen([harness.PROGRAM, "info", self.no_stub], env=env, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                    for _ in range(6)]
            for run in runs:
                self.assertEqual(run.communicate()[0], plain.out)
            os.unlink(self.kept()[0])
        self.assertEqual(self.kept(), [])

    def test_the_folder_stays_small(self):
        folder = os.path.join(self.cache, KEPT)
        os.makedirs(folder)
        for i in range(300):
            path = os.path.join(folder, f"{i:064x}.scan")
            open(path, "w").close()
            os.utime(path, (i, i))
        self.run_info(self.no_stub)
        names = [os.path.basename(p) for p in self.kept()]
        self.assertEqual(len(names), 256)
        self.assertNotIn(f"{44:064x}.scan", names)
        self.assertIn(f"{45:064x}.scan", names)


if __name__ == "__main__":
    harness.main()
