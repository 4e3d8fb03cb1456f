# SPDX-License-Identifier: MIT
"""The program on testdata's small Windows, in every format: as testdata/*.truth.json says.

usage: test_fixtures.py PROGRAM FIXTURES [unittest arguments]
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import harness

CRASH = ["dmp-full", "dmp-summary", "dmp-bitmap", "dmp-live", "dmp-automatic", "dmp-kernel",
         "dmp-kernel-user", "dmp-complete"]
KERNEL_ONLY = ["dmp-summary", "dmp-live", "dmp-automatic", "dmp-kernel"]
OTHERS = ["raw", "raw-partial", "elf", "elf-sparse", "elf-unsorted", "elf-xnum", "elf-short",
          "elf-qemu", "virtualbox", "xen"]
TRIAGE = ["dmp-triage", "dmp-triage-paths"]
PARTIAL = 3
FIXTURES = None


def fixture(spec, form):
    return os.path.join(FIXTURES, f"{spec}.{form}")


def rows(command, path, *args, stdin=None):
    result = harness.run(command, "--format", "json", path, *args, stdin=stdin)
    if result.status not in (0, PARTIAL):
        raise AssertionError(f"{command} {path}: {result.err}")
    return result.json(), result.status


def pick(row, like):
    return {key: row[key] for key in like}


class SmallWindows(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(harness.TOP, "testdata", "small-windows.truth.json")) as f:
            cls.truth = json.load(f)

    def check(self, form):
        path = fixture("small-windows", form)
        truth = self.truth
        info, _ = rows("info", path)
        want = dict(truth["info"])
        if form in CRASH:
            want.update(truth["crash"])
        self.assertEqual(pick(info, want), want)
        self.assertEqual(info["symbols"], "builtin:exact")
        modules, status = rows("modules", path)
        self.assertEqual([pick(m, t) for m, t in zip(modules, truth["modules"])],
                         truth["modules"])
        self.assertEqual((len(modules), status), (len(truth["modules"]), 0))
        want = [dict(p) for p in truth["processes"]]
        if form in KERNEL_ONLY:
            for process in want:
                process["command_line"] = None
        found, status = rows("ps", path)
        self.assertEqual([pick(p, t) for p, t in zip(found, want)], want)
        self.assertEqual(len(found), len(want))
        self.assertEqual(status, PARTIAL if form in KERNEL_ONLY else 0)

    def test_every_format(self):
        for form in CRASH + OTHERS:
            with self.subTest(format=form):
                self.check(form)

    def test_translations(self):
        want = self.truth["translations"]
        for form in ("elf-sparse", "dmp-bitmap", "xen"):
            with self.subTest(format=form):
                found, _ = rows("vtop", fixture("small-windows", form), "--brief", "-",
                                stdin="\n".join(t["va"] for t in want))
                self.assertEqual([pick(r, t) for r, t in zip(found, want)], want)

    def test_triage(self):
        for form in TRIAGE:
            with self.subTest(format=form):
                path = fixture("small-windows", form)
                info, _ = rows("info", path)
                want = dict(self.truth["crash"], build=19041, kernel_base="0xfffff80042a00000",
                            machine="amd64", system_time=self.truth["info"]["system_time"])
                self.assertEqual(pick(info, want), want)
                modules, _ = rows("modules", path)
                names = [m["name"] for m in modules]
                self.assertEqual(names, ["ntoskrnl.exe", "hal.dll", "FLTMGR.SYS"])
                paths = [m["path"] for m in modules]
                full = [m["path"] for m in self.truth["modules"][:3]]
                self.assertEqual(paths, [None] * 3 if form == "dmp-triage" else full)
                found, _ = rows("ps", path)
                self.assertEqual([(p["pid"], p["name"]) for p in found], [(4, "System")])


class FiveLevel(unittest.TestCase):
    def test_every_format(self):
        for form in CRASH + OTHERS:
            with self.subTest(format=form):
                info, _ = rows("info", fixture("five-level", form))
                self.assertEqual(
                    (info["paging_levels"], info["dtb"], info["kernel_base"], info["pdb_name"],
                     info["build"], info["pdb_guid"]),
                    (5, "0x100000", "0xfffff80355600000", "ntkrla57.pdb", 20348,
                     "5A57C0DE0123456789ABCDEFFEDCBA98"))


class Committed(unittest.TestCase):
    def test_the_sample_is_what_its_spec_makes(self):
        with open(os.path.join(harness.TOP, "testdata", "small-windows.dmp"), "rb") as f:
            sample = f.read()
        with open(fixture("small-windows", "dmp-bitmap"), "rb") as f:
            self.assertTrue(sample == f.read(), "build the target 'fixtures' and copy it anew")


class Builder(unittest.TestCase):
    """mkdump says which line of a spec it does not take, and why."""

    REFUSED = [
        ("nonsense 1", "1: unknown statement 'nonsense'"),
        ("set a 1\nset a 2", "2: 'a' is defined already"),
        ("u8 256", "1: 0x100 does not fit in 1 bytes"),
        ("u8 -1 -128 255\nu8 -129", "2: 0xffffffffffffff7f does not fit in 1 bytes"),
        ("u8 $nobody", "1: unknown name '$nobody'"),
        ("u8 12z", "1: '12z' is not a number"),
        ("u8 1*x", "1: bad count 'x'"),
        ("u8", "1: 'u8' takes 1 to "),
        ("guid 1234", "1: a guid has 32 digits, '1234'"),
        ('ascii "abc', "1: text without its closing quote"),
        ('ascii "\\q"', "1: unknown escape '\\q'"),
        ('ascii "abc" 2', "1: text of 3 bytes does not fit"),
        ("map 0 0 1", "1: no space to map in"),
        ("space a 3 0", "1: a space has 4 or 5 levels"),
        ("space a 4 0 like b", "1: unknown space 'b'"),
        ("space a 4 0\nmap 0x1001 0 1", "2: 0x1001 or 0x0 is not a multiple of 0x1000"),
        ("space a 4 0\nmap 0x1000 next 1 wide", "2: unknown map word 'wide'"),
        ("space a 4 0\n@0x1000 u8 1", "2: 0x1000 is not mapped in 'a'"),
        ("space a 4 0\nmap 0 0 1 2m\nmap 0x1000 0 1", "3: 0x1000 is inside a large page"),
        ("@$b label a\n@8 label b", "1: 'a' depends on a name that comes after it"),
        ("reg rip 1", "1: no 'cpu' before it"),
        ("cpu\nreg eip 1", "2: unknown register 'eip'"),
        ("header colour 1", "1: unknown header field 'colour'"),
    ]

    def build(self, text, form="raw"):
        with tempfile.TemporaryDirectory() as folder:
            spec, out = os.path.join(folder, "spec"), os.path.join(folder, "out")
            with open(spec, "w") as f:
                f.write(text + "\n")
            done = subprocess.run([os.path.join(FIXTURES, "mkdump"), form, spec, out],
                                  stderr=subprocess.PIPE, text=True)
            if done.returncode:
                return done.returncode, done.stderr
            with open(out, "rb") as f:
                return 0, f.read()

    def test_refusals(self):
        for text, message in self.REFUSED:
            with self.subTest(spec=text):
                status, err = self.build(text)
                self.assertEqual(status, 1, err)
                self.assertIn(f"spec:{message}", err)

    def test_values(self):
        status, out = self.build("run 0 1\n@0x10 u8 1*3 2*3+2 $end-$start\nlabel start\n"
                                 "u16 0x1234\nlabel end\n+9 ascii \"a\\x00\\n\" 5\n"
                                 "utf16 \"\\u00e9x\"")
        self.assertEqual(status, 0, out)
        self.assertEqual(out[0x10:0x19], b"\1\1\1\2\4\6\2\x34\x12")
        self.assertEqual(out[0x19:0x22], b"a\0\n\0\0\xe9\0x\0")


if __name__ == "__main__":
    harness.PROGRAM = os.path.abspath(sys.argv.pop(1))
    FIXTURES = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
