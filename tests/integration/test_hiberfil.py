# SPDX-License-Identifier: MIT
"""hiberfil.sys of Windows 7 to 11: the memory of the windows-like images, as Windows writes it."""
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

import harness
import hiberfil_writer as writer

PAGE = writer.PAGE
PARTIAL = 3


def read_raw(path, pa, length):
    """Bytes at a physical address as the program reads them; None where any is absent."""
    done = subprocess.run([harness.PROGRAM, "read", "--physical", "--raw", "--length", str(length),
                           path, hex(pa)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "XDG_CACHE_HOME": "/dev/null"}, check=False)
    return done.stdout or None


class Machine:
    def __init__(self, name):
        self.path, self.truth = harness.machine(name), harness.machine_truth(name)
        self.runs = self.truth["system"]["runs"]
        with open(self.path, "rb") as f:
            self.bytes = f.read()
        self.gfns = [gfn for start, length in self.runs
                     for gfn in range(start // PAGE, (start + length) // PAGE)]

    def page(self, gfn):
        return self.bytes[gfn * PAGE:(gfn + 1) * PAGE]

    def used(self):
        """Pages that are not zeros."""
        return [gfn for gfn in self.gfns if self.page(gfn).count(0) != PAGE]


class Hiberfil(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hiberfil-", dir=harness.scratch_for(__file__))
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, "hiberfil.sys")

    def write(self, m, version, gfns=None, **options):
        gfns = gfns or m.gfns
        cpu, time = m.truth["cpus"][0], m.truth["system"]["time"]
        if version == "windows-7":
            writer.write_tables(self.path, gfns, m.page, cpu, time, **options)
        else:
            half = len(gfns) // 3
            writer.write_sections(self.path, version, gfns[:half], gfns[half:], m.page, cpu,
                                  time, **options)

    def patch(self, offset, data):
        with open(self.path, "r+b") as f:
            f.seek(offset)
            f.write(data)

    def check_machine(self, name, version, subtype):
        m = Machine(name)
        self.write(m, version)
        for start, length in m.runs:
            self.assertEqual(read_raw(self.path, start, length), m.bytes[start:start + length])
        info = harness.run("info", "--format", "json", self.path).json()
        self.assertEqual((info["format"], info["subtype"], info["physical_pages"], info["cpus"],
                          info["cpu_registers"]),
                         ("hiberfil", subtype, len(m.gfns), m.truth["system"]["ncpu"], 1))
        self.assertEqual(harness.number(info["dtb"]), m.truth["cpus"][0]["cr3"])
        self.assertEqual(info["system_time"], harness.filetime(m.truth["system"]["time"]))
        for command in "ps", "modules", "idt":
            ours, raw = harness.run(command, self.path), harness.run(command, m.path)
            self.assertEqual((ours.status, ours.out), (raw.status, raw.out), command)
        rows = {row["register"]: row["value"] for row in
                harness.run("registers", "--format", "json", self.path).json()
                if row["source"] == "snapshot"}
        want = {"cr3": m.truth["cpus"][0]["cr3"], "rax": 0x1000, "r15": 0x100F,
                "kernel_gs_base": 0x7FF000000000, "cs": 0x10, "cr8": 15}
        self.assertEqual({name: harness.number(rows[name]) for name in want}, want)

    def test_windows_7(self):
        self.check_machine("win7601-tiny", "windows-7", "windows-7")

    def test_windows_8(self):
        self.check_machine("win9600-tiny", "windows-8", "windows-8")

    def test_windows_10(self):
        self.check_machine("win19041-tiny", "windows-10", "windows-10")

    def test_windows_11(self):
        self.check_machine("win22000-tiny", "windows-11", "windows-11")

    def test_pages_that_windows_left_out(self):
        m = Machine("win19041-tiny")
        used = m.used()
        self.write(m, "windows-10", used)
        info = harness.run("info", "--format", "json", self.path).json()
        self.assertEqual(info["physical_pages"], len(used))
        absent = next(gfn for gfn in m.gfns if gfn not in used)
        self.assertIsNone(read_raw(self.path, absent * PAGE, PAGE))
        self.write(m, "windows-7", used, ranges_a_table=255)  # many tables
        for gfn in used[::50]:
            self.assertEqual(read_raw(self.path, gfn * PAGE, PAGE), m.page(gfn), gfn)
        self.assertIsNone(read_raw(self.path, absent * PAGE, PAGE))

    def test_other_headers(self):
        m = Machine("win19041-tiny")
        some = m.used()[:100]
        for version in "windows-10-1607", "windows-11-24h2":
            self.write(m, version, some, hiberboot=1)
            result = harness.run("info", self.path)
            self.assertIn("fast startup", result.err)
            for gfn in some[::10]:
                self.assertEqual(read_raw(self.path, gfn * PAGE, PAGE), m.page(gfn))

    def test_what_is_restored_last_counts(self):
        m = Machine("win19041-tiny")
        calls = []

        def page(gfn):
            calls.append(gfn)
            return bytes([len(calls)]) * PAGE
        writer.write_sections(self.path, "windows-10", [5, 6, 7], [6, 9], page,
                              m.truth["cpus"][0])
        self.assertEqual([read_raw(self.path, gfn * PAGE, 1) for gfn in (5, 6, 7, 9)],
                         [b"\x01", b"\x04", b"\x03", b"\x05"])

    def test_after_resume(self):
        m = Machine("win7601-tiny")
        some = m.used()[:64]
        self.write(m, "windows-7", some)
        self.patch(0, bytes(PAGE))
        result = harness.run("info", self.path)
        self.assertIn("header was wiped", result.err)
        for gfn in some[::7]:
            self.assertEqual(read_raw(self.path, gfn * PAGE, PAGE), m.page(gfn))
        self.write(m, "windows-10", some)
        self.patch(0, b"WAKE")
        self.assertIn("resumed", harness.run("info", self.path).err)
        self.assertEqual(read_raw(self.path, some[9] * PAGE, PAGE), m.page(some[9]))
        self.patch(4, bytes(PAGE - 4))
        result = harness.run("info", self.path)
        self.assertEqual(result.status, 1)
        self.assertIn("header was wiped", result.err)

    def test_truncated(self):
        m = Machine("win19041-tiny")
        some = m.used()[:256]
        for version in "windows-7", "windows-10":
            self.write(m, version, some)
            os.truncate(self.path, os.path.getsize(self.path) * 2 // 3)
            result = harness.run("info", self.path)
            self.assertEqual(result.status, PARTIAL, result.err)
            self.assertIn("truncated", result.err)
            self.assertEqual(read_raw(self.path, some[0] * PAGE, PAGE), m.page(some[0]))
            self.assertIsNone(read_raw(self.path, some[-1] * PAGE, PAGE))

    def test_damaged_block(self):
        """One set cannot be decoded: its neighbours are still read."""
        m = Machine("win19041-tiny")
        some = m.used()[:96]
        self.write(m, "windows-10", some, codecs=[writer.Huffman()])
        with open(self.path, "rb") as f:
            data = f.read()
        at = struct.unpack_from("<Q", data, 0x68)[0] * PAGE
        count = data[at]
        self.patch(at + 4 + 8 * count, bytes(256))  # no code at all
        result = harness.run("read", "--physical", self.path, hex(some[0] * PAGE))
        self.assertEqual(result.status, PARTIAL)
        self.assertIn("xpress-huffman", result.out + result.err)
        self.assertEqual(read_raw(self.path, some[16] * PAGE, PAGE), m.page(some[16]))


if __name__ == "__main__":
    harness.main()
