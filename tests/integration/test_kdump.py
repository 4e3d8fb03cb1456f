# SPDX-License-Identifier: MIT
"""Kdump-compressed dumps of QEMU and makedumpfile, page by page against libkdumpfile.

libkdumpfile reads no flattened dumps: makedumpfile -R reassembles them for it.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness
from harness import image, member, run

PAGE = 4096
HERE = os.path.dirname(os.path.abspath(__file__))
NT = ("nt-self4", "nt-self5", "nt-self4-q10", "nt-self5-q10")


def makedumpfile(*args, **streams):
    subprocess.run(["makedumpfile", *args], check=True, stderr=subprocess.DEVNULL,
                   **{"stdout": subprocess.DEVNULL, **streams})


def libkdumpfile(dump, output):
    """Runs [first frame, count] of the pages, whose bytes OUTPUT has then; None without it."""
    for python in (sys.executable, "/usr/bin/python3"):
        done = subprocess.run([python, os.path.join(HERE, "kdump_pages.py"), dump, output],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode != harness.SKIPPED:
            done.check_returncode()
            return json.loads(done.stdout)
    return None


def spans(runs):
    """Runs joined over gaps of up to 64 MiB."""
    joined = []
    for first, count in runs:
        if joined and first - sum(joined[-1]) <= (64 << 20) // PAGE:
            joined[-1][1] = first + count - joined[-1][0]
        else:
            joined.append([first, count])
    return joined


class Pages(unittest.TestCase):
    def setUp(self):
        if not shutil.which("makedumpfile"):
            self.skipTest("makedumpfile is not installed")
        folder = tempfile.TemporaryDirectory(prefix="kdump-", dir=harness.CACHE)
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def scratch(self, name):
        return os.path.join(self.folder, name)

    def reassembled(self, dump):
        with open(dump, "rb") as f:
            if f.read(12) != b"makedumpfile":
                return dump
        target = self.scratch("reassembled")
        with open(dump, "rb") as f:
            makedumpfile("-f", "-R", target, stdin=f)
        return target

    def ours(self, dump, first, count):
        """Zeros where there is nothing, as in the file that libkdumpfile() makes."""
        target = self.scratch("ours")
        done = run("read", "--physical", "--output", target, "--zero-absent",
                   "--length", count * PAGE, dump, f"{first * PAGE:x}")
        self.assertIn(done.status, (0, 3), done.err)
        with open(target, "rb") as f:
            data = f.read()
        os.unlink(target)
        return data

    def check(self, dump, subtype=None):
        """Pages compared: all that there are, and both readers have the same ones."""
        theirs = self.scratch("theirs")
        runs = libkdumpfile(self.reassembled(dump), theirs)
        if runs is None:
            self.skipTest("libkdumpfile's Python module is not installed")
        total = sum(count for _, count in runs)
        info = run("info", "--format", "json", dump).json()
        self.assertEqual(info["physical_pages"], total)
        self.assertEqual(info["format"], "kdump-compressed")
        if subtype:
            self.assertEqual(info["subtype"], subtype)
        with open(theirs, "rb") as f:
            for first, count in spans(runs):
                f.seek(first * PAGE)
                self.assertTrue(f.read(count * PAGE) == self.ours(dump, first, count),
                                f"{dump}: page frames 0x{first:x} and {count - 1} more")
        return total

    def test_qemu(self):
        for variant in NT:
            folder = os.path.dirname(next(
                os.path.join(top, name) for top, _, names in os.walk(image("qemu/nt"))
                for name in names if os.path.basename(top) == variant))
            for name in sorted(os.listdir(folder)):
                if name.endswith(".kdump"):
                    with self.subTest(variant=variant, name=name):
                        codec = name.split(".")[1].replace("raw-", "")
                        self.assertEqual(self.check(os.path.join(folder, name), codec), 4160)

    def test_makedumpfile(self):
        source = member("qemu/a", "mdf.plain.d31.kdump")
        lzo, flat = self.scratch("lzo"), self.scratch("flat")
        makedumpfile("-l", "-d", "0", source, lzo)
        self.assertEqual(self.check(lzo, "lzo"), 15167)
        with open(flat, "wb") as out:
            makedumpfile("-F", "-d", "0", source, stdout=out)
        self.assertEqual(self.check(flat), 15167)

    def test_split(self):
        source = member("qemu/a", "mdf.d31.elf")
        parts = [self.scratch(f"part{i}") for i in range(3)]
        makedumpfile("--split", "--splitblock-size", "16", "-l", "-d", "0", source, *parts)
        self.assertEqual(sum(self.check(part, "lzo") for part in parts), 15313)

    def test_written(self):
        target = self.scratch("written")
        source = member("qemu/nt", "dump.elf")
        done = run("convert", "--to", "kdump-zlib", "-o", target, source)
        self.assertEqual(done.status, 0, done.err)
        self.assertEqual(self.check(target, "zlib"), 4160)


if __name__ == "__main__":
    harness.main()
