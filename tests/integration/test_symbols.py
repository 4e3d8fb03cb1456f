# SPDX-License-Identifier: MIT
"""The commands 'symbols' and 'type', the symbol store, and where fields come from, on testdata's
small Windows; with ../shared also real kernels' symbols.

usage: test_symbols.py PROGRAM [unittest arguments]
"""
import json
import os
import re
import shutil
import sys
import tempfile
import unittest

import harness
import isf_to_pdb

SNAPSHOT = os.path.join(harness.TOP, "testdata", "small-windows.dmp")
GUID = "9C00B19DBDE003DBFE4AB4216993C843"
ISF = os.path.join(harness.IMAGES, "windows-like", "isf", f"{GUID}-1.json.xz")
PARTIAL = 3

U32 = {"kind": "base", "name": "unsigned long"}
U8 = {"kind": "base", "name": "unsigned char"}
U64 = {"kind": "base", "name": "unsigned long long"}


def struct(name):
    return {"kind": "struct", "name": name}


def fields(**members):
    return {name: {"offset": offset, "type": kind} for name, (offset, kind) in members.items()}


def small_isf(guid=GUID, first=0x10):
    """Symbols of the small Windows' kernel that nothing else has."""
    types = {
        "_PAIR": {"kind": "struct", "size": 8, "fields": fields(Low=(0, U32), High=(4, U32))},
        "_SAMPLE": {"kind": "struct", "size": 48, "fields": fields(
            Text=(0, {"kind": "array", "count": 8, "subtype": U8}),
            Pair=(8, struct("_PAIR")),
            Pairs=(16, {"kind": "array", "count": 2, "subtype": struct("_PAIR")}),
            Self=(32, {"kind": "pointer", "subtype": struct("_SAMPLE")}),
            Bits=(40, {"kind": "bitfield", "bit_position": 4, "bit_length": 8, "type": U64}))},
    }
    return {
        "metadata": {"windows": {"pdb": {"GUID": guid, "age": 1, "database": "ntkrnlmp.pdb"}}},
        "base_types": {"pointer": {"size": 8}, "unsigned long": {"size": 4},
                       "unsigned char": {"size": 1}, "unsigned long long": {"size": 8}},
        "user_types": types,
        "enums": {"_COLOUR": {"size": 4, "constants": {"Red": 1, "Blue": -1}}},
        "symbols": {"FirstThing": {"address": first}, "SecondThing": {"address": 0x7000}},
    }


class WithCache(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ntscope-symbols.")
        self.addCleanup(shutil.rmtree, self.folder)
        self.cache = os.path.join(self.folder, "cache")
        self.store = os.path.join(self.cache, "ntscope", "symbols")
        self.isf = os.path.join(self.folder, "small.json")
        self.put(self.isf, small_isf())

    def put(self, path, isf):
        with open(path, "w") as f:
            json.dump(isf, f)

    def run_program(self, *args):
        return harness.run(*args, env={"XDG_CACHE_HOME": self.cache})

    def rows(self, *args, status=0):
        got = self.run_program(args[0], "--format", "json", *args[1:])
        self.assertEqual(got.status, status, got.err)
        return got.json()

    def description(self, *args):
        return self.rows("info", *args, SNAPSHOT)["symbols"]

    def add(self, *paths):
        got = self.run_program("symbols", "add", "--format", "json", *paths)
        self.assertEqual(got.status, 0, got.err)
        return got.json()

    def files(self):
        return sorted(os.path.relpath(os.path.join(top, name), self.store)
                      for top, _, names in os.walk(self.store) for name in names)


class Store(WithCache):
    def test_added_symbols_are_used(self):
        self.assertEqual(self.description(), "builtin:exact")
        self.assertFalse(os.path.exists(self.cache))
        self.assertEqual(self.add(self.isf), [{
            "file": self.isf, "pdb_name": "ntkrnlmp.pdb", "pdb_guid": GUID, "pdb_age": 1, "types": 3,
            "symbols": 2, "path": os.path.join(self.store, f"{GUID}-1.sym")}])
        self.assertEqual(self.files(), [f"{GUID}-1.sym"])
        self.assertEqual(self.description(), f"store:{GUID}-1")
        self.assertEqual(self.description("--no-builtin-symbols"), f"store:{GUID}-1")
        self.assertEqual(self.description("--no-symbol-store"), "builtin:exact")
        self.assertEqual(self.description("--symbols", self.isf), f"isf:{self.isf}")

    def test_adding_again_replaces(self):
        self.add(self.isf)
        self.put(self.isf, small_isf(first=0x20))
        self.add(self.isf)
        self.assertEqual(self.files(), [f"{GUID}-1.sym"])
        self.assertEqual(self.rows("symbols", SNAPSHOT, "FirstThing")[0]["rva"], "0x20")

    def test_one_bad_file_does_not_keep_others_out(self):
        got = self.run_program("symbols", "add", "--format", "json", SNAPSHOT, self.isf)
        self.assertEqual(got.status, PARTIAL)
        self.assertIn("not added: " + SNAPSHOT, got.err)
        self.assertEqual([row["file"] for row in got.json()], [self.isf])

    def test_another_kernels_symbols_are_not_used(self):
        self.put(self.isf, small_isf(guid="0" * 31 + "1"))
        self.add(self.isf)
        self.assertEqual(self.description(), "builtin:exact")

    def test_damaged_file_is_named_and_not_used(self):
        path = self.add(self.isf)[0]["path"]
        with open(path, "r+b") as f:
            f.seek(120)
            f.write(b"\xff\xff")
        got = self.run_program("info", SNAPSHOT)
        self.assertEqual(got.status, 0)
        self.assertIn(path, got.err)
        self.assertIn("builtin:exact", got.out)

    def test_symbol_file_is_read_once(self):
        first = self.run_program("symbols", "--symbols", self.isf, SNAPSHOT)
        kept = self.files()
        self.assertEqual(len(kept), 1)
        self.assertTrue(kept[0].startswith("read/"), kept)
        before = os.stat(os.path.join(self.store, kept[0])).st_mtime_ns
        again = self.run_program("symbols", "--symbols", self.isf, SNAPSHOT)
        self.assertEqual((again.status, again.out, again.err),
                         (first.status, first.out, first.err))
        self.assertEqual(os.stat(os.path.join(self.store, kept[0])).st_mtime_ns, before)
        self.assertEqual(self.description(), "builtin:exact")

    def test_nothing_is_kept_without_store(self):
        self.run_program("info", "--no-symbol-store", "--symbols", self.isf, SNAPSHOT)
        self.assertFalse(os.path.exists(self.cache))

    def test_symbols(self):
        rows = self.rows("symbols", "--symbols", self.isf, SNAPSHOT, "*thing", "7010")
        self.assertEqual([(r["name"], r["rva"], r["offset"], r["source"]) for r in rows], [
            ("FirstThing", "0x10", None, "isf"), ("SecondThing", "0x7000", None, "isf"),
            ("SecondThing", "0x7000", "0x10", "isf")])
        rows = self.rows("symbols", "--symbols", self.isf, SNAPSHOT)
        self.assertIn(("PsActiveProcessHead", "builtin"),
                      [(r["name"], r["source"]) for r in rows])
        self.assertEqual([int(r["rva"], 16) for r in rows],
                         sorted(int(r["rva"], 16) for r in rows))

    def test_type(self):
        rows = self.rows("type", "--symbols", self.isf, SNAPSHOT, "sample")
        self.assertEqual([(r["offset"], r["name"], r["type"], r["size"], r["bit"], r["bits"])
                          for r in rows], [
            ("0x0", "Text", "[8] unsigned char", 8, None, None),
            ("0x8", "Pair", "_PAIR", 8, None, None),
            ("0x10", "Pairs", "[2] _PAIR", 16, None, None),
            ("0x20", "Self", "pointer to _SAMPLE", 8, None, None),
            ("0x28", "Bits", "unsigned long long", 8, 4, 8)])
        rows = self.rows("type", "--depth", "1", "--symbols", self.isf, SNAPSHOT, "nt!_SAMPLE")
        self.assertEqual([r["name"] for r in rows if "." in r["name"]],
                         ["Pair.Low", "Pair.High", "Pairs[0].Low", "Pairs[0].High"])
        rows = self.rows("type", "--symbols", self.isf, SNAPSHOT, "_COLOUR")
        self.assertEqual([(r["name"], r["value"]) for r in rows],
                         [("Blue", "0xffffffff"), ("Red", "0x1")])
        rows = self.rows("type", "--symbols", self.isf, SNAPSHOT, "_[PS]A*")
        self.assertEqual([(r["name"], r["type"], r["size"]) for r in rows],
                         [("_PAIR", "struct", 8), ("_SAMPLE", "struct", 48)])

    def test_values(self):
        """As `read` shows the same bytes."""
        process = self.rows("ps", "--pid", "4", SNAPSHOT)[0]["eprocess"]
        base = self.rows("info", SNAPSHOT)["kernel_base"]
        for where in (process, base):
            rows = self.rows("read", "--length", "48", SNAPSHOT, where)
            data = bytes.fromhex("".join(r["bytes"] for r in rows))
            rows = self.rows("type", "--depth", "1", "--symbols", self.isf, SNAPSHOT, "_SAMPLE",
                             where)
            values = {r["name"]: r["value"] for r in rows}
            self.assertEqual(int(values["Pair.Low"], 16), int.from_bytes(data[8:12], "little"))
            self.assertEqual(int(values["Self"], 16), int.from_bytes(data[32:40], "little"))
            self.assertEqual(int(values["Bits"], 16),
                             int.from_bytes(data[40:48], "little") >> 4 & 0xff)
            self.assertIn(values["Text"], (data[:8].hex(), '"MZ"'))
            self.assertIsNone(values["Pair"])
            self.assertEqual({r["state"] for r in rows if r["value"]}, {"mapped"})

    def test_absent_values(self):
        got = self.run_program("type", "--format", "json", "--symbols", self.isf, SNAPSHOT,
                               "_PAIR", "12345")
        self.assertEqual(got.status, PARTIAL)
        self.assertEqual([(r["value"], r["state"]) for r in got.json()],
                         [(None, "not_present")] * 2)
        self.assertIn("2 values are not in the snapshot", got.err)

    def test_verbose_info_tells_every_field(self):
        got = self.run_program("info", "--verbose", SNAPSHOT)
        self.assertEqual(got.status, 0)
        self.assertRegex(got.err, r"located by \S+")
        self.assertRegex(got.err, r"PsActiveProcessHead at 0x[0-9a-f]+ \(\w+\)")
        self.assertRegex(got.err, r"_EPROCESS\.UniqueProcessId: offset 0x440, 8 bytes \(builtin\)")
        self.assertEqual(got.out, self.run_program("info", SNAPSHOT).out)


@unittest.skipUnless(os.path.exists(ISF), "../shared is not here")
class Kernel(WithCache):
    """The same listings with the kernel's ISF as with what was kept of it."""

    COMMANDS = [("info", SNAPSHOT), ("ps", SNAPSHOT), ("modules", SNAPSHOT),
                ("symbols", SNAPSHOT), ("type", SNAPSHOT),
                ("type", SNAPSHOT, "_EPROCESS", "--depth", "3"),
                ("type", SNAPSHOT, "_KTHREAD", "--depth", "3")]

    def outputs(self, *options):
        """What each command prints, without the name of the source."""
        ret = []
        for command in self.COMMANDS:
            got = self.run_program(*command, "--format", "csv", *options)
            self.assertIn(got.status, (0, PARTIAL), got.err)
            ret.append(re.sub(r"(isf|pdb|store)(:[^,\n]*)?(?=[,\n])", "SOURCE", got.out))
        return ret

    def compare(self, path):
        fresh = self.outputs("--symbols", path, "--no-symbol-store")
        self.outputs("--symbols", path)
        kept = self.outputs("--symbols", path)
        self.assertEqual(self.add(path)[0]["pdb_guid"], GUID)
        stored = self.outputs()
        self.assertEqual(self.description(), f"store:{GUID}-1")
        for i, command in enumerate(self.COMMANDS):
            with self.subTest(command):
                self.assertGreater(len(fresh[i]), 100)
                self.assertTrue(kept[i] == fresh[i])
                self.assertTrue(stored[i] == fresh[i])

    def test_discovered(self):
        """What the snapshot shows by itself, where it shows it."""
        snapshot = harness.image("windows-like/win19041-tiny.raw")
        given = {r["name"]: r["offset"] for r in
                 self.rows("type", snapshot, "_EPROCESS", "--depth", "1", "--symbols", ISF)}
        found = self.rows("type", snapshot, "eprocess", "--no-builtin-symbols")
        self.assertEqual({r["source"] for r in found}, {"discovery"})
        names = {r["name"] for r in found}
        self.assertLessEqual({"UniqueProcessId", "ActiveProcessLinks", "ImageFileName"}, names)
        self.assertEqual({r["name"]: r["offset"] for r in found if r["name"] in given},
                         {name: given[name] for name in names if name in given})
        rows = self.rows("symbols", snapshot, "PsActiveProcessHead", "--no-builtin-symbols")
        self.assertEqual([r["source"] for r in rows], ["discovery"])

    def test_isf(self):
        self.compare(ISF)

    @unittest.skipUnless(all(map(shutil.which, ("clang", "lld-link"))), "needs clang and lld-link")
    def test_pdb(self):
        self.compare(isf_to_pdb.make_pdb(ISF, self.folder))


if __name__ == "__main__":
    harness.PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
