# SPDX-License-Identifier: MIT
"""Crashes explained: real small dumps against WinDbg's and rizin's words, synthetic machines."""
import os
import re
import unittest

import harness
from harness import image, run, truth

WINDOWS_LIKE = ("win7601-tiny", "win9600-tiny", "win19041-tiny", "win22000-tiny")

# Read from the dumps' own bytes and from the public page of each bug check.
EXPECTED = {
    "083125-14875-01.dmp": {
        "bugcheck_code": "0x4a", "bugcheck_name": "IRQL_GT_ZERO_AT_SYSTEM_SERVICE",
        "details": ["a user-mode address", "DISPATCH_LEVEL", None, None],
        "irql": 2, "process": "notmyfault64.e", "module": None, "exception": None,
        "place": "a user-mode address", "bucket": "IRQL_GT_ZERO_AT_SYSTEM_SERVICE"},
    "040124-5218-01.dmp": {
        "bugcheck_code": "0x1a", "bugcheck_name": "MEMORY_MANAGEMENT",
        "details": ["a PTE is corrupt", None, None, None],
        "irql": None, "process": "UIEngine.exe", "module": None, "exception": None,
        "place": None, "bucket": "MEMORY_MANAGEMENT_0x41792"},
    "100623-4953-01.dmp": {
        "bugcheck_code": "0x1a", "bugcheck_name": "MEMORY_MANAGEMENT",
        "details": [None] * 4, "irql": None, "process": "System", "module": None,
        "exception": None, "place": None, "bucket": "MEMORY_MANAGEMENT_0x402"},
    "102622-15671-01.dmp": {
        "bugcheck_code": "0x50", "bugcheck_name": "PAGE_FAULT_IN_NONPAGED_AREA",
        "details": ["NULL - 0x4c", "read", "Ntfs.sys+0xfb873", "no valid page table entry"],
        "irql": None, "process": "svchost.exe", "module": "Ntfs.sys", "exception": None,
        "place": "Ntfs.sys+0xfb873", "module_stamp_kind": "hash", "module_time": None,
        "bucket": "PAGE_FAULT_IN_NONPAGED_AREA_Ntfs.sys+0xfb873"},
    "triage_x64.dmp": {
        "bugcheck_code": "0x1000007e",
        "bugcheck_name": "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M",
        "details": ["STATUS_ACCESS_VIOLATION", "amdppm.sys+0x334c", None, None],
        "irql": None, "process": "System", "module": "amdppm.sys",
        "exception": "STATUS_ACCESS_VIOLATION: write, address 0xffffffffffffffff",
        "exception_source": "parameter 3", "place": "amdppm.sys+0x334c",
        "bucket": "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_0xc0000005_amdppm.sys+0x334c"},
}


def path_of(name):
    return image(os.path.join("real", "triage", name))


def machine(name):
    return image(f"windows-like/{name}.raw")


def text_of(name):
    with open(path_of(name), encoding="utf-8", errors="replace") as f:
        return f.read()


def analyze(path):
    got = run("analyze", "--format", "json", path)
    return got, got.json()


class Triage(unittest.TestCase):
    maxDiff = 4000

    def test_every_dump(self):
        for name, expected in EXPECTED.items():
            with self.subTest(name):
                got, a = analyze(path_of(name))
                self.assertEqual(got.status, 0, got.err)
                want = dict(expected)
                self.assertEqual([p["detail"] for p in a["parameters"]], want.pop("details"))
                self.assertEqual({key: a[key] for key in want}, want)

    def test_agrees_with_windbg(self):
        text = text_of("analyze_v.txt")
        _, a = analyze(path_of("083125-14875-01.dmp"))
        name, code = re.match(r"(\w+) \((\w+)\)", text).groups()
        self.assertEqual((a["bugcheck_name"], int(a["bugcheck_code"], 16)), (name, int(code, 16)))
        self.assertEqual([int(p["value"], 16) for p in a["parameters"]],
                         [int(x, 16) for x in re.findall(r"^Arg\d: (\w+)", text, re.M)])
        self.assertEqual(a["process"], re.search(r"PROCESS_NAME:\s+(\S+)", text).group(1))

    def test_agrees_with_rizin(self):
        text = text_of("rizin-test-db-formats-dmp.txt")
        part = text[text.index("NAME=: Triage Dump Debug x64"):]
        _, a = analyze(path_of("triage_x64.dmp"))
        code, name = re.search(r"BugCheckCode : (\w+) \((\w+)\)", part).groups()
        self.assertEqual((a["bugcheck_code"], a["bugcheck_name"]), (code, name))
        frame = re.search(r"\s(0x[0-9a-f]+) sp: \S+\s+\d+\s+\[\?\?\]\s+pdb\.amdppm", part)
        self.assertEqual(int(a["address"], 16), int(frame.group(1), 16))

    def test_secondary_data(self):
        """The blobs follow each other up to the end of the file, but for padding."""
        for name in EXPECTED:
            with self.subTest(name):
                _, a = analyze(path_of(name))
                size = os.path.getsize(path_of(name))
                end = 0
                for blob in a["secondary_data"]:
                    offset = int(blob["value"], 16)
                    self.assertGreaterEqual(offset, end + 32)
                    self.assertRegex(blob["meaning"], r"^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$")
                    end = offset + int(blob["detail"].split()[0])
                    self.assertLessEqual(end, size)
                self.assertGreater(len(a["secondary_data"]), 15)

    def test_unloaded_agrees_with_windbg(self):
        text = text_of("lm_t_n.txt")
        rows = re.findall(r"^([0-9a-f`]{17}) ([0-9a-f`]{17})\s+(\S+)\s*$",
                          text[text.index("Unloaded"):], re.M)
        want = [(name, int(a.replace("`", ""), 16), int(b.replace("`", ""), 16))
                for a, b, name in rows]
        got = run("modules", "--unloaded", "--format", "json", path_of("083125-14875-01.dmp"))
        self.assertEqual(got.status, 0, got.err)
        self.assertEqual([(r["name"], int(r["start"], 16), int(r["end"], 16))
                          for r in got.json()], want)
        self.assertEqual(list(got.json()[0]), ["name", "start", "end", "time"])

    def test_disasm_agrees_with_rizin(self):
        text = text_of("rizin-test-db-formats-dmp.txt")
        part = text[text.index("NAME=: Triage Dump Debug x64"):]
        want = re.search(r"^rip = \S+\n((?:\w.*\n){4})", part, re.M).group(1).splitlines()
        start = re.search(r"^rip = (\S+)", part, re.M).group(1)
        got = run("disasm", "--count", "4", "--format", "json", path_of("triage_x64.dmp"), start)
        self.assertEqual(got.status, 0, got.err)
        # rizin leaves "ptr" out
        self.assertEqual([r["text"].replace("qword ptr", "qword") for r in got.json()], want)
        at = run("disasm", "--count", "1", "--format", "json", path_of("triage_x64.dmp"),
                 "AMDPPM.sys+0x334c").json()
        self.assertEqual((at[0]["bytes"], at[0]["place"]), ("43891401", "amdppm.sys+0x334c"))
        rip = run("disasm", "--count", "1", "--format", "json", path_of("triage_x64.dmp"), "rip")
        self.assertEqual(rip.json(), at)


class WindowsLike(unittest.TestCase):
    def test_unloaded(self):
        for name in WINDOWS_LIKE:
            with self.subTest(name):
                unloaded = truth(f"windows-like/{name}.truth.json")["unloaded"]
                got = run("modules", "--unloaded", "--format", "json", machine(name))
                self.assertEqual(got.status, 0, got.err)
                self.assertEqual([(r["name"], int(r["start"], 16), int(r["end"], 16))
                                  for r in got.json()],
                                 [(u["name"], u["start"], u["end"]) for u in reversed(unloaded)])
                times = [r["time"] for r in got.json()]
                self.assertEqual(times, sorted(times, reverse=True))

    def test_no_crash_is_said(self):
        got, a = analyze(machine("win19041-tiny"))
        self.assertEqual(got.status, 0)
        self.assertIn("no bug check", got.err)
        self.assertEqual((a["bugcheck_code"], a["parameters"], a["bucket"]), (None,) * 3)

    def test_disasm_of_an_export(self):
        rows = run("disasm", "--count", "2", "--format", "json", machine("win19041-tiny"),
                   "nt!PsGetProcessId").json()
        self.assertEqual([r["text"] for r in rows],
                         ["mov rax, qword ptr [rcx + 0x440]", "ret"])


if __name__ == "__main__":
    harness.main()
