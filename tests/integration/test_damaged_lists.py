# SPDX-License-Identifier: MIT
"""The kernel's own lists, each broken in every way: modules, unloaded drivers, processors, and the
loader's list as stacks use it. What is still listed is what must be.

usage: test_damaged_lists.py PROGRAM [unittest arguments]
"""
import json
import lzma
import struct
import unittest

import harness
from harness import Damaged, address, machine, machine_truth, number, run

NAME = "win19041-tiny"
UNMAPPED = 0xFFFFF8FFFF000000


def pointer(va, value):
    return va, struct.pack("<Q", value)


class Damage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = machine(NAME)
        cls.truth = machine_truth(NAME)

    def damaged(self, changes, *words, space=()):
        with Damaged(self.path, changes, *space) as broken:
            got = run(*words, "--format", "json", broken)
        self.assertIn(got.status, (0, 3), got.err)
        return got


class Modules(Damage):
    """PsLoadedModuleList."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = run("modules", "--format", "json", cls.path).json()
        cls.links = [number(row["object"]) for row in cls.whole]
        cls.head = cls.truth["globals"]["PsLoadedModuleList"]

    def names(self, got):
        return [row["name"] for row in got.json()]

    def test_one_link(self):
        """Whatever one forward or one back link says, nothing is lost."""
        want = [row["name"] for row in self.whole]
        middle = self.links[6]
        for target in (0, 0x10, 0x7FF600000000, UNMAPPED, middle, self.links[2], self.links[9],
                       self.head, self.links[3] + 1):
            for side in (0, 8):
                with self.subTest(target=hex(target), side=side):
                    got = self.damaged([pointer(middle + side, target)], "modules")
                    self.assertEqual(self.names(got), want)

    def test_two_breaks_cost_what_lies_between(self):
        want = [row["name"] for row in self.whole]
        for front, back in ((0, 0), (UNMAPPED, 0x10), (self.links[5], self.links[9]),
                            (self.links[1], self.links[1]), (self.links[2], self.links[12]),
                            (self.head, 0)):
            with self.subTest(front=hex(front), back=hex(back)):
                changes = [pointer(self.links[5], front), pointer(self.links[9] + 8, back)]
                got = self.damaged(changes, "modules")
                self.assertEqual(self.names(got), want[:6] + want[9:])
                self.assertEqual(got.status, 3, got.err)
                self.assertIn("module list", got.err)
                scanned = self.damaged(changes, "modules", "--scan")
                self.assertLessEqual(set(want), set(self.names(scanned)))

    def test_records_overwritten(self):
        """Links that are text: of one record nothing is lost, two are no longer believed."""
        want = [row["name"] for row in self.whole]
        for lost in ((4,), (4, 5), (4, 5, 6)):
            with self.subTest(lost):
                got = self.damaged([(self.links[i], b"\x41" * 16) for i in lost], "modules")
                left = [w for i, w in enumerate(want) if i not in lost]
                self.assertEqual(self.names(got), want if len(lost) == 1 else left)
                self.assertEqual(got.status, 0 if len(lost) == 1 else 3, got.err)

    def test_head(self):
        """A list that is not to be found is said; nothing stands in for it."""
        got = self.damaged([(self.head, bytes(16))], "modules", "--scan")
        self.assertLessEqual({row["name"] for row in self.whole}, set(self.names(got)))
        self.assertEqual(got.status, 3)
        self.assertFalse(any(row["in_list"] for row in got.json()))

    def test_record_that_is_none(self):
        want = [row["name"] for row in self.whole if row["object"] != address(self.links[7])]
        got = self.damaged([(self.links[7] + 0x30, b"\x41" * 8)], "modules")
        self.assertEqual(self.names(got), want)
        self.assertEqual(got.status, 3)
        self.assertIn("is no module record", got.err)


class Unloaded(Damage):
    """MmUnloadedDrivers: a ring of 50 slots and the number of the next."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = run("modules", "--unloaded", "--format", "json", cls.path).json()
        cls.array = cls.truth["globals"]["MmUnloadedDrivers"]
        with lzma.open(harness.machine_symbols(NAME)) as f:
            symbols = json.load(f)["symbols"]
        cls.last = cls.truth["kernel"]["base"] + symbols["MmLastUnloadedDriver"]["address"]
        cls.slots = cls.pointer_at(cls.array)

    @classmethod
    def pointer_at(cls, va):
        with Damaged(cls.path, []) as path, open(path, "rb") as f:
            f.seek(Damaged(path, []).physical(va))
            return struct.unpack("<Q", f.read(8))[0]

    def test_array_that_is_nowhere(self):
        got = self.damaged([pointer(self.array, UNMAPPED)], "modules", "--unloaded")
        self.assertEqual((got.json(), got.status), ([], 3))

    def test_absurd_next(self):
        """All are there; their order is not known."""
        for value in (51, 0x7FFFFFFF, 0xFFFFFFFF):
            with self.subTest(value):
                got = self.damaged([(self.last, struct.pack("<I", value))], "modules",
                                   "--unloaded")
                self.assertEqual(sorted(r["start"] for r in got.json()),
                                 sorted(r["start"] for r in self.whole))
                self.assertEqual(got.status, 3)
                self.assertIn("MmLastUnloadedDriver", got.err)

    def test_dangling_name(self):
        got = self.damaged([pointer(self.slots + 8, UNMAPPED)], "modules", "--unloaded")
        self.assertEqual([r["start"] for r in got.json()], [r["start"] for r in self.whole])
        self.assertEqual(sum(r["name"] is None for r in got.json()), 1)
        self.assertEqual(got.status, 3)

    def test_slot_of_zeros_in_the_middle(self):
        """It costs itself, not those before it."""
        got = self.damaged([(self.slots + 0x28, bytes(0x28))], "modules", "--unloaded")
        starts = [r["start"] for r in self.whole]
        self.assertEqual([r["start"] for r in got.json()], [s for s in starts if s != starts[-2]])


class Processors(Damage):
    """KiProcessorBlock."""

    def test_one_that_is_nowhere(self):
        block = self.truth["globals"]["KiProcessorBlock"]
        first = run("cpus", "--format", "json", self.path).json()[0]
        for target in (0x10, UNMAPPED, block):
            with self.subTest(hex(target)):
                got = self.damaged([pointer(block + 8, target)], "cpus")
                self.assertEqual(got.json()[0], first)
                self.assertEqual(got.status, 3, got.err)
                for row in got.json()[1:]:
                    self.assertIsNone(row["current_thread"])

    def test_one_twice(self):
        block = self.truth["globals"]["KiProcessorBlock"]
        got = self.damaged([pointer(block + 8, self.truth["cpus"][0]["prcb"])], "cpus")
        self.assertEqual(got.status, 3, got.err)
        self.assertEqual(sum(r["kprcb"] == address(self.truth["cpus"][0]["prcb"])
                             for r in got.json()), 1)


class Stacks(Damage):
    """The loader's list of a process, by which stacks name modules."""

    def test_loader_list(self):
        process = next(p for p in self.truth["processes"] if p["name"] == "explorer.exe")
        pid = "--pid", process["pid"]
        dlls = run("dlls", "--format", "json", *pid, self.path).json()
        entries = [number(row["ldr_entry"]) for row in dlls]
        whole = run("stack", *pid, "--format", "json", self.path).json()
        for target in (0, entries[5], entries[2], 0x4141414141414141):
            with self.subTest(hex(target)):
                got = self.damaged([pointer(entries[5], target)], "stack", *pid, space=pid)
                self.assertEqual(got.json(), whole)
        changes = [pointer(entry + side, 0x10) for entry in entries for side in (0, 8)]
        got = self.damaged(changes, "stack", *pid, space=pid)
        self.assertEqual([(r["frame"], r["child_sp"]) for r in got.json() if r["frame"] == 0],
                         [(r["frame"], r["child_sp"]) for r in whole if r["frame"] == 0])


if __name__ == "__main__":
    harness.main()
