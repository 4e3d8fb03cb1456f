# SPDX-License-Identifier: MIT
"""Layouts discovered from the snapshot alone against the symbols of the same kernels.

usage: test_discovery.py DISCOVER_TOOL [unittest arguments]

Whatever discovery answers must be what the symbol file says, and all that these machines can tell
must be answered: FIELDS below.
"""
import json
import lzma
import os
import unittest

import harness
from harness import image, member, run, truth

COMMON = {
    "_EPROCESS": """Pcb.DirectoryTableBase Pcb.Header.Type Pcb.ThreadListHead UniqueProcessId
        ActiveProcessLinks InheritedFromUniqueProcessId ImageFileName CreateTime ExitStatus
        Peb SectionBaseAddress WoW64Process DebugPort Job Token ObjectTable VadRoot Session
        ThreadListHead ActiveThreads SeAuditProcessCreationInfo.ImageFileName""",
    "_KPROCESS": "DirectoryTableBase ThreadListHead",
    "_KTHREAD": "Header.Type Process ApcState.Process Teb ThreadListEntry Win32Thread",
    "_ETHREAD": "Cid.UniqueThread Cid.UniqueProcess ThreadListEntry",
    "_MM_SESSION_SPACE": "SessionId",
    "_KLDR_DATA_TABLE_ENTRY": """InLoadOrderLinks DllBase EntryPoint SizeOfImage FullDllName
        BaseDllName""",
    "_LIST_ENTRY": "Flink Blink",
    "_UNICODE_STRING": "Length MaximumLength Buffer",
    "_PEB": "Ldr ProcessParameters ImageBaseAddress SessionId",
    "_RTL_USER_PROCESS_PARAMETERS": "ImagePathName CommandLine",
    "_OBJECT_HEADER": "TypeIndex Body",
    "_OBJECT_TYPE": "Name",
    "_OBJECT_NAME_INFORMATION": "Name",
    "_HANDLE_TABLE": "TableCode NextHandleNeedingPool",
    "_KPCR": "Self CurrentPrcb Prcb",
    "_KPRCB": "CurrentThread Number",
}
SINCE_8_1 = {"_EPROCESS": "Protection", "_ETHREAD": "ExitStatus",
             "_HANDLE_TABLE_ENTRY": "ObjectPointerBits GrantedAccessBits"}
SINCE_10 = {"_ETHREAD": "CreateTime", "_EPROCESS": "VadCount"}
SHADOW = {"_EPROCESS": "Pcb.UserDirectoryTableBase", "_KPROCESS": "UserDirectoryTableBase"}
# needs a process that has exited and is still listed
EXITED = {"_EPROCESS": "ExitTime"}
GLOBALS = """PsActiveProcessHead PsLoadedModuleList PsInitialSystemProcess ObTypeIndexTable
    PsProcessType PsThreadType NtBuildNumber""".split()
# image: file inside an archive, what it has beyond COMMON
MACHINES = {
    "win7601-tiny": (None, [{"_HANDLE_TABLE_ENTRY": "Object GrantedAccess"}], []),
    "win9600-tiny": (None, [SINCE_8_1], []),
    "win19041-tiny": (None, [SINCE_8_1, SINCE_10, SHADOW], ["ObHeaderCookie"]),
    "win22000-tiny": (None, [SINCE_8_1, SINCE_10], ["ObHeaderCookie"]),
    "win19041-desktop": ("win19041-desktop.raw", [SINCE_8_1, SINCE_10, SHADOW, EXITED], ["ObHeaderCookie"]),
}


class Symbols:
    """The parts of an ISF file that are asked for here."""

    def __init__(self, guid, age):
        path = os.path.join(harness.IMAGES, "windows-like", "isf", f"{guid}-{age}.json.xz")
        with lzma.open(path) as f:
            self.isf = json.load(f)

    def member(self, type_name, name):
        """(offset, type) of a member, also inside unnamed ones; None if there is none."""
        fields = self.isf["user_types"].get(type_name, {}).get("fields", {})
        if name in fields:
            return fields[name]["offset"], fields[name]["type"]
        for field in fields.values():
            inner = field["type"].get("name", "")
            if inner.startswith(("__unnamed", "<unnamed")):
                found = self.member(inner, name)
                if found:
                    return field["offset"] + found[0], found[1]
        return None

    def field(self, type_name, path):
        """(offset, size, first bit, bits) or None."""
        offset, kind = 0, {"name": type_name}
        for part in path.split("."):
            found = self.member(kind.get("name", ""), part)
            if not found:
                return None
            offset, kind = offset + found[0], found[1]
        if kind["kind"] == "bitfield":
            return offset, self.size(kind["type"]), kind["bit_position"], kind["bit_length"]
        return offset, self.size(kind), 0, 0

    def size(self, kind):
        if kind["kind"] == "pointer":
            return 8
        if kind["kind"] == "array":
            return kind["count"] * self.size(kind["subtype"])
        for group in ("base_types", "user_types", "enums"):
            if kind.get("name") in self.isf[group]:
                return self.isf[group][kind["name"]]["size"]
        raise KeyError(kind)

    def type_size(self, name):
        return self.isf["user_types"][name]["size"]

    def symbol(self, name):
        found = self.isf["symbols"].get(name)
        return found and found["address"]

    def knows_type(self, name):
        return name in self.isf["user_types"]


class Row:
    def __init__(self, line):
        kind, self.type, self.path, value, size, pos, bits, self.sure, self.why = line.split("\t")
        self.kind = kind
        self.value = int(value, 16)
        self.size = int(size)
        self.bits = int(pos), int(bits)


def discover(path):
    got = run(path)
    return got, [Row(line) for line in got.out.splitlines()]


def wanted(extra):
    for group in [COMMON] + extra:
        for type_name, paths in group.items():
            for path in paths.split():
                yield type_name, path


class Discovery(unittest.TestCase):
    def check_row(self, symbols, row):
        what = f"{row.type}.{row.path}: {row.why}"
        if row.kind == "field":
            # kernels before 8 have the record under its loader's name only
            name = row.type
            if not symbols.knows_type(name) and name == "_KLDR_DATA_TABLE_ENTRY":
                name = "_LDR_DATA_TABLE_ENTRY"
            expected = symbols.field(name, row.path)
            if expected is None:  # a name that other builds use, or a type without symbols
                return
            size = row.size or expected[1]  # 0: discovery cannot tell how large it is
            self.assertEqual((row.value, size) + row.bits, expected, what)
        elif row.kind == "type":
            self.assertEqual(row.value, symbols.type_size(row.type), what)
        elif row.kind == "global":
            self.assertEqual(row.value, symbols.symbol(row.path), what)

    def test_rows_equal_symbols(self):
        for name, (inside, extra, more_globals) in MACHINES.items():
            where = f"windows-like/{name}"
            t = truth(where + ".truth.json")
            path = member(where, inside) if inside else image(where + ".raw")
            symbols = Symbols(t["kernel"]["guid"], t["kernel"]["age"])
            with self.subTest(name):
                got, rows = discover(path)
                self.assertEqual(got.status, 0, got.err)
                self.assertNotIn("contradiction", got.out)
                for row in rows:
                    self.check_row(symbols, row)
                fields = {(r.type, r.path) for r in rows if r.kind == "field"}
                self.assertEqual([w for w in wanted(extra) if w not in fields], [])
                names = {r.path for r in rows if r.kind == "global"}
                self.assertEqual([g for g in GLOBALS + more_globals if g not in names], [])
                values = {r.path: r.value for r in rows if r.kind == "value"}
                self.assertEqual(values["MmPteBase"], t["pte_base"] & (1 << 64) - 1)
                self.assertEqual(len({(r.type, r.path) for r in rows if r.kind != "missing"}),
                                 len([r for r in rows if r.kind != "missing"]))

    def test_every_miss_has_a_reason(self):
        _, rows = discover(image("windows-like/win7601-tiny.raw"))
        missing = {(r.type, r.path): r.why for r in rows if r.kind == "missing"}
        self.assertIn(("_EPROCESS", "Protection"), missing)
        self.assertNotIn("", missing.values())

    def test_a_real_machine_without_exports(self):
        got, rows = discover(image("real/real17763-a.elf"))
        self.assertEqual(got.status, 0, got.err)
        fields = {(r.type, r.path): r.value for r in rows if r.kind == "field"}
        # the public PDB of 17763, where these are as on every build
        self.assertEqual(fields[("_KLDR_DATA_TABLE_ENTRY", "DllBase")], 0x30)
        self.assertEqual(fields[("_KPCR", "Prcb")], 0x180)
        self.assertEqual(fields[("_KPRCB", "CurrentThread")], 8)
        missing = {(r.type, r.path): r.why for r in rows if r.kind == "missing"}
        self.assertIn("PsInitialSystemProcess", missing[("_EPROCESS", "UniqueProcessId")])
        self.assertFalse([f for f in fields if f[0] == "_EPROCESS"])


if __name__ == "__main__":
    harness.main()
