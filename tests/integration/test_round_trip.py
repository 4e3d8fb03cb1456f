# SPDX-License-Identifier: MIT
"""What `convert` writes, read back: the same pages, registers and answers, in every format.

NTSCOPE_ALL_IMAGES=1: of every machine, not of one of each kind.
"""
import os
import struct
import subprocess
import unittest

import harness
from conversions import Conversions, file_sha256
from harness import image, member, run
from memory_readers import crash_dump, elf, map_file, raw, read_memory
from test_qemu import nt_file

FULL = bool(os.environ.get("NTSCOPE_ALL_IMAGES"))
MEMORY_FORMATS = ("raw", "elf", "dmp", "dmp-bitmap", "lime", "kdump-zlib")
WITH_REGISTERS = ("elf", "kdump-zlib")
CONTAINERS = "windows-like/win19041-tiny-containers"

LISTINGS = ("ps", "modules", "threads", "handles")
# what `info` says of the machine, and not of the file
MACHINE_FACTS = ("machine", "paging_levels", "dtb", "kernel_base", "kernel_size", "build",
                 "build_lab", "version", "pdb_name", "pdb_guid", "pdb_age", "symbols",
                 "system_time", "boot_time")
# registers that QEMU's notes have no place for
NOT_IN_NOTES = ("dr0", "dr1", "dr2", "dr3", "dr6", "dr7", "cr8", "efer", "star", "lstar", "cstar",
                "sfmask", "mxcsr")
# what a CONTEXT has of a processor
CONTEXT_REGISTERS = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10",
                     "r11", "r12", "r13", "r14", "r15", "rip", "rflags", "cs", "ss")


class Case:
    """An image, and how this test reads its memory by itself (None: not at all)."""

    def __init__(self, name, path, reader=None, kernel=True, formats=MEMORY_FORMATS):
        self.name, self.path = name, path
        self.memory = reader(map_file(path)) if reader else None
        self.sha256 = self.memory.sha256() if reader else None
        self.kernel, self.formats = kernel, formats


def without(*formats):
    return tuple(form for form in MEMORY_FORMATS if form not in formats)


def some(*formats):
    """Each at least once, of one image or another."""
    return MEMORY_FORMATS if FULL else formats


def windows_cases():
    yield Case("win19041-tiny", harness.machine("win19041-tiny"), raw,
               formats=some("raw", "lime", "kdump-zlib"))
    yield Case("win19041-tiny elf", member(CONTAINERS, "elf"), elf,
               formats=some("elf", "dmp", "dmp-bitmap"))
    # absent is not zero: a raw file of it is another memory, and of 9 GiB
    yield Case("real17763-a elf", image("real/real17763-a.elf"), elf,
               formats=without("raw", "dmp"))
    if not FULL:
        return
    yield Case("real17763-a dmp", image("real/real17763-a.dmp"), crash_dump,
               formats=without("raw", "dmp"))
    for name in ("win7601-tiny", "win9600-tiny", "win22000-tiny", "win19041-desktop",
                 "win19041-paged"):
        yield Case(name, harness.machine(name), raw)
    for name in ("dmp-full", "dmp-bitmap", "lime", "dmp-f10"):
        yield Case(f"win19041-tiny {name}", member(CONTAINERS, name),
                   crash_dump if name in ("dmp-full", "dmp-bitmap") else None)
    for name in ("dmp-kernel", "dmp-active", "dmp-auto", "dmp-live6", "dmp-k8", "dmp-ka9"):
        yield Case(f"win19041-tiny {name}", member(CONTAINERS, name),
                   formats=without("raw", "dmp"))


def qemu_cases():
    no_kernel = without("raw", "dmp", "dmp-bitmap")  # raw: up to the ROM at 4 GiB
    for variant in ("nt-self4",) if not FULL else ("nt-self4", "nt-self5", "nt-self4-q10",
                                                   "nt-self5-q10"):
        yield Case(variant, nt_file(variant, "dump.elf"), elf, False, no_kernel)
        yield Case(f"{variant} dmp", nt_file(variant, "dump.dmp"), crash_dump, False)
    if FULL:
        for variant in "ab":
            for name in ("dump.elf", "dump-paging.elf", "migration.bin", "mdf.plain.d31.kdump"):
                yield Case(f"{variant} {name}", member(f"qemu/{variant}", name), None, False,
                           no_kernel)


class RoundTrip(Conversions):
    def check_memory(self, case, form, target, row, patches):
        """The pages, as two readers that know nothing of the program see them."""
        got = read_memory(form, target)
        # the program's own sum is of what it reads, patches and all
        _, again, _ = self.convert(target, "lime", "again")
        self.assertEqual(again["memory_sha256"], got.sha256())
        if not case.memory:
            if not patches and form != "raw":
                self.assertEqual(got.sha256(), row["memory_sha256"])
            return
        self.assertEqual(row["memory_sha256"], case.sha256)
        want = case.memory.filled() if form == "raw" else case.memory
        self.assertEqual(got.extents(), want.extents())
        if patches:
            got = got.with_bytes(patches, want)
        self.assertEqual(got.sha256(), want.sha256() if form == "raw" else case.sha256)

    def registers(self, path):
        rows = run("registers", "--format", "json", path).json()
        return {(r["cpu"], r["register"]): (r["value"], r["source"]) for r in rows}

    def check_registers(self, case, form, target):
        want, got = self.registers(case.path), self.registers(target)
        if form in WITH_REGISTERS:
            told = {key for key, (_, source) in want.items()
                    if source == "snapshot" and key[1] not in NOT_IN_NOTES}
        elif form.startswith("dmp") and case.kernel:
            # of processors that the kernel shows, in their CONTEXT
            told = {key for key in want if key[1] in CONTEXT_REGISTERS and key in got}
        else:
            told = set()
        self.assertEqual({key: got.get(key, (None,))[0] for key in told},
                         {key: want[key][0] for key in told})

    def check_answers(self, case, form, target):
        before = run("info", "--format", "json", case.path).json()
        # where the format has no room for CR3 the search may end at other page tables
        _, source = self.registers(case.path).get((0, "cr3"), (None, None))
        kept = form.startswith("dmp") or (form in WITH_REGISTERS and source == "snapshot")
        lost = before["located_by"] == "registers" and not kept
        options = ("--dtb", before["dtb"]) if lost else ()
        after = run("info", "--format", "json", *options, target).json()
        self.assertEqual({key: after[key] for key in MACHINE_FACTS},
                         {key: before[key] for key in MACHINE_FACTS})
        for command in LISTINGS:
            before = run(command, "--format", "json", case.path)
            after = run(command, "--format", "json", *options, target)
            self.assertEqual(after.out, before.out, command)
            self.assertEqual(after.status, before.status, command)

    def check(self, case):
        for form in case.formats:
            with self.subTest(image=case.name, format=form):
                target, row, patches = self.convert(case.path, form)
                self.check_memory(case, form, target, row, patches)
                self.check_registers(case, form, target)
                if case.kernel:
                    self.check_answers(case, form, target)

    def test_windows(self):
        for case in windows_cases():
            self.check(case)

    def test_qemu(self):
        for case in qemu_cases():
            self.check(case)

    def test_lz4(self):
        """An LZ4 frame around it is what lz4 itself unpacks to the same file."""
        path = harness.machine("win19041-tiny")
        for form in ("raw", "elf", "dmp-bitmap") if FULL else ("dmp-bitmap",):
            with self.subTest(format=form):
                plain, row, _ = self.convert(path, form)
                packed, packed_row, _ = self.convert(path, form + ".lz4", "packed")
                self.assertEqual(packed_row["memory_sha256"], row["memory_sha256"])
                unpacked = os.path.join(self.folder, "unpacked")
                subprocess.run(["lz4", "-dqf", packed, unpacked], check=True)
                self.assertEqual(file_sha256(unpacked), row["output_sha256"])
                again = run("ps", "--format", "json", packed)
                self.assertEqual(again.out, run("ps", "--format", "json", plain).out)


def encode(plain, kdbg):
    """KDBG as a running kernel keeps it (windows/kernel/kdbg.h)."""
    mask, turn = (1 << 64) - 1, kdbg["wait_never"] & 63
    words = []
    for (word,) in struct.iter_unpack("<Q", plain):
        word ^= kdbg["wait_always"]
        word = int.from_bytes(word.to_bytes(8, "little"), "big") ^ kdbg["encoded_flag_va"]
        word = (word >> turn | word << 64 - turn) & mask
        words.append(word ^ kdbg["wait_never"])
    return struct.pack(f"<{len(words)}Q", *words)


class CrashDumps(Conversions):
    """What is particular to them."""

    def test_encoded_kdbg(self):
        """Decoded, as debuggers need it, and nothing else is changed."""
        path, kdbg = harness.machine("win19041-tiny"), \
            harness.machine_truth("win19041-tiny")["kdbg"]
        row, = run("vtop", "--brief", "--format", "json", path,
                   harness.address(kdbg["va"])).json()
        place = int(row["pa"], 16), kdbg["size"]
        plain = raw(map_file(path)).read(*place)
        with harness.Damaged(path, [(kdbg["va"], encode(plain, kdbg))]) as encoded:
            target, _, patches = self.convert(encoded, "dmp-bitmap")
            answer = run("ps", "--format", "json", encoded)
        self.assertEqual(patches, [place])
        self.assertEqual(crash_dump(map_file(target)).sha256(), raw(map_file(path)).sha256())
        self.assertEqual(run("ps", "--format", "json", target).out, answer.out)

    def test_header(self):
        """Against the truth, field by field."""
        truth = harness.machine_truth("win19041-tiny")
        target, _, _ = self.convert(harness.machine("win19041-tiny"), "dmp")
        data = map_file(target)
        fields = struct.unpack_from("<IIQQQQII", data, 8)
        self.assertEqual(fields[:2], (0xf, truth["system"]["build"]))
        self.assertEqual(fields[2], truth["dtb"])
        self.assertEqual(fields[3], truth["pfn_database"]["va"])
        self.assertEqual(fields[4], truth["globals"]["PsLoadedModuleList"])
        self.assertEqual(fields[5], truth["globals"]["PsActiveProcessHead"])
        self.assertEqual(fields[6:], (0x8664, truth["system"]["ncpu"]))
        # it runs: no bug check, no exception
        self.assertEqual(struct.unpack_from("<IxxxxQQQQ", data, 0x38), (0, 0, 0, 0, 0))
        self.assertEqual(data[0xf00:0xf98], bytes(0x98))
        self.assertEqual(struct.unpack_from("<Q", data, 0x80)[0], truth["kdbg"]["va"])
        time, = struct.unpack_from("<Q", data, 0xfa8)
        uptime, = struct.unpack_from("<Q", data, 0x1030)
        self.assertEqual(time, truth["system"]["time"])
        self.assertEqual(time - uptime, truth["system"]["boot"])
        self.assertEqual(struct.unpack_from("<I", data, 0x1040)[0], truth["system"]["product"])

    def test_machine_memory(self):
        """The header of a bitmap dump tells of the memory that Windows has."""
        truth = harness.machine_truth("win19041-tiny")
        target, _, _ = self.convert(harness.machine("win19041-tiny"), "dmp-bitmap")
        data = map_file(target)
        count, pages = struct.unpack_from("<I4xQ", data, 0x88)
        runs = [list(struct.unpack_from("<QQ", data, 0x98 + 16 * i)) for i in range(count)]
        self.assertEqual([[start << 12, length << 12] for start, length in runs],
                         truth["system"]["runs"])
        self.assertEqual(pages << 12, sum(length for _, length in truth["system"]["runs"]))

    def test_header_is_carried_over(self):
        source = member(CONTAINERS, "dmp-full")
        target, _, patches = self.convert(source, "dmp-bitmap")
        self.assertEqual(patches, [])
        before, after = map_file(source)[:0x2000], map_file(target)[:0x2000]
        differ = {at & ~7 for at in range(0x2000) if before[at] != after[at]}
        # DumpType, RequiredDumpSpace, SecondaryDataState: of the file itself
        self.assertLessEqual(differ, {0xf98, 0xfa0, 0x1038})

    def expect_refusal(self, path, form, *words):
        target = os.path.join(self.folder, "refused")
        done = run("convert", "--to", form, "-o", target, path)
        self.assertEqual(done.status, 1)
        for word in words:
            self.assertIn(word, done.err)
        self.assertFalse(os.path.exists(target))

    def test_what_cannot_be_said(self):
        self.expect_refusal(image("real/real17763-a.elf"), "dmp", "624 stretches", "dmp-bitmap")
        self.expect_refusal(nt_file("nt-self4", "dump.elf"), "dmp", "no kernel was found")

    def test_registers_of_a_running_machine(self):
        """They go where debuggers look: each processor's CONTEXT, as QEMU's own dump has it."""
        path = image("real/real17763-a.elf")
        target, _, _ = self.convert(path, "dmp-bitmap")
        want = {r["register"]: int(r["value"], 16)
                for r in run("registers", "--format", "json", path).json()
                if r["cpu"] == 0 and r["value"] and r["source"] == "snapshot"}
        data = map_file(target)
        order = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11",
                 "r12", "r13", "r14", "r15", "rip")
        got = dict(zip(order, struct.unpack_from("<17Q", data, 0x348 + 0x78)))
        self.assertEqual(got, {name: want[name] for name in order})


if __name__ == "__main__":
    harness.main()
