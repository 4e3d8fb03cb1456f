# SPDX-License-Identifier: MIT
"""PDBs that clang and lld make of the windows-like kernels' symbols: every member and symbol as in
the ISF file. test_four_ways.py compares what the program says with either.

usage: test_pdb.py PROGRAM SYMBOLS_TOOL PDBS [unittest arguments]

PDBS: the symbol store that isf_to_pdb.py makes of the kernels' PDBs.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness
import isf_to_pdb
from harness import image, run
from isf_to_pdb import KERNELS, isf_of, pdb_of

COMMANDS = ("info", "ps", "modules", "cpus")
TOOL = PDBS = None


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

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_members_and_symbols(self):
        for name in KERNELS:
            with self.subTest(name):
                done = subprocess.run([TOOL, pdb_of(PDBS, name), isf_of(name)], text=True,
                                      stdout=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, 0, done.stdout[-4000:])
                self.assertIn(": 0 differences", done.stdout)

    def test_symbol_store(self):
        for name in KERNELS:
            for symbols in (PDBS, pdb_of(PDBS, name)):
                got = listing("info", image(f"windows-like/{name}.raw"), "--symbols", symbols)
                self.assertEqual(got[2], "pdb:" + pdb_of(PDBS, name))

    def test_symbols_without_types(self):
        name = "win19041-tiny"
        folder = os.path.join(self.folder, "bare")
        os.mkdir(folder)
        pdb = isf_to_pdb.make_pdb(isf_of(name), folder, with_types=False)
        snapshot = image(f"windows-like/{name}.raw")
        for command in COMMANDS:
            bare = listing(command, snapshot, "--symbols", pdb)
            self.assertEqual(bare[:2], listing(command, snapshot)[:2])

    def test_another_kernel(self):
        got = run("ps", "--symbols", pdb_of(PDBS, "win9600-tiny"),
                  image("windows-like/win19041-tiny.raw"))
        self.assertEqual(got.status, 1)
        self.assertIn(KERNELS["win9600-tiny"], got.err)
        self.assertIn(KERNELS["win19041-tiny"], got.err)

    def test_truncated(self):
        cut = os.path.join(self.folder, "cut.pdb")
        with open(pdb_of(PDBS, "win7601-tiny"), "rb") as f:
            data = f.read()
        for size in (16, 40, 4096, len(data) // 2, len(data) - 1):
            with open(cut, "wb") as f:
                f.write(data[:size])
            got = run("ps", "--symbols", cut, image("windows-like/win7601-tiny.raw"))
            self.assertEqual(got.status, 1)
            self.assertIn(cut, got.err)


if __name__ == "__main__":
    PDBS = os.path.abspath(sys.argv.pop(3))
    TOOL = os.path.abspath(sys.argv.pop(2))
    isf_to_pdb.skip_without_tools()
    harness.main()
