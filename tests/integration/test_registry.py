# SPDX-License-Identifier: MIT
"""The registry of the windows-like machines: hives, keys and values against the truth."""
import base64
import contextlib
import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
import uuid
from xml.etree import ElementTree

import harness
from harness import Damaged, address, machine, machine_symbols, machine_truth, number, run

PAGED = "win19041-paged"
SYSTEM = "\\REGISTRY\\MACHINE\\SYSTEM"
SOFTWARE = "\\REGISTRY\\MACHINE\\SOFTWARE"


def rows_of(*args, status=0):
    got = run(*args, "--format", "json", env=harness.symbol_cache() if "--symbols" in args else None)
    if got.status != status:
        raise AssertionError(f"{args}: status {got.status}\n{got.err}")
    return got.json()


def hive_paths(t):
    """The path of each hive of the truth by its address."""
    return {h["va"]: h["rootpath"] for h in t["hives"]}


def truth_keys(t):
    """{path: (subkeys, values)} of all keys."""
    roots = hive_paths(t)
    return {roots[r["hive"]] + ("\\" + r["key"] if r["key"] else ""):
            (r["subkeys"], r["values"]) for r in t["registry"]}


def data_text(value):
    """A truth's data as the program shows it."""
    data = value["data"]
    if value["type"] in ("REG_SZ", "REG_EXPAND_SZ"):
        return data
    if value["type"] == "REG_MULTI_SZ":
        return "\\0".join(data).rstrip("\\0")
    if value["type"] in ("REG_DWORD", "REG_QWORD"):
        return str(data)
    return data[:128] + ("..." if len(data) > 128 else "")


def data_raw(value):
    """Its bytes in hexadecimal."""
    data = value["data"]
    if value["type"] in ("REG_SZ", "REG_EXPAND_SZ"):
        return (data + "\0").encode("utf-16-le").hex()
    if value["type"] == "REG_MULTI_SZ":
        return ("".join(s + "\0" for s in data) + "\0").encode("utf-16-le").hex()
    if value["type"] == "REG_DWORD":
        return struct.pack("<I", data).hex()
    if value["type"] == "REG_QWORD":
        return struct.pack("<Q", data).hex()
    return data


def truth_values(t):
    """{(key, name): (type, size, data, raw)}"""
    return {(path, "" if v["name"] == "(Default)" else v["name"]): (v["type"], v["size"], data_text(v), data_raw(v))
            for path, (_, values) in truth_keys(t).items() for v in values}


class Truth(unittest.TestCase):
    maxDiff = 4000

    def symbol_options(self, name):
        paged = ("--pagefile", pagefile(name)) if name == PAGED else ()
        return [paged, ("--symbols", machine_symbols(name), *paged)]

    def test_hives(self):
        for name in harness.MACHINES:
            for symbols in self.symbol_options(name):
                with self.subTest(name, symbols=symbols):
                    rows = rows_of("registry", "hives", *symbols, machine(name))
                    want = [(address(h["va"]), h["rootpath"], h["stable"], h["volatile"],
                             address(h["baseblock"]), address(h["root"]), h["username"] or None)
                            for h in machine_truth(name)["hives"]]
                    self.assertEqual([(r["object"], r["path"], r["size"], r["volatile_size"],
                                       r["base_block"], r["root_cell"], r["loaded_as"])
                                      for r in rows], want)
                    for r in rows:
                        self.assertEqual(r["bins"], r["bins_captured"])

    def test_keys(self):
        for name in harness.MACHINES:
            for symbols in self.symbol_options(name):
                with self.subTest(name, symbols=symbols):
                    rows = rows_of("registry", "keys", "--recursive", *symbols, machine(name))
                    keys = truth_keys(machine_truth(name))
                    got = {r["path"]: (r["subkeys"], r["values"]) for r in rows}
                    self.assertEqual(len(got), len(rows))
                    want = {path: (len(subkeys), len(values))
                            for path, (subkeys, values) in keys.items()}
                    self.assertEqual(got, want)
                    for path, (subkeys, _) in keys.items():
                        self.assertEqual([r["path"] for r in rows
                                          if r["path"].rpartition("\\")[0] == path
                                          and r["depth"]],
                                         [path + "\\" + s for s in subkeys])

    def test_values(self):
        for name in harness.MACHINES:
            for symbols in self.symbol_options(name):
                with self.subTest(name, symbols=symbols):
                    rows = rows_of("registry", "values", "--recursive", *symbols,
                                   machine(name))
                    got = {(r["key"], r["name"]): (r["type"], r["size"], r["data"], r["raw"])
                           for r in rows}
                    self.assertEqual(len(got), len(rows))
                    self.assertEqual(got, truth_values(machine_truth(name)))

    def test_values_without_a_path_are_all_values(self):
        name = "win19041-tiny"
        rows = rows_of("registry", "values", machine(name))
        self.assertEqual({(r["key"], r["name"]) for r in rows},
                         set(truth_values(machine_truth(name))))

    def test_without_the_pagefile(self):
        """What is only in the pagefile is absent, and all else is right."""
        t = machine_truth(PAGED)
        for what, want in (("keys", truth_keys(t)), ("values", truth_values(t))):
            got = run("registry", what, "-r", "--format", "json", machine(PAGED))
            self.assertEqual(got.status, 3)
            self.assertIn("in a page file", got.err)
            rows = {r["path"] if what == "keys" else (r["key"], r["name"]) for r in got.json()}
            self.assertLess(len(want) // 2, len(rows))
            self.assertEqual(rows - set(want), set())


class Find(unittest.TestCase):
    def path_of(self, word, status=0, name="win19041-tiny"):
        got = run("registry", "keys", "--format", "json", "--limit", 1, machine(name), word)
        self.assertEqual(got.status, status, got.err)
        return got.json()[0]["path"] if got.out else got.err

    def test_words(self):
        hive = machine_truth("win19041-tiny")["hives"][1]
        for word, path in (
                ("HKLM", "\\REGISTRY\\MACHINE"),
                ("hkey_local_machine\\software", SOFTWARE),
                ("\\registry\\machine\\SYSTEM\\select\\", SYSTEM + "\\Select"),
                ("REGISTRY", "\\REGISTRY"),
                ("HKCR\\.TXT", SOFTWARE + "\\Classes\\.txt"),
                ("HKLM\\SYSTEM\\CurrentControlSet\\Control", SYSTEM + "\\ControlSet001\\Control"),
                (address(hive["va"]) + "\\Select", SYSTEM + "\\Select")):
            self.assertEqual(self.path_of(word), path)

    def test_no_such_key(self):
        self.assertIn("no subkey 'Foo'", self.path_of("HKLM\\Software\\Foo\\Bar", 1))
        self.assertIn("in no hive", self.path_of("HKEY_NO_SUCH", 1))
        # that is a key of the current control set, which these machines lack
        self.assertIn("no subkey 'Hardware Profiles'", self.path_of("HKCC\\System", 1))
        self.assertIn("of which user", self.path_of("HKCU\\Software", 2))

    def test_levels(self):
        rows = rows_of("registry", "keys", machine("win19041-tiny"), "HKLM")
        self.assertEqual([r["path"] for r in rows], ["\\REGISTRY\\MACHINE", SYSTEM, SOFTWARE])
        rows = rows_of("registry", "keys", machine("win19041-tiny"), SYSTEM + "\\Select")
        self.assertEqual([r["depth"] for r in rows], [0])

    def test_everything_below_the_root(self):
        name = "win19041-tiny"
        every = rows_of("registry", "keys", "--recursive", machine(name))
        below = rows_of("registry", "keys", "--recursive", machine(name), "\\REGISTRY")
        self.assertEqual([r["path"] for r in below], [r["path"] for r in every])

    def test_get(self):
        for name in harness.MACHINES:
            if name == PAGED:
                continue
            with self.subTest(name):
                for (key, value), (kind, size, data, raw) in truth_values(
                        machine_truth(name)).items():
                    if "BigData" not in key and "\\Select" not in key:
                        continue
                    row = run("registry", "get", "--format", "json", machine(name), key,
                              value.upper()).json()
                    self.assertEqual((row["key"], row["name"], row["type"], row["size"],
                                      row["raw"]), (key, value, kind, size, raw))
                    self.assertEqual(row["data"][:len(data) - 3], data[:-3])

    def test_get_raw(self):
        path = machine("win7601-tiny")
        values = truth_values(machine_truth("win7601-tiny"))
        key = SOFTWARE + "\\Microsoft\\BigData"
        with tempfile.TemporaryFile() as out:
            subprocess.run([harness.PROGRAM, "registry", "get", "--raw", path, key, "Blob"],
                           stdout=out, check=True)
            out.seek(0)
            self.assertEqual(out.read().hex(), values[key, "Blob"][3])

    def test_get_what_is_not_there(self):
        got = run("registry", "get", machine("win7601-tiny"), SYSTEM + "\\Select", "Nothing")
        self.assertEqual((got.status, got.out), (1, ""))
        self.assertIn("no value 'Nothing'", got.err)

    def test_get_without_a_name_says_what_to_give(self):
        got = run("registry", "get", machine("win7601-tiny"), SYSTEM + "\\Select")
        self.assertEqual((got.status, got.out), (1, ""))
        self.assertIn("has no default value: give the name", got.err)


def hivexml_type(value):
    """(type, data) of a value of hivexml, in the words of registry values."""
    kind = value.get("type")
    data = value.get("value") or ""
    if value.get("encoding") == "base64":
        return {"binary": "REG_BINARY"}.get(kind, kind), base64.b64decode(data).hex()
    if kind == "string-list":
        strings = [s.text or "" for s in value.findall("string")]
        return "REG_MULTI_SZ", "\\0".join(strings).rstrip("\\0")
    return {"string": "REG_SZ", "expand": "REG_EXPAND_SZ", "int32": "REG_DWORD",
            "int64": "REG_QWORD"}[kind], data


def hivexml(path, *options):
    """Keys and values of a hive file as hivex reads it: [path], {(path, name): (type, data)}"""
    done = subprocess.run(["hivexml", *options, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise AssertionError(f"hivexml {path}: {done.stderr}")
    keys, values = [], {}

    def visit(node, at):
        keys.append(at)
        for value in node.findall("value"):
            values[at, value.get("key") or ""] = hivexml_type(value)
        for child in node.findall("node"):
            visit(child, at + "\\" + child.get("name"))
    visit(ElementTree.fromstring(done.stdout).find("node"), "")
    return keys, values


def exact(row):
    """Data of a row as hivexml has it."""
    return row["raw"] if row["type"] == "REG_BINARY" else row["data"]


class DumpHive(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hives-")
        self.addCleanup(shutil.rmtree, self.folder)

    def dump(self, path, hive, *options, status=0):
        out = os.path.join(self.folder, "hive")
        got = run("dump", "--hive", hive, "--force", "-o", out, "--format", "json", *options,
                  path)
        self.assertEqual(got.status, status, got.err)
        return out, got.json()

    def check_file(self, path, hive, *options):
        """The file has the stable keys and values that the commands list."""
        out, _ = self.dump(path, hive["rootpath"], *options)
        keys, values = hivexml(out)
        prefix = address(hive["va"])
        rows = [r for r in rows_of("registry", "keys", "-r", *options, path, prefix)
                if r["hive"] == prefix]
        cut = len(hive["rootpath"])
        self.assertEqual(keys, [r["path"][cut:] for r in rows if not r["volatile"]])
        rows = [r for r in rows_of("registry", "values", "-r", *options, path, prefix)
                if r["hive"] == prefix]
        self.assertEqual(values, {(r["key"][cut:], r["name"]): (r["type"], exact(r))
                                  for r in rows if number(r["cell"]) < 1 << 31})

    @unittest.skipUnless(shutil.which("hivexml"), "needs hivexml (libhivex-bin)")
    def test_another_parser_reads_the_same(self):
        for name in harness.MACHINES:
            options = ["--pagefile", pagefile(name)] if name == PAGED else []
            for hive in machine_truth(name)["hives"]:
                with self.subTest(name, hive=hive["rootpath"]):
                    self.check_file(machine(name), hive, *options)

    def test_file_is_what_memory_has(self):
        name = "win19041-tiny"
        hive = machine_truth(name)["hives"][2]
        out, rows = self.dump(machine(name), "software")
        self.assertEqual(os.path.getsize(out), 4096 + hive["stable"])
        self.assertEqual({r["state"] for r in rows}, {"mapped", "made"})
        self.assertEqual([(number(r["offset"]), r["length"]) for r in rows
                          if r["state"] == "made"], [(8, 4), (508, 4)])
        with open(out, "rb") as f:
            data = f.read()
        self.assertEqual(data[:4], b"regf")
        self.assertEqual(data[4:8], data[8:12])
        total = 0
        for word in struct.unpack("<128I", data[:512]):
            total ^= word
        self.assertEqual(total, 0)

    def test_no_such_hive(self):
        got = run("dump", "--hive", "NO_HIVE", "-o", self.folder + "/", machine("win7601-tiny"))
        self.assertEqual(got.status, 1)
        self.assertIn("0 of 4 hives have that name", got.err)

    @unittest.skipUnless(shutil.which("hivexml"), "needs hivexml (libhivex-bin)")
    def test_lost_block(self):
        """A block whose entry in the map is gone is a hole that the file's parsers step over."""
        name = "win19041-tiny"
        path = machine(name)
        keys = rows_of("registry", "keys", "-r", path, SOFTWARE)
        block = number(keys[-1]["cell"]) >> 12
        entry = map_entry(path, machine_truth(name)["hives"][2]["va"], block)
        with Damaged(path, [(entry + 8, bytes(8))]) as broken:
            out, rows = self.dump(broken, SOFTWARE, status=3)
            start = 4096 + (block << 12)
            lost = [r for r in rows if r["state"] != "mapped" and number(r["offset"]) >= 4096]
            self.assertEqual({r["state"] for r in lost}, {"made", "not_mapped"})
            self.assertEqual(number(lost[0]["offset"]), start)
            self.assertEqual(sum(r["length"] for r in lost), 4096)
            got = run("registry", "keys", "-r", "--format", "json", broken, SOFTWARE)
            self.assertEqual(got.status, 3)
            self.assertLess(1, len(got.json()))
            self.assertLess(len(got.json()), len(keys))
            self.assertEqual(hivexml(out, "-k")[0],
                             [r["path"][len(SOFTWARE):] for r in got.json()])


def pagefile(name):
    return os.path.join(os.path.dirname(machine(name)), name + ".pagefile.sys")


def field(path, kind, name):
    """(offset, size) of a field by the program's own symbols."""
    row, = [r for r in rows_of("type", path, kind) if r["name"] == name]
    return number(row["offset"]), row["size"]


def read_u64(path, va):
    row, = rows_of("read", "--length", 8, path, address(va))
    return int.from_bytes(bytes.fromhex(row["bytes"]), "little")


def map_entry(path, hive, block):
    """The address of the map's entry for a block of the hive's stable bins."""
    storage = field(path, "_HHIVE", "Storage")[0]
    directory = read_u64(path, hive + storage + field(path, "_DUAL", "Map")[0])
    table = read_u64(path, directory)
    return table + block * (field(path, "_HMAP_TABLE", "Table")[1] // 512)


def data_of(file):
    """(offset, bytes) of a sparse file's stretches that are no holes."""
    end = 0
    while True:
        try:
            start = os.lseek(file.fileno(), end, os.SEEK_DATA)
        except OSError:
            return
        end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        yield start, os.pread(file.fileno(), end - start, start)


@contextlib.contextmanager
def unknown_kernel(name):
    """A copy of a machine whose kernel has another GUID in each CodeView record in memory."""
    record = b"RSDS" + uuid.UUID(machine_truth(name)["pdb_guid"].split("-")[0]).bytes_le
    with tempfile.NamedTemporaryFile(suffix=".raw",
                                     dir=harness.scratch_for(machine(name))) as copy:
        subprocess.run(["cp", "--sparse=always", machine(name), copy.name], check=True)
        with open(copy.name, "r+b", buffering=0) as f:
            found = [start + m.start() for start, data in data_of(f)
                     for m in re.finditer(re.escape(record), data)]
            for at in found:
                os.pwrite(f.fileno(), b"unknown", at + 4)
        if not found:
            raise AssertionError(f"{name}: no record of its kernel's symbols")
        yield copy.name


class Damage(unittest.TestCase):
    """What is broken costs what it holds, and the rest is as before."""
    NAME = "win19041-tiny"

    def setUp(self):
        self.path = machine(self.NAME)
        self.truth = machine_truth(self.NAME)
        self.hives = self.truth["hives"]
        self.links = field(self.path, "_CMHIVE", "HiveList")[0]

    def hive_rows(self, changes, status):
        with Damaged(self.path, changes) as broken:
            got = run("registry", "hives", "--format", "json", broken)
        self.assertEqual(got.status, status, got.err)
        return [number(r["object"]) for r in got.json()], got.err

    def link(self, index):
        return self.hives[index]["va"] + self.links

    def test_hive_list(self):
        all_hives = [h["va"] for h in self.hives]
        for target in (0x41414141, self.link(0), self.link(1)):
            with self.subTest(hex(target)):
                rows, err = self.hive_rows([(self.link(1), struct.pack("<Q", target))], 0)
                self.assertEqual(rows, all_hives)
                self.assertIn("complete from its other end", err)

    def test_list_is_lost(self):
        """Both ends of the list's head are torn: the hives' allocations tell of them."""
        for name, source in (("win7601-tiny", "pool_scan"), ("win22000-tiny", "big_pool")):
            with self.subTest(name):
                path = machine(name)
                head, = rows_of("symbols", path, "CmpHiveListHead")
                with Damaged(path, [(number(head["address"]), bytes(16))]) as broken:
                    got = run("registry", "hives", "--format", "json", broken)
                    self.assertEqual(got.status, 3)
                    self.assertEqual({number(r["object"]) for r in got.json()},
                                     {h["va"] for h in machine_truth(name)["hives"]})
                    self.assertEqual({r["source"] for r in got.json()}, {source})
                    keys = run("registry", "keys", "-r", "--format", "json", broken)
                self.assertEqual({r["path"] for r in keys.json()},
                                 set(truth_keys(machine_truth(name))))

    def test_kernel_without_symbols(self):
        """Of a kernel that nobody knows, the list's head is found in the kernel's data."""
        for name in ("win7601-tiny", "win9600-tiny", "win19041-tiny", "win22000-tiny"):
            with self.subTest(name):
                with unknown_kernel(name) as path:
                    got = run("registry", "hives", "--format", "json", path)
                    self.assertEqual(got.status, 0, got.err)
                    self.assertIn("no symbols for this very kernel", got.err)
                    self.assertEqual([(number(r["object"]), r["source"]) for r in got.json()],
                                     [(h["va"], "list") for h in machine_truth(name)["hives"]])

    def test_hive_is_unlinked(self):
        """A hive that its neighbours skip is found by --scan."""
        before, after = self.link(0), self.link(2)
        changes = [(before, struct.pack("<Q", after)), (after + 8, struct.pack("<Q", before))]
        rows, _ = self.hive_rows(changes, 0)
        self.assertEqual(rows, [h["va"] for i, h in enumerate(self.hives) if i != 1])
        with Damaged(self.path, changes) as broken:
            rows = rows_of("registry", "hives", "--scan", broken)
        self.assertEqual([(number(r["object"]), r["source"]) for r in rows],
                         [(self.hives[i]["va"], "big_pool" if i == 1 else "list")
                          for i in (0, 2, 3, 1)])

    def test_one_hive_is_none(self):
        rows, err = self.hive_rows([(self.hives[1]["va"], b"AAAA")], 3)
        self.assertEqual(rows, [h["va"] for i, h in enumerate(self.hives) if i != 1])
        self.assertIn("not that of a hive", err)

    def test_path_of_a_hive(self):
        """Without its HiveRootPath a hive stands for itself; its keys are found by its address."""
        hive = self.hives[1]
        root_path = hive["va"] + field(self.path, "_CMHIVE", "HiveRootPath")[0]
        with Damaged(self.path, [(root_path + 8, bytes(8))]) as broken:
            got = run("registry", "hives", "--format", "json", broken)
            self.assertEqual(got.status, 3)
            self.assertIn("one of its paths cannot be read", got.err)
            row = got.json()[1]
            self.assertEqual((row["object"], row["path"]), (address(hive["va"]), None))
            got = run("registry", "keys", "--format", "json", broken,
                      address(hive["va"]) + "\\Select")
            self.assertEqual([r["path"] for r in got.json()], [address(hive["va"]) + "\\Select"])

    def keys_when(self, address_of, change, status=3):
        """Paths of SOFTWARE's keys when bytes of the key at a path are changed."""
        rows = rows_of("registry", "keys", "-r", self.path, SOFTWARE)
        whole = [r["path"] for r in rows]
        row, = [r for r in rows if r["path"] == address_of]
        at = number(row["address"])
        with Damaged(self.path, [(at + offset, data) for offset, data in change],
                     "--pid", self.hives[2]["process"]) as broken:
            got = run("registry", "keys", "-r", "--format", "json", broken, SOFTWARE)
        self.assertEqual(got.status, status, got.err)
        return whole, [r["path"] for r in got.json()], got.err

    def test_key_is_none(self):
        lost = SOFTWARE + "\\Microsoft\\Windows"
        whole, left, err = self.keys_when(lost, [(0, b"xx")])
        self.assertEqual(left, [p for p in whole
                                if p != lost and not p.startswith(lost + "\\")])
        self.assertIn("Microsoft: 1 of its subkeys cannot be read", err)

    def test_subkeys_run_in_a_loop(self):
        """A key's list of subkeys is its parent's: the key is below itself."""
        parent = SOFTWARE + "\\Microsoft"
        row, = [r for r in rows_of("registry", "keys", self.path, parent)
                if r["path"] == parent]
        node = bytes.fromhex("".join(
            r["bytes"].replace(" ", "") for r in rows_of(
                "read", "--pid", self.hives[2]["process"], "--length", 48, self.path,
                row["address"])))
        child = SOFTWARE + "\\Microsoft\\Windows"
        whole, left, err = self.keys_when(child, [(20, node[20:24]), (28, node[28:32])])
        rest = [p for p in whole if not p.startswith(child + "\\")]
        self.assertEqual(len(left), len(rest))
        self.assertEqual({p.replace(child + "\\", parent + "\\") for p in left}, set(rest))
        self.assertIn("also the subkey of another key", err)
        self.assertIn("the parent is another key", err)

    def test_list_of_subkeys_is_none(self):
        lost = SOFTWARE + "\\Microsoft\\Windows"
        for cell in (0xffffffff, 0x7ffffff8, 0x20, 0x80000020):
            with self.subTest(hex(cell)):
                whole, left, _ = self.keys_when(lost, [(28, struct.pack("<I", cell))])
                self.assertEqual(left, [p for p in whole if not p.startswith(lost + "\\")])

    def test_values_list_lies(self):
        key = SYSTEM + "\\Select"
        row, = rows_of("registry", "keys", self.path, key)
        with Damaged(self.path, [(number(row["address"]) + 36, struct.pack("<I", 1 << 31))],
                     "--pid", self.hives[1]["process"]) as broken:
            got = run("registry", "values", "--format", "json", broken, key)
        self.assertEqual(got.status, 3)
        self.assertEqual({r["name"] for r in got.json()},
                         {"Current", "Default", "Failed", "LastKnownGood"})

    def test_data_is_none(self):
        key = SOFTWARE + "\\Microsoft\\BigData"
        row, = [r for r in rows_of("registry", "values", self.path, key) if r["name"] == "Blob"]
        with Damaged(self.path, [(number(row["address"]) + 8, b"\xff\xff\xff\x7f")],
                     "--pid", self.hives[2]["process"]) as broken:
            got = run("registry", "values", "--format", "json", broken, key)
            self.assertEqual(got.status, 3)
            value, = [r for r in got.json() if r["name"] == "Blob"]
            self.assertEqual((value["name"], value["size"], value["data"], value["raw"]),
                             ("Blob", 40000, None, None))
            self.assertEqual(got.err.count("cannot be read"), 1)
            got = run("registry", "get", "--raw", broken, key, "Blob")
            self.assertEqual((got.status, got.out), (1, ""))


if __name__ == "__main__":
    harness.main()
