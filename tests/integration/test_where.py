# SPDX-License-Identifier: MIT
"""--where and --sort on every command that prints a table, against Python over the same rows.

For each column: the rows that have its first value, and those that some other operator chooses,
each time in another order. What a column holds is told by its values.
"""
import concurrent.futures
import itertools
import json
import operator
import re
import unittest

from harness import machine, main, run

# arguments after the snapshot, and options, where a command needs some to have rows
WORDS = {
    "info": [],
    "analyze": [],
    "timeline": ["--all"],
    "ps": ["--scan"],
    "threads": ["--scan"],
    "params": [],
    "dlls": [],
    "envars": ["--pid", "972"],
    "tokens": [],
    "handles": [],
    "vads": [],
    "maps": ["--pid", "972"],
    "objects": [],
    "files": [],
    "sections": [],
    "registry hives": [],
    "registry keys": ["--recursive"],
    "registry values": ["--recursive"],
    "registry get": [r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run", "winupd"],
    "modules": ["--scan"],
    "drivers": ["--scan"],
    "devices": [],
    "ssdt": [],
    "callbacks": [],
    "timers": [],
    "bigpools": [],
    "pooltags": [],
    "sessions": [],
    "cpus": [],
    "stack": [],
    "registers": [],
    "idt": [],
    "gdt": [],
    "vtop": ["--pid", "972", "0x7ffe0000", "0xfffff80042a00000"],
    "disasm": ["nt!NtClose"],
    "pe": ["ntoskrnl.exe"],
    "type": ["_EPROCESS"],
    "symbols": ["*Process*"],
    "formats": None,
}
# the small machine has none of these
WITHOUT_ROWS = {"pooltags"}
# these write files, run other commands, or print what is no table
WITHOUT = {"read", "dump", "convert", "symbols add", "record", "verify", "report", "batch",
           "completion"}

ADDRESS = re.compile(r"0x[0-9a-f]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
COMPARE = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
           ">": operator.gt, ">=": operator.ge}


def lower(text):
    """ASCII letters only, as bytes: the program's order of text."""
    return text.encode("utf-8", "surrogatepass").lower()


def items(value):
    if value is None:
        return []
    return [v["value"] if isinstance(v, dict) else v
            for v in (value if isinstance(value, list) else [value])]


class Column:
    """What its values are like, taken together."""

    def __init__(self, key, rows):
        self.key = key
        self.values = [row[key] for row in rows]
        flat = [v for value in self.values for v in items(value) if v is not None]
        self.is_text = all(isinstance(v, str) for v in flat)
        self.is_address = self.is_text and all(ADDRESS.fullmatch(v) for v in flat)
        self.is_time = self.is_text and all(TIME.fullmatch(v) for v in flat)

    def number(self, value):
        return int(value, 16) if self.is_address else value

    def fits(self, op, wanted, value):
        found = any(self.fits_one(op.lstrip("!"), wanted, v) for v in items(value)
                    if v is not None)
        return found != op.startswith("!")

    def fits_one(self, op, wanted, value):
        if op == "~":
            return wanted.lower() in value.lower()
        if self.is_time:
            return COMPARE[op](value[:len(wanted)], wanted)
        if self.is_text and not self.is_address:
            return COMPARE[op](lower(value), lower(wanted))
        return COMPARE[op](self.number(value), self.number(wanted))

    def order(self, row):
        """For sorting; absent values are not asked for."""
        value = row[self.key]
        if isinstance(value, list):
            return [self.order_one(v) for v in items(value)]
        return self.order_one(value)

    def order_one(self, value):
        if value is None:
            return (1, 0)
        if self.is_text and not self.is_address:
            return (0, value.encode("utf-8", "surrogatepass"))
        return (0, self.number(value))

    def sort(self, rows, descending):
        there = [r for r in rows if r[self.key] is not None]
        return (sorted(there, key=self.order, reverse=descending) +
                [r for r in rows if r[self.key] is None])

    def conditions(self):
        """(text, function) pairs."""
        key = self.key
        yield f"{key}=-", lambda r: r[key] is None
        yield f"{key}!=-", lambda r: r[key] is not None
        flat = [v for value in self.values for v in items(value) if is_usable(v)]
        if not flat:
            return
        first, middle = flat[0], sorted(flat, key=str)[len(flat) // 2]
        yield f"{key}={spell(first)}", lambda r: self.fits("=", first, r[key])
        yield f"{key}!={spell(middle)}", lambda r: self.fits("!=", middle, r[key])
        if not isinstance(first, bool):
            for op in ("<", "<=", ">", ">="):
                yield (f"{key}{op}{spell(middle)}",
                       lambda r, op=op: self.fits(op, middle, r[key]))
        if self.is_time:
            day = middle[:13]
            yield f"{key}={day}", lambda r: self.fits("=", day, r[key])
        word = re.search(r"[A-Za-z]{2,6}", middle) if self.is_text else None
        if word:
            word = word.group()
            yield f"{key}~{word}", lambda r: self.fits("~", word, r[key])
            yield f"{key}!~{word}", lambda r: self.fits("!~", word, r[key])


def is_usable(value):
    """Can it stand on a command line, as itself?"""
    return value is not None and value != "-" and not (
        isinstance(value, str) and ("\0" in value or "\ufffd" in value))


def spell(value):
    return json.dumps(value) if isinstance(value, (bool, int)) else value


class Tables(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = machine("win19041-tiny")

    def listing(self, name, *options):
        words = WORDS[name]
        snapshot = [] if words is None else [self.path]
        return run(*name.split(), *options, *snapshot, *(words or []))

    def columns(self, name):
        out = self.listing(name, "--columns", "help").out
        return re.findall(r"^  (\w+)", out, re.M)

    def rows(self, name, columns, *options):
        result = self.listing(name, "--format", "jsonl", "--columns", ",".join(columns), *options)
        self.assertIn(result.status, (0, 3), f"{name} {options}: {result.err}")
        return [json.loads(line) for line in result.out.splitlines()]

    def check(self, name):
        keys = self.columns(name)
        rows = self.rows(name, keys)
        self.assertEqual(bool(rows), name not in WITHOUT_ROWS, name)
        columns = [Column(key, rows) for key in keys]
        cycle = itertools.count()
        for number, column in enumerate(columns):
            conditions = list(column.conditions())
            other = columns[(number + 1) % len(columns)]
            # "=", where there is a value, and of the others one at every second column
            chosen = conditions[2:3]
            if not chosen or number % 2:
                chosen.append(conditions[next(cycle) % len(conditions)])
            for descending, (text, fits) in zip((False, True), chosen):
                self.check_one(name, keys, rows, column, other, descending, text, fits)

    def check_one(self, name, keys, rows, column, other, descending, text, fits):
        order = f"{'-' if descending else ''}{other.key},{'' if descending else '-'}{column.key}"
        expected = other.sort(column.sort([r for r in rows if fits(r)], not descending),
                              descending)
        found = self.rows(name, keys, "--where", text, "--sort", order)
        self.assertEqual(found, expected, f"{name} --where {text!r} --sort {order}")

    def test_every_command(self):
        names = [n for n, words in WORDS.items()]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for name, done in zip(names, pool.map(self.outcome, names)):
                with self.subTest(name):
                    if done:
                        raise done

    def outcome(self, name):
        try:
            return self.check(name)
        except Exception as error:  # told apart by the subtests
            return error

    def test_none_is_forgotten(self):
        overview = run("help").out.split("\nhelp:")[0]
        names = set(re.findall(r"^  (\S+(?: \S+)?)  +\S", overview, re.M))
        self.assertEqual(names, set(WORDS) | WITHOUT)

    def test_wrong_columns(self):
        for name in WORDS:
            key = self.columns(name)[0]
            for option in (["--where", "nosuch=1"], ["--sort", "nosuch"], ["--sort", "-nosuch"],
                           ["--columns", "nosuch"], ["--columns", f"{key},{key}"],
                           ["--where", key], ["--where", f"{key}~("]):
                with self.subTest(f"{name} {option}"):
                    result = self.listing(name, *option)
                    self.assertEqual((result.status, result.out), (2, ""), result.err)

    def test_several_conditions_and_limit(self):
        rows = self.rows("handles", ["pid", "type", "handle"])
        expected = [r for r in rows if r["type"] == "File" and r["pid"] > 500]
        expected.sort(key=lambda r: r["handle"], reverse=True)
        self.assertEqual(self.rows("handles", ["pid", "type", "handle"], "--where", "type=file",
                                   "--where", "pid>500", "--sort", "-handle", "--limit", 5),
                         expected[:5])


if __name__ == "__main__":
    main()
