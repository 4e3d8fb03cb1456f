# SPDX-License-Identifier: MIT
"""Four ways to know a kernel: a PDB, an ISF file, the built-in layouts, and what the snapshot
itself tells. The first three say the same of everything; the last says the same or nothing.

usage: test_four_ways.py PROGRAM PDBS [unittest arguments]

PDBS: the symbol store that isf_to_pdb.py makes of the kernels' PDBs.
"""
import collections
import concurrent.futures
import os
import re
import sys
import tempfile
import unittest

import harness
import isf_to_pdb
from harness import image, run

COMMANDS = (
    "info", "ps", "ps --scan", "ps --crossview", "threads", "threads --scan", "params", "dlls",
    "envars", "tokens", "tokens --groups", "tokens --privileges", "handles", "vads", "maps",
    "objects", "files", "files --scan", "sections", "registry hives", "registry keys --recursive",
    "registry values --recursive", "modules", "modules --scan", "modules --unloaded", "drivers",
    "drivers --irps", "drivers --scan", "devices", "ssdt", "callbacks", "timers", "bigpools",
    "pooltags", "sessions", "cpus", "idt", "gdt", "stack --all",
)
# What discovery knows whole; of the others it lists what it can, or says that it cannot.
WHOLE = {"info", "ps", "ps --scan", "ps --crossview", "threads", "params", "dlls", "envars",
         "handles", "modules", "modules --scan", "modules --unloaded", "ssdt", "sessions", "cpus"}
PDBS = None


def symbol_free(text):
    """'module+0x10' and 'module!Name' are one place, told with and without the symbol's name."""
    return re.sub(r"(\.\w+|\\\S+)(![^\s,]+|\+0x[0-9a-f]+)", r"\1", text)


def same_place(cell, plain):
    """CELL with names of symbols, PLAIN perhaps without: the same but for those."""
    if isinstance(cell, list) and isinstance(plain, list):
        return len(cell) == len(plain) and all(map(same_place, cell, plain))
    if isinstance(cell, dict) and isinstance(plain, dict):
        return cell.keys() == plain.keys() and all(same_place(cell[k], plain[k]) for k in cell)
    if isinstance(cell, str) and isinstance(plain, str) and "!" in cell and "!" not in plain:
        return symbol_free(cell) == symbol_free(plain)
    return cell == plain


def may_stand_for(key, cell, plain):
    """May the built-in layouts say PLAIN where a symbol file says CELL?"""
    return cell == plain or (key == "symbol" and plain is None) or same_place(cell, plain)


def joined(rows):
    """Rows of maps that only their regions keep apart, as one: regions may be unknown."""
    result = []
    for row in rows:
        last = result[-1] if result else None
        rest = {k: v for k, v in row.items()
                if k not in ("start", "end", "size", "pages", "region", "type", "file")}
        if last and int(last["end"], 16) + 1 == int(row["start"], 16) and \
                all(last[k] == v for k, v in rest.items()):
            last["end"] = row["end"]
            last["size"] += row["size"]
            last["pages"] += row["pages"]
            last.update(region=None, type=None, file=None)
        else:
            result.append(dict(row))
    return result


def unexplained(rows, truth):
    """Those of ROWS that are no row of TRUTH with some cells left out, each used once."""
    by_cells, wrong = {}, []
    for row in rows:
        present = tuple(sorted(k for k, v in row.items() if v is not None))
        if present not in by_cells:
            by_cells[present] = collections.Counter(
                tuple(repr(known.get(k)) for k in present) for known in truth)
        cells = tuple(repr(row[k]) for k in present)
        if by_cells[present][cells] <= 0:
            wrong.append(row)
        by_cells[present][cells] -= 1
    return wrong


class FourWays(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.caches = tempfile.TemporaryDirectory(prefix="ntscope-ways.")
        cls.answers = {}
        jobs = [(name, way, command) for name in isf_to_pdb.KERNELS
                for way in ("builtin", "isf", "pdb", "discovery") for command in COMMANDS]
        # what --symbols reads is kept from one command to the next, apart for each way
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            cls.answers = dict(zip(jobs, pool.map(lambda job: cls.ask(*job), jobs)))

    @classmethod
    def tearDownClass(cls):
        cls.caches.cleanup()

    @classmethod
    def ask(cls, name, way, command):
        options = {
            "builtin": ["--no-symbol-store"],
            "isf": ["--symbols", isf_to_pdb.isf_of(name)],
            "pdb": ["--symbols", isf_to_pdb.pdb_of(PDBS, name)],
            "discovery": ["--no-builtin-symbols", "--no-symbol-store"],
        }[way]
        got = run(*command.split(), "--format", "json", *options,
                  image(f"windows-like/{name}.raw"),
                  env={"XDG_CACHE_HOME": os.path.join(cls.caches.name, way)})
        rows = got.json() if got.out else None
        if command == "info":
            rows.pop("symbols")
            rows = [rows]
        return got, rows

    def each(self):
        for name in isf_to_pdb.KERNELS:
            for command in COMMANDS:
                yield name, command, self.answers[name, "builtin", command]

    def test_builtin_knows_everything(self):
        for name, command, (got, rows) in self.each():
            with self.subTest(f"{name} {command}"):
                self.assertIn(got.status, (0, 3), got.err)
                if command != "pooltags":  # whose tables are empty on these machines
                    self.assertTrue(rows)

    def test_symbol_files(self):
        for name, command, (builtin, known) in self.each():
            for way in ("isf", "pdb"):
                with self.subTest(f"{name} {command} {way}"):
                    got, rows = self.answers[name, way, command]
                    self.assertEqual(got.status, builtin.status, got.err)
                    self.assertEqual(got.err, builtin.err)
                    self.assertEqual(len(rows), len(known))
                    differ = [(k, row[k], plain[k]) for row, plain in zip(rows, known)
                              for k in row.keys() | plain.keys()
                              if not may_stand_for(k, row[k], plain[k])]
                    self.assertEqual(differ, [])

    def test_pdb_is_isf(self):
        for name, command, _ in self.each():
            with self.subTest(f"{name} {command}"):
                isf, pdb = (self.answers[name, way, command] for way in ("isf", "pdb"))
                self.assertEqual(isf[0].status, pdb[0].status)
                self.assertEqual(isf[1], pdb[1])

    def test_discovery_is_right_or_silent(self):
        for name, command, (_, known) in self.each():
            with self.subTest(f"{name} {command}"):
                got, rows = self.answers[name, "discovery", command]
                self.assertIn(got.status, (0, 1, 3), got.err)
                if command == "maps":
                    rows, known = joined(rows), joined(known)
                self.assertEqual(unexplained(rows or [], known), [])

    def test_discovery_says_what_it_lacks(self):
        """Fewer rows without a word would look like a smaller machine."""
        for name, command, (builtin, known) in self.each():
            with self.subTest(f"{name} {command}"):
                got, rows = self.answers[name, "discovery", command]
                if command in WHOLE:
                    self.assertEqual(len(rows), len(known))
                elif command != "maps" and len(rows or []) != len(known):
                    self.assertIn(got.status, (1, 3), got.err)
                    self.assertTrue(got.err)


if __name__ == "__main__":
    PDBS = os.path.abspath(sys.argv.pop(2))
    isf_to_pdb.skip_without_tools()
    harness.main()
