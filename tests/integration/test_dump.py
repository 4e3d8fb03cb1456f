# SPDX-License-Identifier: MIT
"""dump of images: every stretch against the page tables, read by this file's own few lines."""
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

import harness

PAGE = 4096
PFN = 0x000FFFFFFFFFF000


class Memory:
    """Raw physical memory, and one root's translation by the hardware's rules."""

    def __init__(self, path, root):
        self.file, self.root = open(path, "rb"), root
        self.size = os.path.getsize(path)

    def physical(self, pa, length):
        self.file.seek(pa)
        return self.file.read(length)

    def entry(self, va):
        """(entry, shift) where the walk ends."""
        table = self.root
        for shift in (39, 30, 21, 12):
            raw = self.physical(table + 8 * (va >> shift & 0x1FF), 8)
            entry = struct.unpack("<Q", raw)[0]
            if not entry & 1 or shift == 12 or entry & 0x80:
                return entry, shift
            table = entry & PFN

    def page(self, va):
        """The page's bytes, or None where the hardware has none."""
        entry, shift = self.entry(va)
        if not entry & 1:
            return None
        pa = (entry & PFN & ~((1 << shift) - 1)) + (va & ((1 << shift) - 1))
        return self.physical(pa, PAGE) if pa + PAGE <= self.size else None

    def close(self):
        self.file.close()


def sections(image):
    """(raw offset, raw size, virtual size, rva) of a PE file's section headers."""
    nt = struct.unpack_from("<I", image, 0x3C)[0]
    count, optional = struct.unpack_from("<H12xH", image, nt + 6)
    for i in range(count):
        at = nt + 24 + optional + 40 * i
        virtual, rva, size, offset = struct.unpack_from("<4I", image, at + 8)
        yield offset, size, virtual, rva


class Dump(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="dump-", dir=harness.CACHE)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def dump(self, path, *words):
        return harness.run("dump", "--format", "json", "-o", self.folder + "/", *words, path)

    def check_rows(self, memory, rows):
        """Every byte that a row calls mapped is the memory's; what is absent is zero."""
        for row in rows:
            with open(row["file"], "rb") as f:
                f.seek(harness.number(row["offset"]))
                got = f.read(row["length"])
            self.assertEqual(len(got), row["length"], row)
            if not row["present"]:
                self.assertEqual(got.strip(b"\0"), b"", row)
            if row["state"] == "not_mapped":
                self.assertFalse(row["present"])
                continue
            va = harness.number(row["address"])
            expected = bytearray()
            while len(expected) < row["length"]:
                at = va + len(expected)
                page = memory.page(at & -PAGE)
                self.assertEqual(page is not None, row["state"] == "mapped", (hex(at), row))
                part = min(PAGE - at % PAGE, row["length"] - len(expected))
                inside = at % PAGE
                expected += page[inside:inside + part] if page else bytes(part)
            if row["state"] == "mapped":
                self.assertTrue(row["present"])
                self.assertEqual(got, bytes(expected), row)

    def check_file_layout(self, rows):
        """The rows are in the order of the file and leave out just what no section has."""
        path, = {row["file"] for row in rows}
        with open(path, "rb") as f:
            image = f.read()
        end = 0
        for row in rows:
            self.assertGreaterEqual(harness.number(row["offset"]), end)
            end = harness.number(row["offset"]) + row["length"]
        self.assertEqual(end, len(image))
        base = harness.number(rows[0]["address"])
        for offset, size, _, rva in sections(image):
            inside = [row for row in rows if row["address"] and
                      harness.number(row["offset"]) < offset + size and
                      harness.number(row["offset"]) + row["length"] > offset]
            for row in inside:
                self.assertEqual(harness.number(row["address"]) - harness.number(row["offset"]),
                                 base + rva - offset)
            self.assertEqual(bool(inside), bool(size and offset), hex(offset))

    def test_kernel_modules(self):
        for name in harness.MACHINES:
            path, truth = harness.machine(name), harness.machine_truth(name)
            memory = Memory(path, truth["dtb"])
            self.addCleanup(memory.close)
            for module in truth["modules"]:
                by_name = not module["hidden"]
                word = module["name"] if by_name else harness.address(module["base"])
                with self.subTest(machine=name, module=module["name"]):
                    if module["session"]:
                        continue  # its pages are in the sessions' spaces
                    if memory.page(module["base"] & (1 << 64) - 1) is None:
                        self.assertEqual(self.dump(path, "--module", word).status, 1)
                        continue
                    result = self.dump(path, "--module", word)
                    rows = result.json()
                    self.check_rows(memory, rows)
                    self.check_file_layout(rows)
                    absent = [row for row in rows if not row["present"]]
                    self.assertEqual(result.status, 3 if absent else 0, result.err)

    def test_processes_and_their_modules(self):
        for name in ("win7601-tiny", "win9600-tiny", "win19041-tiny", "win22000-tiny"):
            path, truth = harness.machine(name), harness.machine_truth(name)
            for process in truth["processes"]:
                if not process["listed"] or process["terminated"] or not process["image_base"] \
                        or not process["peb"]:
                    continue
                with self.subTest(machine=name, process=process["name"]):
                    memory = Memory(path, process["dtb"])
                    self.addCleanup(memory.close)
                    rows = self.dump(path, "--pid", process["pid"]).json()
                    self.assertEqual(harness.number(rows[0]["address"]), process["image_base"])
                    self.check_rows(memory, rows)
                    self.check_file_layout(rows)

    def test_resident_pages_of_sections(self):
        """What a section has in memory is there, also where the process has not touched it."""
        path, truth = harness.machine("win19041-tiny"), harness.machine_truth("win19041-tiny")
        sections_of = {s["path"].lower(): s for s in truth["sections"] if s["image"]}
        seen = 0
        for process in truth["processes"]:
            if not process["listed"] or process["terminated"] or not process["peb"]:
                continue
            memory = Memory(path, process["dtb"])
            self.addCleanup(memory.close)
            for module in process["dlls"]:
                section = sections_of.get(module["path"][2:].lower())
                if not section or module["unlinked"]:
                    continue
                rows = self.dump(path, "--force", "--memory-layout", "--pid", process["pid"],
                                 "--module", harness.address(module["base"])).json()
                self.check_rows(memory, rows)
                with open(rows[0]["file"], "rb") as f:
                    image = f.read()
                for offset, pa in section["resident"]:
                    row, = [row for row in rows if harness.number(row["offset"]) <= offset <
                            harness.number(row["offset"]) + row["length"]]
                    self.assertTrue(row["present"], (module["name"], hex(offset), row))
                    if row["state"] != "mapped":  # else it may have a page of its own
                        self.assertEqual(image[offset:offset + PAGE], memory.physical(pa, PAGE))
                        seen += 1
        self.assertGreater(seen, 5)

    def test_session_drivers_are_in_the_processes_of_a_session(self):
        for name in ("win7601-tiny", "win9600-tiny", "win19041-tiny", "win22000-tiny"):
            path, truth = harness.machine(name), harness.machine_truth(name)
            module = next((m for m in truth["modules"] if m["session"]), None)
            if not module:
                continue
            base = module["base"] & (1 << 64) - 1
            for process in truth["processes"]:
                if not process["listed"] or process["terminated"] or not process["dtb"]:
                    continue
                memory = Memory(path, process["dtb"])
                self.addCleanup(memory.close)
                with self.subTest(machine=name, process=process["name"]):
                    result = self.dump(path, "--force", "--pid", process["pid"], "--module",
                                       module["name"])
                    if memory.page(base) is None:
                        self.assertEqual(result.status, 1)
                        continue
                    rows = result.json()
                    self.assertEqual(harness.number(rows[0]["address"]), base)
                    self.check_rows(memory, rows)

    def test_wow64_modules_of_one_name(self):
        path, truth = harness.machine("win19041-tiny"), harness.machine_truth("win19041-tiny")
        process = next(p for p in truth["processes"] if p["wow64"] and p["listed"])
        both = sorted(dll["base"] for dll in process["dlls"] + process["dlls32"]
                      if dll["name"] == "ntdll.dll")
        self.assertEqual(len(both), 2)
        rows = self.dump(path, "--pid", process["pid"], "--module", "NTDLL.dll").json()
        starts = sorted(harness.number(row["address"]) for row in rows
                        if row["offset"] == "0x0")
        self.assertEqual(starts, both)
        for start in both:
            again = self.dump(path, "--force", "--pid", process["pid"], "--module",
                              harness.address(start + 0x1234)).json()
            self.assertEqual(harness.number(again[0]["address"]), start)

    def test_memory_layout(self):
        path, truth = harness.machine("win19041-tiny"), harness.machine_truth("win19041-tiny")
        module = truth["modules"][1]
        memory = Memory(path, truth["dtb"])
        self.addCleanup(memory.close)
        rows = self.dump(path, "--memory-layout", "--module", module["name"]).json()
        self.check_rows(memory, rows)
        self.assertEqual(os.path.getsize(rows[0]["file"]), module["size"])
        for row in rows:
            self.assertEqual(harness.number(row["address"]) - (module["base"] & (1 << 64) - 1),
                             harness.number(row["offset"]))

    @unittest.skipUnless(shutil.which("llvm-readobj"), "needs llvm-readobj (package llvm)")
    def test_other_tools_open_a_whole_image(self):
        path = harness.machine("win19041-tiny")
        rows = self.dump(path, "--module", "nt").json()
        done = subprocess.run(["llvm-readobj", "--sections", "--coff-exports", rows[0]["file"]],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        exports = {row["name"] for row in harness.run("pe", "--format", "json", path, "nt").json()
                   if row["kind"] == "export"}
        names = {line.split(": ")[1] for line in done.stdout.split("\n")
                 if line.startswith("  Name: ")}
        self.assertEqual(names, exports)
        self.assertGreater(len(exports), 500)

    def test_headers_that_are_absent_or_broken(self):
        path, truth = harness.machine("win19041-tiny"), harness.machine_truth("win19041-tiny")
        module = truth["modules"][1]
        base = module["base"] & (1 << 64) - 1
        with harness.Damaged(path, [(base, b"\0\0")]) as broken:
            result = self.dump(broken, "--module", module["name"])
            self.assertEqual(result.status, 1)
            self.assertIn("expected 'MZ'", result.err)
            self.assertEqual(os.listdir(self.folder), [])
            rows = self.dump(broken, "--memory-layout", "--module", module["name"]).json()
            self.assertEqual(os.path.getsize(rows[0]["file"]), module["size"])
        memory = Memory(path, truth["dtb"])
        self.addCleanup(memory.close)
        page = memory.page(base)
        nt = struct.unpack_from("<I", page, 0x3C)[0]
        optional = struct.unpack_from("<H", page, nt + 20)[0]
        first = base + nt + 24 + optional
        # sections at the ends of the file and of the image, of every size, one over the other
        numbers = struct.pack("<4I", 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFE00)
        again = struct.pack("<4I", 0xFFFFFFFF, 0x1000, 0xFFFFFFFF, 0x400)
        with harness.Damaged(path, [(first + 8, numbers), (first + 48, again)]) as broken:
            result = self.dump(broken, "--force", "--module", module["name"])
            self.assertEqual(result.status, 3, result.err)
            size = os.path.getsize(result.json()[0]["file"])
            self.assertLess(size, 1 << 34)
            blocks = os.stat(result.json()[0]["file"]).st_blocks
            self.assertLessEqual(blocks * 512, module["size"] + (1 << 20), "holes are holes")
        # more headers than the page has
        with harness.Damaged(path, [(base + nt + 6, b"\xff\xff")]) as broken:
            result = self.dump(broken, "--force", "--module", module["name"])
            self.assertEqual(result.status, 3)
            self.assertIn("section headers are absent", result.err)

    def test_hostile_names(self):
        path, truth = harness.machine("win19041-tiny"), harness.machine_truth("win19041-tiny")
        module = truth["modules"][1]
        offset, = [harness.number(row["offset"]) for row in
                   harness.run("type", "--format", "json", path,
                               "_KLDR_DATA_TABLE_ENTRY").json() if row["name"] == "BaseDllName"]
        at = (module["va"] & (1 << 64) - 1) + offset + 8  # UNICODE_STRING.Buffer
        memory = Memory(path, truth["dtb"])
        self.addCleanup(memory.close)
        buffer, = struct.unpack_from("<Q", memory.page(at & -PAGE), at % PAGE)
        name = "../.x\x1b[2".ljust(len(module["name"]))[:len(module["name"])]
        with harness.Damaged(path, [(buffer, name.encode("utf-16-le"))]) as broken:
            rows = self.dump(broken, "--module", harness.address(module["base"])).json()
        self.assertEqual(os.path.dirname(rows[0]["file"]), self.folder)
        self.assertRegex(os.path.basename(rows[0]["file"]), r"^[A-Za-z0-9_+][A-Za-z0-9._+-]*$")
        self.assertEqual(os.listdir(self.folder), [os.path.basename(rows[0]["file"])])

    def test_the_real_machine(self):
        path, truth = harness.image("real/real17763-a.elf"), \
            harness.truth("real/real17763-a.truth.json")
        rows = self.dump(path, "--module", "nt").json()
        self.check_file_layout(rows)
        self.assertEqual(len(truth["modules"]), 198)
        states = {row["state"] for row in rows}
        self.assertIn("mapped", states)
        self.assertLessEqual(states, {"mapped", "not_captured", "not_present", "not_mapped",
                                      "table_not_captured", "transition"})

    def test_usage(self):
        path = harness.machine("win19041-tiny")
        for words, text in (((), "which file"),
                            (("--module", "no-such"), "no kernel module"),
                            (("--pid", 472, "--module", "no-such"), "no module and no address"),
                            (("--pid", 99999), "no process has the id"),
                            (("--pid", 4), "it has no image")):
            result = self.dump(path, *words)
            self.assertIn(result.status, (1, 2), words)
            self.assertIn(text, result.err)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    harness.main()
