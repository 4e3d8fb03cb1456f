# SPDX-License-Identifier: MIT
"""Regions, page runs, sections and files of the windows-like machines against their truth."""
import os
import pathlib
import struct
import tempfile
import unittest

import harness
from harness import Damaged, address, machine, machine_truth, member, number, run

PAGE = 4096
TINY = ("win7601-tiny", "win9600-tiny", "win19041-tiny", "win22000-tiny")
# where a descriptor keeps its links (public PDBs): the table's node stands for the root's parent
LINKS_7 = {"parent": 0, "left": 8, "right": 0x10, "start": 0x18, "size": 8}
LINKS_10 = {"left": 0, "right": 8, "parent": 0x10, "start": 0x18, "size": 4}
NOWHERE = 0xFFFF900000001000


def pagefile(name):
    """What a machine needs to be read as a whole."""
    if name != "win19041-paged":
        return []
    return ["--pagefile", member("windows-like/win19041-paged", "win19041-paged.pagefile.sys")]


def expected_region(vad):
    return {
        "vad": address(vad["va"]),
        "start": address(vad["start"]),
        "end": address(vad["end"]),
        "type": vad["kind"],
        "protection": vad["protname"],
        "commit": vad["commit"],
        "tag": vad["tag"],
        "parent": address(vad["parent"]),
        "private": vad["kind"] == "private",
        "file": with_device(vad["file"]),
    }


def with_device(path, device="HarddiskVolume3"):
    return f"\\Device\\{device}{path}" if path else None


def in_order(vads):
    return sorted(vads, key=lambda v: v["start"])


def by_process(rows):
    ret = {}
    for row in rows:
        ret.setdefault(row["eprocess"], []).append(row)
    return ret


def subtree(vads, top):
    """Addresses of the descriptors at and below one."""
    ret, grown = {top}, True
    while grown:
        more = {v["va"] for v in vads if v["parent"] in ret} - ret
        ret |= more
        grown = bool(more)
    return ret


class Regions(unittest.TestCase):
    maxDiff = 4000

    def same(self, rows, vads):
        want = [expected_region(v) for v in in_order(vads)]
        keys = want[0] if want else []
        self.assertEqual([{k: r[k] for k in keys} for r in rows], want)

    def check(self, name, *options, env=None):
        path, truth = machine(name), machine_truth(name)
        options = [*options, *pagefile(name)]
        done = run("vads", "--format", "json", *options, path, env=env)
        self.assertEqual((done.status, done.err), (0, ""))
        got = by_process(done.json())
        for p in truth["processes"]:
            with self.subTest(machine=name, process=p["name"]):
                if p["listed"]:
                    self.same(got.pop(address(p["va"]), []), p["vads"])
                elif not p["terminated"]:
                    done = run("vads", "--process", address(p["va"]), "--format", "json",
                               *options, path, env=env)
                    self.assertEqual((done.status, done.err), (0, ""))
                    self.same(done.json(), p["vads"])
        self.assertEqual(got, {})

    def test_every_region(self):
        for name in harness.MACHINES:
            self.check(name)

    def test_every_region_by_isf(self):
        for name in TINY:
            self.check(name, "--symbols", harness.machine_symbols(name),
                       env=harness.symbol_cache())

    def test_processes_that_no_list_has(self):
        for name in TINY:
            done = run("vads", "--scan", "--format", "json", machine(name))
            self.assertEqual((done.status, done.err), (0, ""))
            self.assertEqual(sorted(number(r["vad"]) for r in done.json()),
                             sorted(v["va"] for p in machine_truth(name)["processes"]
                                    for v in p["vads"]))

    def test_injected_code_is_private_and_executable(self):
        for name in harness.MACHINES:
            for p in machine_truth(name)["processes"]:
                for piece in p["injected"]:
                    rows = run("vads", "--pid", p["pid"], "--address", address(piece["start"]),
                               "--format", "json", machine(name)).json()
                    self.assertEqual([(r["end"], r["type"], r["protection"]) for r in rows],
                                     [(address(piece["end"]), "private",
                                       "PAGE_EXECUTE_READWRITE")])

    def test_files_by_pattern(self):
        path, truth = machine("win19041-tiny"), machine_truth("win19041-tiny")
        rows = run("vads", "--file", "NTDLL", "--format", "json", path).json()
        want = [v["start"] for p in truth["processes"] if p["listed"] for v in in_order(p["vads"])
                if v["file"] and "ntdll" in v["file"]]
        self.assertEqual([number(r["start"]) for r in rows], want)

    def test_absent_names_of_other_regions_cost_nothing(self):
        name = "win19041-paged"
        self.assertEqual(run("vads", machine(name)).status, 3)
        p = next(p for p in machine_truth(name)["processes"] if p["name"] == "lsass.exe")
        vad = next(v for v in p["vads"] if v["kind"] == "private")
        done = run("vads", "--address", address(vad["start"]), "--pid", p["pid"], "--format",
                   "json", machine(name))
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertEqual([number(r["vad"]) for r in done.json()], [vad["va"]])

    def test_without_its_page_file_names_are_absent(self):
        done = run("vads", "--format", "json", machine("win19041-paged"))
        self.assertEqual(done.status, 3)
        self.assertIn("names of", done.err)
        truth = machine_truth("win19041-paged")
        self.assertEqual(len(done.json()),
                         sum(len(p["vads"]) for p in truth["processes"] if p["listed"]))


class DamagedTrees(unittest.TestCase):
    """Links of trees are broken; what is left must be listed, and the rest be missed."""

    def each_shape(self):
        for name, links in (("win7601-tiny", LINKS_7), ("win19041-tiny", LINKS_10)):
            truth = machine_truth(name)
            p = max((p for p in truth["processes"] if p["listed"]),
                    key=lambda p: len(p["vads"]))
            by_address = {v["va"]: v for v in p["vads"]}
            root, = (v for v in p["vads"] if v["parent"] not in by_address)
            yield name, links, p, by_address, root

    def children(self, by_address, top):
        below = [v for v in by_address.values() if v["parent"] == top["va"]]
        self.assertEqual(len(below), 2)
        return in_order(below)

    def listed(self, name, changes, p, status):
        with Damaged(machine(name), changes) as broken:
            done = run("vads", "--pid", p["pid"], "--format", "json", broken)
        self.assertEqual(done.status, status, done.err)
        return [number(r["vad"]) for r in done.json()], done.err

    def test_dangling_child(self):
        for name, links, p, by_address, root in self.each_shape():
            left, _ = self.children(by_address, root)
            change = (root["va"] + links["left"], struct.pack("<Q", NOWHERE))
            got, err = self.listed(name, [change], p, 3)
            lost = subtree(p["vads"], left["va"])
            self.assertEqual(got, [v["va"] for v in in_order(p["vads"]) if v["va"] not in lost])
            self.assertIn(f"between 0x0 and {address(root['start'] - 1)} may be missing", err)

    def test_self_link_and_cycle(self):
        for name, links, p, by_address, root in self.each_shape():
            for target in (root["va"], in_order(p["vads"])[0]["va"]):
                leaf = in_order(p["vads"])[0]
                change = (leaf["va"] + links["left"], struct.pack("<Q", target))
                got, err = self.listed(name, [change], p, 3)
                self.assertEqual(got, [v["va"] for v in in_order(p["vads"])])
                self.assertIn("it is in the tree already", err)

    def test_node_that_was_used_again(self):
        for name, links, p, by_address, root in self.each_shape():
            _, right = self.children(by_address, root)
            got, err = self.listed(name, [(right["va"] - 16, b"\x5a" * 80)], p, 3)
            lost = subtree(p["vads"], right["va"])
            self.assertEqual(got, [v["va"] for v in in_order(p["vads"]) if v["va"] not in lost])
            self.assertIn("it does not point back", err)

    def test_wrong_parent_loses_nothing(self):
        for name, links, p, by_address, root in self.each_shape():
            _, right = self.children(by_address, root)
            change = (right["va"] + links["parent"], struct.pack("<Q", right["va"]))
            got, err = self.listed(name, [change], p, 0)
            self.assertEqual(got, [v["va"] for v in in_order(p["vads"])])
            self.assertIn("do not point back", err)

    def test_absurd_range_costs_one_region(self):
        for name, links, p, by_address, root in self.each_shape():
            change = (root["va"] + links["start"], b"\xff" * links["size"])
            got, err = self.listed(name, [change], p, 3)
            self.assertEqual(got, [v["va"] for v in in_order(p["vads"]) if v is not root])
            self.assertIn("its range is none", err)


# kinds of the truth's translations, as maps says them
STATES = {
    "page4k": "mapped",
    "large2m": "mapped",
    "transition": "transition",
    "prototype": "prototype",
    "demandzero": "demand_zero",
    "pagefile": "pagefile",
}


class Maps(unittest.TestCase):
    def runs_of(self, name, p):
        done = run("maps", "--process", address(p["va"]), "--format", "json", *pagefile(name),
                   machine(name))
        self.assertEqual((done.status, done.err), (0, ""))
        return [{**r, "first": number(r["start"]), "last": number(r["end"])}
                for r in done.json()]

    def test_translations(self):
        for name in TINY:
            truth = machine_truth(name)
            for p in truth["processes"]:
                if p["terminated"]:
                    continue
                runs = self.runs_of(name, p)
                for t in truth["translations"]:
                    if t["dtb"] != p["dtb"] or t["va"] >> 47 or t["kind"] not in STATES:
                        continue
                    hit = [r for r in runs if r["first"] <= t["va"] <= r["last"]]
                    self.assertEqual([r["state"] for r in hit], [STATES[t["kind"]]],
                                     (name, p["name"], hex(t["va"])))

    def test_runs_lie_in_their_regions(self):
        for name in TINY:
            for p in machine_truth(name)["processes"]:
                if p["terminated"] or not p["vads"]:
                    continue
                runs = self.runs_of(name, p)
                self.assertTrue(runs)
                last = -1
                for r in runs:
                    self.assertGreater(r["first"], last)
                    last = r["last"]
                    self.assertEqual(r["size"], r["last"] - r["first"] + 1)
                    self.assertEqual(r["pages"] * r["page_size"], r["size"])
                    self.assertEqual(r["access"] is not None,
                                     r["state"] in ("mapped", "not_captured"))
                    home = [v for v in p["vads"] if v["start"] <= r["first"] <= v["end"]]
                    self.assertEqual([number(r["region"])] if r["region"] else [],
                                     [v["start"] for v in home])
                    for v in home:
                        self.assertLessEqual(r["last"], v["end"])
                        self.assertEqual(r["file"], with_device(v["file"]))


    def test_page_tables_that_were_not_captured(self):
        name = "win19041-tiny"
        p = next(p for p in machine_truth(name)["processes"] if p["name"] == "lsass.exe")
        vad = in_order(p["vads"])[0]
        rows = run("vtop", "--pte", "--pid", p["pid"], "--format", "json", machine(name),
                   address(vad["start"])).json()
        entry, = [r["entry_va"] for r in rows if r["level"] == "pd"]
        far = struct.pack("<Q", 0x7FFFF000067)
        with Damaged(machine(name), [(number(entry), far)], "--pid", p["pid"]) as broken:
            done = run("maps", "--pid", p["pid"], "--format", "json", broken)
        self.assertEqual(done.status, 3)
        self.assertIn("stretches whose page tables were not captured: 1", done.err)
        self.assertIn("table_not_captured", {r["state"] for r in done.json()})


class Files(unittest.TestCase):
    def test_every_file_object(self):
        for name in harness.MACHINES:
            with self.subTest(machine=name):
                done = run("files", "--scan", "--format", "json", *pagefile(name), machine(name))
                self.assertEqual((done.status, done.err), (0, ""))
                want = sorted(
                    (address(f["va"]), with_device(f["name"], f["device"]), f["access"])
                    for f in machine_truth(name)["files"])
                self.assertEqual(
                    sorted((r["object"], r["path"], r["access"]) for r in done.json()), want)

    def test_without_scanning_they_belong_to_processes(self):
        name = "win19041-tiny"
        truth = machine_truth(name)
        done = run("files", "--format", "json", machine(name))
        held = {h["obj"] for p in truth["processes"] if p["listed"] for h in p["handles"]
                if h["type"] == "File"}
        mapped = {s["file"] for s in truth["sections"]}
        got = {number(r["object"]) for r in done.json()}
        self.assertEqual(got - held - mapped, set())
        self.assertLessEqual(held, got)

    def test_of_one_process(self):
        name = "win22000-tiny"
        truth = machine_truth(name)
        p = next(p for p in truth["processes"] if p["name"] == "lsass.exe")
        got = run("files", "--pid", p["pid"], "--format", "json", machine(name)).json()
        by_name = {s["path"]: s["file"] for s in truth["sections"]}
        want = {h["obj"] for h in p["handles"] if h["type"] == "File"}
        want |= {by_name[v["file"]] for v in p["vads"] if v["file"]}
        self.assertEqual({number(r["object"]) for r in got}, want)
        areas = run("sections", "--pid", p["pid"], "--format", "json", machine(name)).json()
        self.assertEqual({r["file"] for r in areas if r["type"] == "image"},
                         {with_device(v["file"]) for v in p["vads"] if v["kind"] == "image"})
        self.assertEqual(run("files", "--pid", 5, machine(name)).status, 1)

    def test_of_a_hidden_process(self):
        name = "win19041-tiny"
        p, = (p for p in machine_truth(name)["processes"] if p["hidden"])
        got = run("files", "--pid", p["pid"], "--format", "json", machine(name)).json()
        held = {h["obj"] for h in p["handles"] if h["type"] == "File"}
        self.assertTrue(held)
        self.assertLessEqual(held, {number(r["object"]) for r in got})
        areas = run("sections", "--pid", p["pid"], "--format", "json", machine(name)).json()
        self.assertEqual({r["file"] for r in areas if r["type"] == "image"},
                         {with_device(v["file"]) for v in p["vads"] if v["kind"] == "image"})

    def test_sections_are_named(self):
        truth = machine_truth("win22000-tiny")
        rows = {r["object"]: r for r in run("files", "--scan", "--format", "json",
                                             machine("win22000-tiny")).json()}
        for s in truth["sections"]:
            row = rows[address(s["file"])]
            key = "image_section" if s["image"] else "data_section"
            self.assertEqual(row[key], address(s["ca"]))
            if not s["image"]:
                self.assertEqual(row["size"], s["size"])


class Sections(unittest.TestCase):
    """Control areas: the same for the kernels that go by the segment and by the control area."""

    def test_every_section(self):
        for name in harness.MACHINES:
            with self.subTest(machine=name):
                done = run("sections", "--scan", "--format", "json", *pagefile(name),
                           machine(name))
                self.assertEqual((done.status, done.err), (0, ""))
                rows = {r["control_area"]: r for r in done.json()}
                truth = machine_truth(name)
                for s in truth["sections"]:
                    r = rows.pop(address(s["ca"]))
                    self.assertEqual(r["type"], "image" if s["image"] else "data")
                    self.assertEqual(r["size"], s["size"])
                    self.assertEqual(r["file"], with_device(s["path"]))
                    self.assertEqual(r["file_object"], address(s["file"]))
                    self.assertEqual(r["mapped"] + r["transition"], len(s["resident"]))
                # what is left is shared memory: mapped, or open by a handle
                self.assertEqual({r["type"] for r in rows.values()}, {"pagefile"})
                listed = [p for p in truth["processes"] if p["listed"]]
                mapped = [v for p in listed for v in p["vads"]
                          if v["kind"] == "mapped" and not v["file"]]
                opened = {h["obj"] for p in listed for h in p["handles"]
                          if h["type"] == "Section"}
                self.assertLessEqual(len(rows), len(mapped) + len(opened))
                self.assertGreaterEqual(len(rows), len(mapped))

    def damaged(self, changes, section, status):
        name = "win19041-tiny"
        with Damaged(machine(name), changes) as broken, tempfile.TemporaryDirectory() as folder:
            listed = run("sections", "--file", section["path"], "--format", "json", broken)
            dumped = run("dump", "--file", address(section["file"]), "-o", folder + "/",
                         "--format", "json", broken)
        self.assertEqual(listed.status, status, listed.err)
        return listed, dumped

    def test_subsections_that_run_in_a_loop(self):
        section = next(s for s in machine_truth("win19041-tiny")["sections"]
                       if "KERNELBASE" in s["path"])
        first = section["ca"] + 0x80  # the subsections follow, 0x38 bytes each
        loop = (first + 0x38 + 0x10, struct.pack("<Q", first))
        listed, dumped = self.damaged([loop], section, 3)
        self.assertIn("its subsections end at", listed.err)
        row, = listed.json()
        self.assertEqual(row["subsections"], 2)
        self.assertIn("a part of its sections is lost: the list runs in a loop", dumped.err)
        self.assertTrue([r for r in dumped.json() if r["state"] == "image_section"])

    def test_control_area_that_is_none(self):
        section = next(s for s in machine_truth("win19041-tiny")["sections"]
                       if "KERNELBASE" in s["path"])
        torn = (section["ca"], struct.pack("<Q", section["ca"] + 0x10))
        listed, dumped = self.damaged([torn], section, 3)
        self.assertEqual(listed.json(), [])
        self.assertIn("no control area can be read there", listed.err)
        self.assertEqual(dumped.status, 1)

    def test_absurd_count_of_pages(self):
        section = next(s for s in machine_truth("win19041-tiny")["sections"]
                       if "locale.nls" in s["path"])
        count = (section["ca"] + 0x80 + 0x2c, b"\xff\xff\xff\xff")
        listed, dumped = self.damaged([count], section, 3)
        self.assertIn("more pages than the limit", listed.err)
        self.assertEqual(listed.json()[0]["subsections"], 0)
        count = (section["ca"] + 0x80 + 0x2c, struct.pack("<I", 1 << 20))
        listed, dumped = self.damaged([count], section, 3)
        self.assertIn("of its prototype PTEs are absent", listed.err)
        self.assertGreaterEqual(listed.json()[0]["mapped"], 4)


def file_extent(image, rva):
    """Offset and length of what the file has of an image's page. The subsections of these machines
    begin six sectors above what the headers say, and leave out each section's last sector."""
    if rva < PAGE:
        return rva, PAGE
    pe = struct.unpack_from("<I", image, 0x3C)[0]
    count, optional = struct.unpack_from("<H12xH", image, pe + 6)
    for i in range(count):
        row = pe + 24 + optional + 40 * i
        virtual_size, at, size, offset = struct.unpack_from("<4I", image, row + 8)
        if at <= rva < at + max(virtual_size, size):
            inside = rva - at
            return offset + 6 * 512 + inside, max(0, min(PAGE, size - 512 - inside))
    raise ValueError(hex(rva))


class Contents(unittest.TestCase):
    """Bytes of files against the physical pages that the truth names."""

    def check_section(self, memory, section, rows):
        source = "image_section" if section["image"] else "data_section"
        with open(rows[0]["file"], "rb") as f:
            data = f.read()
        given = sum(r["length"] for r in rows if r["state"] == source)
        for place, pa in section["resident"]:
            memory.seek(pa)
            page = memory.read(PAGE)
            if section["image"]:
                place, length = file_extent(data, place)
            else:
                length = min(PAGE, len(data) - place)
            self.assertEqual(data[place:place + length], page[:length],
                             (section["path"], hex(place)))
            given -= length
        self.assertEqual(given, 0)  # and nothing else was found
        self.assertLessEqual({r["state"] for r in rows}, {source, "not_cached"})

    def test_every_section(self):
        for name in (*TINY, "win19041-paged"):
            with self.subTest(machine=name), tempfile.TemporaryDirectory() as folder:
                done = run("dump", "--file", "*", "-o", folder + "/", "--format", "json",
                           *pagefile(name), machine(name))
                self.assertEqual(done.status, 3)  # never is all of a file in memory
                rows = {}
                for row in done.json():
                    rows.setdefault(row["file"], []).append(row)
                written = {f.split(".0x")[1].split(".")[0]: f for f in os.listdir(folder)}
                sections = machine_truth(name)["sections"]
                self.assertLessEqual(len(sections), len(written) + 1)
                with open(machine(name), "rb") as memory:
                    for s in sections:
                        file = written.get(address(s["file"])[2:])
                        if not file:  # of a process that is not listed
                            self.assertIn("rk_agent", s["path"])
                            continue
                        self.check_section(memory, s, rows[os.path.join(folder, file)])
                self.check_rows(folder, done.json())

    def check_rows(self, folder, rows):
        """Stretches cover each file in order; what is absent reads as zeros."""
        ends = {}
        for r in rows:
            at = number(r["offset"])
            self.assertEqual(at, ends.get(r["file"], 0))
            ends[r["file"]] = at + r["length"]
            if r["state"] == "not_cached":
                with open(r["file"], "rb") as f:
                    f.seek(at)
                    self.assertEqual(f.read(r["length"]).strip(b"\0"), b"")
        for path, end in ends.items():
            self.assertEqual(os.path.getsize(path), end)

    def test_one_file_by_address(self):
        name = "win19041-tiny"
        section = next(s for s in machine_truth(name)["sections"] if "rk_agent" in s["path"])
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "out")
            rows = run("dump", "--file", address(section["file"]), "-o", out, "--format", "json",
                       machine(name)).json()
            with open(machine(name), "rb") as memory:
                self.check_section(memory, section, rows)

    def test_injected_regions(self):
        for name in harness.MACHINES:
            for p in machine_truth(name)["processes"]:
                for piece in p["injected"]:
                    with tempfile.TemporaryDirectory() as folder:
                        out = os.path.join(folder, "out")
                        done = run("dump", "--pid", p["pid"], "--vad", address(piece["start"]),
                                   "-o", out, *pagefile(name), machine(name))
                        self.assertIn(done.status, (0, 3))
                        with open(out, "rb") as f:
                            data = f.read()
                    head = bytes.fromhex(piece["head"])
                    self.assertEqual(data[:len(head)], head)
                    self.assertLessEqual(len(data), piece["end"] + 1 - piece["start"])

    def test_all_regions_of_a_process(self):
        name = "win9600-tiny"
        p = next(p for p in machine_truth(name)["processes"] if p["name"] == "lsass.exe")
        with tempfile.TemporaryDirectory() as folder:
            done = run("dump", "--pid", p["pid"], "--vads", "-o", folder + "/", machine(name))
            self.assertEqual(done.status, 3)
            starts = {int(f.split(".0x")[1].split(".")[0], 16) for f in os.listdir(folder)}
        self.assertLessEqual(starts, {v["start"] for v in p["vads"]})
        self.assertLessEqual({v["start"] for v in p["vads"] if v["kind"] != "private"}, starts)

    def without_table(self, name, p, vad):
        """The machine without the page table of the region's first page."""
        rows = run("vtop", "--pte", "--pid", p["pid"], "--format", "json", machine(name),
                   address(vad["start"])).json()
        entry, = [r["entry_va"] for r in rows if r["level"] == "pd"]
        return Damaged(machine(name), [(number(entry), bytes(8))], "--pid", p["pid"])

    def test_region_whose_page_table_is_missing(self):
        """What its section has in memory is there, by dump and by read, also from below it."""
        for name in ("win19041-tiny", "win22000-tiny"):
            truth = machine_truth(name)
            p = next(p for p in truth["processes"] if p["name"] == "lsass.exe")
            vad = next(v for v in in_order(p["vads"]) if v["file"] and "ntdll" in v["file"])
            size, below = vad["end"] + 1 - vad["start"], 0x5000
            with self.without_table(name, p, vad) as broken, \
                    tempfile.TemporaryDirectory() as folder:
                parts = [os.path.join(folder, part) for part in ("dump", "read", "below")]
                options = ["--pid", p["pid"], broken]
                done = run("dump", "--vad", address(vad["start"]), "-o", parts[0], "--format",
                           "json", *options)
                for path, start in ((parts[1], vad["start"]), (parts[2], vad["start"] - below)):
                    self.assertEqual(run("read", "--zero-absent", "-o", path, "--length",
                                         vad["end"] + 1 - start, *options,
                                         address(start)).status, 3)
                dumped, read, longer = [pathlib.Path(path).read_bytes() for path in parts]
                run("dump", "--vads", "-o", folder + "/all/", *options)
                files = os.listdir(folder + "/all")
            self.assertEqual(done.status, 3)
            self.assertEqual(dumped, read)
            self.assertEqual(longer[below:], read)
            self.assertEqual(len(read), size)
            there = [r for r in done.json() if r["present"]]
            self.assertIn("prototype", {r["state"] for r in there})
            self.assertIn(address(vad["start"])[2:], "".join(files))

    def test_what_is_none(self):
        path = machine("win19041-tiny")
        self.assertEqual(run("dump", "--vad", "1000", path).status, 2)
        self.assertEqual(run("dump", "--pid", "4", "--vad", "1000", path).status, 1)
        self.assertEqual(run("dump", "--file", "no such file", path).status, 1)


if __name__ == "__main__":
    harness.main()
