# SPDX-License-Identifier: MIT
"""PDBs that clang and lld make of the windows-like kernels' symbols: every member and symbol as in
the ISF file, and the same listings with either.

usage: test_pdb.py PROGRAM SYMBOLS_TOOL [unittest arguments]
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness
import isf_to_pdb
from harness import IMAGES, image, run

KERNELS = {
    "win7601-tiny": "339E74133576439CBCDF7E0229DA3773",
    "win9600-tiny": "9765E6AF44044E6CAF8EC0E370E6DAC5",
    "win19041-tiny": "9C00B19DBDE003DBFE4AB4216993C843",
    "win22000-tiny": "0CE4A95C0CD782A7596B034D8648E585",
}
COMMANDS = ("info", "ps", "modules", "cpus")
TOOL = None


def isf_of(guid):
    return os.path.join(IMAGES, "windows-like", "isf", f"{guid}-1.json.xz")


def listing(command, snapshot, *options):
    got = run(command, "--format", "json", *options, snapshot)
    rows = got.json()
    if command == "info":
        symbols = rows.pop("symbols")
        return got.status, rows, symbols
    return got.status, rows, None


class Kernels(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="ntscope-pdb.")
        cls.pdbs = {}
        for name, guid in KERNELS.items():
            folder = os.path.join(cls.folder, "store", "ntkrnlmp.pdb", guid + "1")
            os.makedirs(folder)
            cls.pdbs[name] = isf_to_pdb.make_pdb(isf_of(guid), folder)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_members_and_symbols(self):
        for name, guid in KERNELS.items():
            with self.subTest(name):
                done = subprocess.run([TOOL, self.pdbs[name], isf_of(guid)], text=True,
                                      stdout=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, 0, done.stdout[-4000:])
                self.assertIn(": 0 differences", done.stdout)

    def test_listings(self):
        for name, guid in KERNELS.items():
            snapshot = image(f"windows-like/{name}.raw")
            for command in COMMANDS:
                with self.subTest(f"{name} {command}"):
                    builtin = listing(command, snapshot)
                    isf = listing(command, snapshot, "--symbols", isf_of(guid))
                    pdb = listing(command, snapshot, "--symbols", self.pdbs[name])
                    self.assertEqual(pdb[:2], isf[:2])
                    self.assertEqual(pdb[:2], builtin[:2])
                    if command == "info":
                        self.assertEqual(pdb[2], "pdb:" + self.pdbs[name])

    def test_symbol_store(self):
        store = os.path.join(self.folder, "store")
        for name in KERNELS:
            got = listing("info", image(f"windows-like/{name}.raw"), "--symbols", store)
            self.assertEqual(got[2], "pdb:" + self.pdbs[name])

    def test_symbols_without_types(self):
        name = "win19041-tiny"
        folder = os.path.join(self.folder, "bare")
        os.mkdir(folder)
        pdb = isf_to_pdb.make_pdb(isf_of(KERNELS[name]), folder, with_types=False)
        snapshot = image(f"windows-like/{name}.raw")
        for command in COMMANDS:
            bare = listing(command, snapshot, "--symbols", pdb)
            self.assertEqual(bare[:2], listing(command, snapshot)[:2])

    def test_another_kernel(self):
        got = run("ps", "--symbols", self.pdbs["win9600-tiny"],
                  image("windows-like/win19041-tiny.raw"))
        self.assertEqual(got.status, 1)
        self.assertIn(KERNELS["win9600-tiny"], got.err)
        self.assertIn(KERNELS["win19041-tiny"], got.err)

    def test_truncated(self):
        cut = os.path.join(self.folder, "cut.pdb")
        with open(self.pdbs["win7601-tiny"], "rb") as f:
            data = f.read()
        for size in (16, 40, 4096, len(data) // 2, len(data) - 1):
            with open(cut, "wb") as f:
                f.write(data[:size])
            got = run("ps", "--symbols", cut, image("windows-like/win7601-tiny.raw"))
            self.assertEqual(got.status, 1)
            self.assertIn(cut, got.err)


if __name__ == "__main__":
    TOOL = os.path.abspath(sys.argv.pop(2))
    if not all(map(shutil.which, ("clang", "lld-link"))):
        print("skipped: needs clang and lld-link")
        sys.exit(harness.SKIPPED)
    harness.main()
