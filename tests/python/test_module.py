# SPDX-License-Identifier: MIT
"""The Python module against the program's JSON, and what happens when it is misused.

usage: test_module.py PROGRAM
"""
import copy
import ctypes
import ctypes.util
import datetime
import gc
import json
import logging
import os
import pickle
import re
import subprocess
import sys
import threading
import unittest

import ntscope

PROGRAM = None
SAMPLE = "testdata/small-windows.dmp"
KERNEL = 0xfffff80042a00000
HEADER = "src/ntscope.h"


def by_program(*words):
    done = subprocess.run([PROGRAM, *words, "--format", "json", SAMPLE], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return json.loads(done.stdout) if done.stdout.strip() else None


def as_json(cell, kind):
    """A cell as the program prints it."""
    if cell is None:
        return None
    if kind in ("str", "bool", "list of str"):
        return cell
    if kind == "FileTime":
        return str(cell)
    if kind == "bytes":
        return cell.hex()
    if kind == "list of Explained":
        return [{"value": hex(v), "meaning": m, "detail": d} for v, m, d in cell]
    return [hex(v) for v in cell] if kind == "list of int" else cell


def same(ours, theirs, kind):
    shown = as_json(ours, kind)
    return shown == theirs or (kind == "int" and theirs == hex(shown))


class Commands(unittest.TestCase):
    """Every command that needs no arguments gives what the program gives."""

    def compare(self, name):
        with ntscope.open(SAMPLE) as s:
            try:
                rows = s.run(name)
            except ntscope.Error:
                self.assertIsNone(by_program(*name.split()))
                return
        command = ntscope.commands[name]
        theirs = by_program(*name.split())
        if command.one_object:
            theirs = [theirs] if theirs else []
        types = {c.key: c.type for c in command.columns}
        self.assertEqual(len(rows), len(theirs))
        for ours, row in zip(rows, theirs):
            for key in row:
                self.assertTrue(same(ours[key], row[key], types[key]),
                                f"{name}.{key}: {ours[key]!r}, {row[key]!r}")
            # of one object the program leaves out minor columns that are absent
            self.assertFalse([k for k in ours.keys() if k not in row and ours[k] is not None])

    def test_all(self):
        for name, command in ntscope.commands.items():
            words = (command.arguments or "[").split()
            if command.takes_snapshot and words[0].startswith("["):
                with self.subTest(name):
                    self.compare(name)

    def test_options(self):
        with ntscope.open(SAMPLE) as s:
            rows = s.ps(columns=["name", "pid"], sort="-pid", where=["pid>300", "name~e"], limit=2)
            self.assertEqual(rows.keys, ("name", "pid"))
            self.assertEqual(rows.column("pid"), [3560, 2204])
            self.assertTrue(any(s.ps(tree=True).column("depth")))
            self.assertEqual(s.ps(tree=False)[0].depth, None)
            self.assertEqual(s.ps(pid=348)[0].name, "smss.exe")
            self.assertEqual(s.vtop(KERNEL, brief=True)[0].pa, 0x140000)

    def test_without_a_snapshot(self):
        self.assertIn("raw", ntscope.run("formats").column("name"))
        with self.assertRaises(ntscope.UsageError):
            ntscope.run("ps")

    def test_output_in_place_of_rows(self):
        with ntscope.open(SAMPLE) as s:
            table = s.run("read", KERNEL, raw=True, length=2)
        self.assertEqual(table.output, b"MZ")
        self.assertEqual(list(table), [])

    def test_partial(self):
        with ntscope.open(SAMPLE) as s, self.assertLogs("ntscope", logging.WARNING):
            table = s.run("read", 0x1000)
        self.assertEqual(table.status, 3)
        self.assertFalse(table.complete)
        self.assertTrue(table.partial)


class Rows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with ntscope.open(SAMPLE) as s:
            cls.table = s.ps()

    def test_sequence(self):
        t = self.table
        self.assertEqual(len(t), 5)
        self.assertEqual(list(t), [t[i] for i in range(5)])
        self.assertEqual(t[-1], t[4])
        self.assertEqual(t[1:3], list(t)[1:3])
        self.assertEqual(t[::-1], list(t)[::-1])
        self.assertIn(t[2], t)
        with self.assertRaises(IndexError):
            t[5]

    def test_row(self):
        row = self.table[1]
        self.assertEqual((row.pid, row["pid"], row[0]), (348, 348, 348))
        self.assertEqual(dict(row)["name"], "smss.exe")
        self.assertIs(type(row.wow64), bool)
        for again in (pickle.loads(pickle.dumps(row)), copy.deepcopy(row)):
            self.assertEqual(again, row)
            self.assertEqual(again.name, row.name)
        with self.assertRaises(KeyError):
            row["no"]
        with self.assertRaises(AttributeError):
            row.no
        with self.assertRaises(AttributeError):
            row.pid = 4

    def test_collection_while_a_row_type_is_made(self):
        before = gc.get_threshold()
        gc.set_threshold(1)
        try:
            for i in range(100):
                keys = ("object", f"key{i}", "class", "keys", "_private")
                row = ntscope._row_type(keys)((1, 2, 3, 4, 5))
                self.assertEqual((row.object, row.class_, row.keys_, row._private), (1, 3, 4, 5))
                self.assertEqual(row.keys(), keys)
        finally:
            gc.set_threshold(*before)

    def test_times(self):
        time = self.table[3].exit_time
        self.assertEqual(str(time)[-5:], "6789Z")
        self.assertEqual(time.datetime.tzinfo, datetime.timezone.utc)
        self.assertEqual(time.unix_ns % 1_000_000_000, 345678900)
        self.assertGreater(time, self.table[3].create_time)
        self.assertIsNone(self.table[0].exit_time)
        self.assertEqual(f"{time}", str(time))


class Memory(unittest.TestCase):
    def setUp(self):
        self.s = ntscope.open(SAMPLE)
        self.addCleanup(self.s.close)

    def test_read(self):
        self.assertEqual(self.s.read(KERNEL, 2), b"MZ")
        self.assertEqual(self.s.read(0x140000, 2, physical=True), b"MZ")
        self.assertEqual(self.s.read(KERNEL, 0), b"")
        with self.assertRaises(ntscope.Absent) as caught:
            self.s.read(0x1000, 4)
        self.assertEqual(caught.exception.address, 0x1000)
        with self.assertRaises(ntscope.Absent) as caught:
            self.s.read(0x142ffe, 4, physical=True)
        self.assertEqual(caught.exception.address, 0x143000)

    def test_read_partial(self):
        start = 0x142000
        found = self.s.read_partial(start, 0x6000, physical=True)
        self.assertEqual([(offset, len(data)) for offset, data in found],
                         [(0, 0x1000), (0x4000, 0x2000)])
        for offset, data in found:
            self.assertEqual(self.s.read(start + offset, len(data), physical=True), data)
        self.assertEqual(self.s.read_partial(0x1000, 4096), [])
        top = self.s.read_partial((1 << 64) - 4096, 8192)
        self.assertTrue(all(offset + len(data) <= 4096 for offset, data in top))

    def test_translate(self):
        self.assertEqual(self.s.translate(0x614000, pid=348), 0x119000)
        self.assertIsNone(self.s.translate(0x614000))


class Misuse(unittest.TestCase):
    """An exception each, and never the end of the interpreter."""

    def test_closed(self):
        s = ntscope.open(SAMPLE)
        s.read(KERNEL, 2)
        rows = s.ps()
        s.close()
        s.close()
        self.assertEqual(rows[0].name, "System")
        for call in (s.ps, s.info, lambda: s.format, lambda: s.read(KERNEL, 2),
                     lambda: s.read(KERNEL, 2, pid=4), lambda: s.partial):
            with self.assertRaisesRegex(ValueError, "closed"):
                call()

    def test_never_opened(self):
        s = ntscope.Snapshot.__new__(ntscope.Snapshot)
        with self.assertRaises((ValueError, AttributeError)):
            s.ps()
        del s
        gc.collect()

    def test_open(self):
        for path, error in ((b"\0", ntscope.UsageError), ("", ntscope.Error),
                            ("/nonexistent", ntscope.OsError), (3, TypeError), (None, TypeError)):
            with self.assertRaises(error):
                ntscope.open(path)
        with self.assertRaises(OSError) as caught:
            ntscope.open("/nonexistent")
        self.assertEqual(caught.exception.errno, 2)
        self.assertIn("/nonexistent", str(caught.exception))
        for options in ({"no_such": 1}, {"threads": True}, {"quiet": 5}):
            with self.assertRaises(TypeError):
                ntscope.open(SAMPLE, **options)
        for options in ({"pid": 4}, {"dtb": "x"}, {"threads": 10 ** 9}, {"format": "csv"}):
            with self.assertRaises(ntscope.UsageError):
                ntscope.open(SAMPLE, **options)

    def test_arguments(self):
        with ntscope.open(SAMPLE) as s:
            for wrong in (lambda: s.vtop(object()), lambda: s.ps(tree=3), lambda: s.ps(no=1),
                          lambda: s.read("0x1000", 4), lambda: s.read(0, 1.5),
                          lambda: s.read(0, 4, nothing=1), lambda: s.read(True, 4)):
                with self.assertRaises(TypeError):
                    wrong()
            for wrong in (lambda: s.read(-1, 4), lambda: s.read(1 << 64, 4),
                          lambda: s.read(0, -1), lambda: s.vtop("a\0b"), lambda: s.ps("x"),
                          lambda: s.ps(columns="x"), lambda: s.ps(symbols="x"),
                          lambda: s.run("batch" * 1000), lambda: s.ps(where="pid==")):
                with self.assertRaises(ValueError):
                    wrong()
            with self.assertRaises((MemoryError, OverflowError)):
                s.read(0, sys.maxsize)
            with self.assertRaises(AttributeError):
                s.no_such_command
            with self.assertRaises(ntscope.NotFound):
                s.ps(pid=77)

    def test_garbage_collection(self):
        for _ in range(20):
            ntscope.open(SAMPLE).read(KERNEL, 2)
        gc.collect()

    def test_closing_while_others_read(self):
        s = ntscope.open(SAMPLE)
        failed = []

        def work():
            try:
                while True:
                    self.assertEqual(len(s.ps()), 5)
                    self.assertEqual(s.read(KERNEL, 2), b"MZ")
            except ValueError as err:
                if "closed" not in str(err):
                    failed.append(err)
            except BaseException as err:  # a thread's exception would be lost
                failed.append(err)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        s.ps()
        s.close()
        for t in threads:
            t.join()
        self.assertEqual(failed, [])


class Interface(unittest.TestCase):
    """What the module believes of the library is what the header says."""

    CTYPES = {"size_t": ctypes.c_size_t, "uint64_t": ctypes.c_uint64, "int": ctypes.c_int,
              "unsigned": ctypes.c_uint, "void": None}

    @classmethod
    def setUpClass(cls):
        with open(HEADER, encoding="utf-8") as f:
            cls.header = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
        cls.header = " ".join(cls.header.split())

    def ctype(self, text):
        text = re.sub(r"\b(const|struct|enum)\b", "", text)
        words, stars = text.replace("*", " ").split(), text.count("*")
        if not stars:
            return self.CTYPES.get(words[0], ctypes.c_int)
        if words[0] == "char":
            return ctypes.c_char_p if stars == 1 else "pointer"
        return "pointer"

    def accepts(self, ours, theirs):
        if theirs == "pointer":
            return ours is ctypes.c_void_p or hasattr(ours, "contents")
        return ours is theirs

    def test_functions(self):
        declared = {}
        for result, name, arguments in re.findall(r"NTS_API ([^;(]*?)(nts_\w+)\(([^;]*?)\);",
                                                  self.header):
            declared[name] = (result, [] if arguments == "void" else arguments.split(","))
        for name, (result, *arguments) in ntscope._FUNCTIONS.items():
            with self.subTest(name):
                self.assertTrue(self.accepts(result, self.ctype(declared[name][0])))
                self.assertEqual(len(arguments), len(declared[name][1]))
                for ours, theirs in zip(arguments, declared[name][1]):
                    if ours is not ntscope._GapFn:
                        self.assertTrue(self.accepts(ours, self.ctype(theirs)), theirs)

    def enum(self, name):
        return re.search(rf"enum {name} {{ (.*?),? }}", self.header).group(1).split(", ")

    def test_enums(self):
        self.assertIn(f"#define NTS_INTERFACE {ntscope.INTERFACE} ", self.header)
        self.assertEqual(len(self.enum("nts_error_code")), len(ntscope._ERRORS))
        self.assertEqual(len(self.enum("nts_option_kind")), len(ntscope._KIND_NAMES))
        names = self.enum("nts_type")
        self.assertEqual(len(names), len(ntscope._TYPE_NAMES))
        for i, name in enumerate(names):
            self.assertEqual(getattr(ntscope, name.replace("NTS", "")), i)

    def test_no_structure_is_public(self):
        self.assertNotRegex(self.header, r"struct \w+ \{")

    def test_a_library_that_is_none(self):
        code = "import ntscope"
        for path in ("/nonexistent", "/dev/null", ctypes.util.find_library("c")):
            done = subprocess.run([sys.executable, "-c", code], text=True, check=False,
                                  env={**os.environ, "NTSCOPE_LIBRARY": path},
                                  stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 1)
            self.assertIn("ImportError", done.stderr)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    logging.getLogger("ntscope").addHandler(logging.NullHandler())
    unittest.main(argv=sys.argv[:1], verbosity=2)
