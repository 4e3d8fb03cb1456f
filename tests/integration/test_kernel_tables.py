#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The kernel's tables on the windows-like machines: drivers, devices, services, callbacks, timers,
pools and sessions equal the truth, with an ISF file and with the built-in layouts alike, and when
structures are damaged what is still listed is what is still there."""
import functools
import json
import lzma
import struct
import unittest

import harness
from harness import address, number, run

# what the truth calls a callback, and our word for it
CALLBACKS = {
    "PspCreateProcessNotifyRoutine": "create_process",
    "PspCreateThreadNotifyRoutine": "create_thread",
    "PspLoadImageNotifyRoutine": "load_image",
    "CmRegisterCallbackEx": "registry",
    "KeRegisterBugCheckReasonCallback": "bugcheck_reason",
    "KeBugCheckCallbackListHead": "bugcheck",
}
UNMAPPED = 0xFFFFC7FF00000000


def options(name):
    """What a machine needs to be whole."""
    if name != "win19041-paged":
        return []
    return ["--pagefile", harness.member("windows-like/win19041-paged",
                                         "win19041-paged.pagefile.sys")]


@functools.lru_cache(maxsize=None)
def result_of(name, command, args, symbols):
    """What a command says of a whole machine: many checks look at the same."""
    where = ["--symbols", harness.machine_symbols(name)] if symbols else []
    return run(command, *where, *options(name), *args, "--format", "json", harness.machine(name),
               env=harness.symbol_cache() if symbols else None)


def rows(test, name, command, *args, symbols=True):
    result = result_of(name, command, args, symbols)
    test.assertEqual((result.status, result.err), (0, ""), (name, command))
    return result.json()


@functools.lru_cache(maxsize=None)
def symbols_of(name):
    """{name: RVA}"""
    with lzma.open(harness.machine_symbols(name)) as f:
        return {key: value["address"] for key, value in json.load(f)["symbols"].items()}


def driver_of(name, va):
    """What a column of modules says of code in the image of the driver that hides its module."""
    for d in harness.machine_truth(name)["drivers"]:
        if d["start"] <= va < d["start"] + d["size"]:
            return "driver " + d["name"]
    return None


class Truth(unittest.TestCase):
    def each(self):
        for name in harness.MACHINES:
            truth = harness.machine_truth(name)
            for symbols in (True, False):
                with self.subTest(machine=name, symbols=symbols):
                    yield name, truth, symbols

    def test_drivers(self):
        for name, truth, symbols in self.each():
            listed = {row["object"]: row for row in rows(self, name, "drivers", symbols=symbols)}
            self.assertEqual(set(listed), {address(d["va"]) for d in truth["drivers"]})
            modules = {m["base"]: m["name"] for m in truth["modules"] if not m.get("hidden")}
            for d in truth["drivers"]:
                row = listed[address(d["va"])]
                self.assertEqual(
                    (row["name"], row["start"], row["size"], row["service_key"], row["devices"]),
                    (d["name"], address(d["start"]), d["size"], d["service"],
                     len(d["devices"])))
                self.assertEqual([irp["value"] for irp in row["irps"]],
                                 [address(irp) for irp in d["irps"]])
                self.assertEqual(row["foreign_handlers"] > 0, d["hooked"], d["name"])
                self.assertEqual(len(row["foreign"]), row["foreign_handlers"])
                self.assertEqual(row["source"], "directory")
                if d["start"] in modules:
                    self.assertEqual(row["module"].lower(), modules[d["start"]].lower())

    def test_hidden_driver(self):
        for name, _, symbols in self.each():
            listed = {row["name"]: row for row in rows(self, name, "drivers", symbols=symbols)}
            self.assertIsNone(listed["\\Driver\\rknet"]["module"])
            hooked = listed["\\Driver\\kbdclass"]
            self.assertEqual(hooked["foreign_handlers"], 1)
            self.assertIn("driver \\Driver\\rknet+0x", hooked["foreign"][0])

    def test_code_of_a_hidden_driver_is_told_by_its_driver_object(self):
        """Code in no listed module, whichever table leads to it, is not just in none."""
        for name, truth, symbols in self.each():
            rknet = next(d for d in truth["drivers"] if d["name"].endswith("rknet"))
            count = 0
            for command, args, where in (("callbacks", (), "function"), ("ssdt", (), "address"),
                                         ("timers", (), "routine"),
                                         ("drivers", ("--irps",), "handler"),
                                         ("threads", (), "win32_start_address")):
                for row in rows(self, name, command, *args, symbols=symbols):
                    va = number(row[where])
                    module = row[{"drivers": "handler_module",
                                  "threads": "start_module"}.get(command, "module")]
                    if not va or driver_of(name, va) != "driver " + rknet["name"]:
                        self.assertFalse((module or "").startswith("driver "))
                        continue
                    count += 1
                    self.assertEqual(module, driver_of(name, va))
                    if command != "threads":
                        self.assertEqual(row["offset"], address(va - rknet["start"]))
            self.assertGreater(count, 5)

    def test_irps(self):
        for name, truth, symbols in self.each():
            listed = rows(self, name, "drivers", "--irps", symbols=symbols)
            self.assertEqual(sorted((row["name"], row["handler"]) for row in listed),
                             sorted((d["name"], address(irp)) for d in truth["drivers"]
                                    for irp in d["irps"]))
            self.assertEqual({row["name"] for row in listed if row["foreign_handler"]},
                             {d["name"] for d in truth["drivers"] if d["hooked"]})

    def test_driver_scan_adds_nothing_that_is_no_driver(self):
        for name, truth, symbols in self.each():
            listed = [row["object"] for row in
                      rows(self, name, "drivers", "--scan", symbols=symbols)]
            self.assertEqual(sorted(listed), sorted(address(d["va"]) for d in truth["drivers"]))

    def test_driver_scan_finds_what_no_directory_has(self):
        # without its page file the machine's \FileSystem directory is absent
        result = run("drivers", "--scan", "--format", "json", harness.machine("win19041-paged"))
        truth = harness.machine_truth("win19041-paged")
        self.assertEqual(result.status, 3)
        self.assertEqual({row["object"] for row in result.json()},
                         {address(d["va"]) for d in truth["drivers"]})
        self.assertIn("pool_scan", {row["source"] for row in result.json()})

    def test_devices(self):
        for name, truth, symbols in self.each():
            expected = sorted((address(d["va"]), d["name"], address(d["driver"]))
                              for d in truth["devices"])
            for args in ([], ["--tree"]):
                listed = rows(self, name, "devices", *args, symbols=symbols)
                self.assertEqual(sorted((row["device"], row["name"], row["driver_object"])
                                        for row in listed), expected)
                self.assertTrue(all(row["owner"] == row["driver_object"] for row in listed))

    def test_services(self):
        for name, truth, symbols in self.each():
            listed = rows(self, name, "ssdt", symbols=symbols)
            self.assertEqual([(row["table"], row["index"], row["address"], row["hooked"])
                              for row in listed],
                             [("nt", s["index"], address(s["addr"]), s["hooked"])
                              for s in truth["ssdt"]])
            for row in listed:
                self.assertEqual(row["module"] == driver_of(name, number(row["address"])),
                                 row["hooked"])
            self.assertEqual([row["address"] for row in
                              rows(self, name, "ssdt", "--hooked", symbols=symbols)],
                             [address(s["addr"]) for s in truth["ssdt"] if s["hooked"]])

    def test_service_names(self):
        """A name is one that the symbol file has for that address: several may share one."""
        for name in harness.MACHINES:
            base = harness.machine_truth(name)["kernel"]["base"]
            symbols = symbols_of(name)
            services = {s["index"]: s for s in harness.machine_truth(name)["ssdt"]}
            for row in rows(self, name, "ssdt"):
                if row["hooked"]:
                    self.assertIsNone(row["symbol"])
                    continue
                self.assertEqual(base + symbols[row["symbol"]],
                                 services[row["index"]]["addr"])

    def test_callbacks(self):
        for name, truth, symbols in self.each():
            listed = rows(self, name, "callbacks", symbols=symbols)
            self.assertEqual(
                sorted((row["type"], row["function"], row["altitude"] or "",
                        row["component"] or "") for row in listed),
                sorted((CALLBACKS[c["type"]], address(c["func"]), c.get("altitude", ""),
                        c.get("detail", "")) for c in truth["callbacks"]))

    def test_timers(self):
        for name, truth, symbols in self.each():
            listed = rows(self, name, "timers", symbols=symbols)
            self.assertEqual(
                sorted((row["timer"], row["cpu"], row["dpc"], row["routine"], row["period"],
                        row["due"]) for row in listed),
                sorted((address(t["va"]), t["cpu"], address(t["dpc"]), address(t["routine"]),
                        t["period"], t["due"]) for t in truth["timers"]))

    def test_big_pools(self):
        for name, truth, symbols in self.each():
            listed = rows(self, name, "bigpools", symbols=symbols)
            expected = sorted((address(b["va"]), b["tag"], b["size"], bool(b["paged"]))
                              for b in truth["bigpool"])
            self.assertEqual(sorted((row["address"], row["tag"], row["size"], row["paged"])
                                    for row in listed), expected)
            self.assertFalse(any(row["free"] for row in listed))
            one = rows(self, name, "bigpools", "--tag", "CM*", symbols=symbols)
            self.assertEqual(sorted(row["address"] for row in one),
                             [b[0] for b in expected if b[1].startswith("CM")])

    def test_sessions(self):
        for name, truth, symbols in self.each():
            listed = rows(self, name, "sessions", symbols=symbols)
            for row in listed:
                pids = {p["pid"] for p in truth["processes"]
                        if p.get("session") == row["session_id"] and not p.get("terminated")}
                named = {int(text.rpartition("(")[2][:-1]) for text in row["processes"]}
                self.assertEqual(row["process_count"], len(named))
                self.assertLessEqual({p for p in pids if p > 4} - named, set())
            self.assertEqual({row["session_id"] for row in listed},
                             {p["session"] for p in truth["processes"]
                              if p.get("session") is not None and
                              not p.get("minimal") and p["pid"] > 4 and
                              not p.get("terminated")})

    def test_unloaded(self):
        for name, truth, symbols in self.each():
            listed = rows(self, name, "modules", "--unloaded", symbols=symbols)
            self.assertEqual({(row["name"], row["start"], row["end"]) for row in listed},
                             {(u["name"], address(u["start"]), address(u["end"]))
                              for u in truth["unloaded"]})


class Damage(unittest.TestCase):
    NAME = "win19041-tiny"

    def damaged(self, command, changes, *args):
        with harness.Damaged(harness.machine(self.NAME), changes) as broken:
            result = run(command, *args, "--symbols", harness.machine_symbols(self.NAME),
                         "--format", "json", broken, env=harness.symbol_cache())
        self.assertIn(result.status, (0, 3), result.err)
        return result

    def truth(self, key):
        return harness.machine_truth(self.NAME)[key]

    def symbol(self, name):
        return harness.machine_truth(self.NAME)["kernel"]["base"] + symbols_of(self.NAME)[name]

    def records(self, kind):
        return [number(row["record"]) for row in rows(self, self.NAME, "callbacks")
                if row["type"] == kind]

    def test_services_beyond_all_numbers(self):
        table = self.symbol("KeServiceDescriptorTable")
        shadow = self.symbol("KeServiceDescriptorTableShadow")
        changes = [(t + 16, struct.pack("<I", 0xFFFFFFFF)) for t in (table, shadow)]
        result = self.damaged("ssdt", changes)
        # the image's own table is still there
        self.assertEqual(len(result.json()), len(self.truth("ssdt")))
        self.assertEqual(result.status, 3)
        self.assertIn("4294967295 services", result.err)

    def test_service_table_that_is_nowhere(self):
        table = self.symbol("KeServiceDescriptorTable")
        result = self.damaged("ssdt", [(table, struct.pack("<Q", UNMAPPED))])
        self.assertEqual(result.status, 3)
        self.assertEqual(len(result.json()), len(self.truth("ssdt")))
        self.assertIn("entries are absent", result.err)

    def test_second_service_table_is_listed(self):
        """A table that threads with windows get instead of the kernel's is a table of its own."""
        shadow = self.symbol("KeServiceDescriptorTableShadow")
        base = self.symbol("KiServiceTable")
        result = self.damaged("ssdt", [(shadow, struct.pack("<Q", base + 4))])
        self.assertEqual({row["descriptor"] for row in result.json()},
                         {"KeServiceDescriptorTable", "KeServiceDescriptorTableShadow"})

    def test_table_that_only_a_process_maps(self):
        """As win32k's, which lies in the memory of a session."""
        shadow = self.symbol("KeServiceDescriptorTableShadow") + 0x20
        process = next(p for p in self.truth("processes") if p.get("peb") and p["pid"] > 4 and
                       not p.get("terminated") and not p.get("hidden"))
        base, limit = process["peb"], 4
        with open(harness.machine(self.NAME), "rb") as f:
            row, = run("vtop", "--brief", "--pid", process["pid"], "--format", "json",
                       harness.machine(self.NAME), address(base)).json()
            f.seek(number(row["pa"]))
            entries = struct.unpack("<4i", f.read(16))
        result = self.damaged("ssdt", [(shadow, struct.pack("<QQI", base, 0, limit))])
        listed = [row for row in result.json() if row["table"] == "win32k"]
        self.assertEqual([row["address"] for row in listed],
                         [address(base + (entry >> 4)) for entry in entries])
        self.assertEqual([row["number"] for row in listed],
                         ["0x1000", "0x1001", "0x1002", "0x1003"])
        self.assertEqual({row["hooked"] for row in listed}, {None})

    def test_table_that_nobody_maps(self):
        shadow = self.symbol("KeServiceDescriptorTableShadow") + 0x20
        result = self.damaged("ssdt", [(shadow, struct.pack("<QQI", UNMAPPED, 0, 4))])
        self.assertEqual(result.status, 3)
        self.assertIn("is in no session's memory", result.err)
        self.assertEqual(len(result.json()), len(self.truth("ssdt")))

    def test_notify_slot_without_address(self):
        slots = self.symbol("PspCreateProcessNotifyRoutine")
        result = self.damaged("callbacks", [(slots, struct.pack("<Q", 0x1234567890))])
        self.assertEqual(result.status, 3)
        self.assertEqual(len(result.json()), len(self.truth("callbacks")) - 1)
        self.assertIn("slot 0", result.err)

    def test_notify_block_that_is_absent(self):
        slots = self.symbol("PspCreateProcessNotifyRoutine")
        result = self.damaged("callbacks", [(slots, struct.pack("<Q", UNMAPPED | 0xF))])
        self.assertEqual(result.status, 3)
        self.assertEqual(len(result.json()), len(self.truth("callbacks")) - 1)

    def test_callback_in_a_driver_that_is_unloaded(self):
        """What a driver forgot to take back: the next call crashes."""
        record = self.records("bugcheck_reason")[0]
        gone = self.truth("unloaded")[0]
        result = self.damaged("callbacks", [(record + 0x10,
                                             struct.pack("<Q", gone["start"] + 0x123))])
        row, = [r for r in result.json() if number(r["record"]) == record]
        self.assertEqual((row["module"], row["offset"], row["symbol"]),
                         ("unloaded " + gone["name"], "0x123", None))

    def test_list_of_callbacks_that_is_torn(self):
        record = self.records("bugcheck_reason")[0]
        result = self.damaged("callbacks", [(record, struct.pack("<Q", UNMAPPED))])
        # the other end of the list leads to the second record
        self.assertEqual(len(result.json()), len(self.truth("callbacks")))

    def test_list_of_callbacks_that_is_a_loop(self):
        record = self.records("bugcheck_reason")[0]
        result = self.damaged("callbacks", [(record, struct.pack("<QQ", record, record))])
        # both its neighbours still point at what points to itself alone
        self.assertEqual(result.json(), rows(self, self.NAME, "callbacks"))
        self.assertEqual(result.status, 0)
        self.assertIn("1 entries do not point back", result.err)

    def test_chain_of_callbacks_that_is_a_loop(self):
        head = self.symbol("SeFileSystemNotifyRoutinesHead")
        record = self.records("bugcheck")[0]  # memory that holds {address, address}
        result = self.damaged("callbacks", [(head, struct.pack("<Q", record)),
                                            (record, struct.pack("<Q", record))])
        self.assertEqual(result.status, 3)
        self.assertIn("runs in a loop", result.err)

    def test_timer_whose_dpc_is_torn(self):
        timer = self.truth("timers")[0]
        result = self.damaged("timers", [(timer["va"] + 0x30, b"\0" * 8)])
        self.assertEqual(result.status, 3)
        listed = {row["timer"]: row for row in result.json()}
        self.assertEqual(len(listed), len(self.truth("timers")))
        self.assertIsNone(listed[address(timer["va"])]["routine"])

    def test_timers_list_that_is_a_loop(self):
        links = self.truth("timers")[0]["va"] + 0x20
        result = self.damaged("timers", [(links, struct.pack("<QQ", links, links))])
        self.assertEqual(result.json(), rows(self, self.NAME, "timers"))
        self.assertEqual(result.status, 0)
        self.assertIn("do not point back", result.err)
        # one that no neighbour points at any more: its list is not whole
        result = self.damaged("timers", [(links, struct.pack("<QQ", 1, 1))])

    def test_big_pools_beyond_all_memory(self):
        size = self.symbol("PoolBigPageTableSize")
        result = self.damaged("bigpools", [(size, struct.pack("<Q", 1 << 60))])
        self.assertEqual((result.status, result.json()), (3, []))
        self.assertIn("is more than", result.err)

    def test_big_pools_that_are_nowhere(self):
        table = self.symbol("PoolBigPageTable")
        result = self.damaged("bigpools", [(table, struct.pack("<Q", UNMAPPED))])
        self.assertEqual((result.status, result.json()), (3, []))
        self.assertIn("entries are absent", result.err)

    def test_freed_big_pool(self):
        row = rows(self, self.NAME, "bigpools")[0]
        entry = number(row["entry"])
        change = [(entry, struct.pack("<Q", number(row["address"]) | 1))]
        self.assertNotIn(row["address"], [r["address"] for r in
                                          self.damaged("bigpools", change).json()])
        free = self.damaged("bigpools", change, "--free").json()
        self.assertEqual([r["address"] for r in free if r["free"]], [row["address"]])

    def test_devices_in_a_loop(self):
        truth = next(d for d in self.truth("drivers") if len(d["devices"]) > 2)
        first, second = truth["devices"][0][1], truth["devices"][1][1]
        listed = rows(self, self.NAME, "devices")
        mine = [r["device"] for r in listed if r["driver_object"] == address(truth["va"])]
        # the last one of the list leads back to the first
        result = self.damaged("devices", [(number(mine[-1]) + 0x10,
                                           struct.pack("<Q", number(mine[0])))])
        self.assertEqual(result.status, 3)
        self.assertEqual([r["device"] for r in result.json()], [r["device"] for r in listed])
        self.assertIn("met before", result.err)
        self.assertNotEqual(first, second)

    def test_device_that_is_none(self):
        truth = next(d for d in self.truth("drivers") if len(d["devices"]) == 1)
        result = self.damaged("devices", [(truth["devices"][0][1], b"\0" * 4)])
        self.assertEqual(result.status, 3)
        self.assertEqual(len(result.json()), len(self.truth("devices")) - 1)
        self.assertIn("is no device", result.err)

    def test_stack_of_devices_in_a_loop(self):
        one, two = (d["va"] for d in self.truth("devices")[:2])
        changes = [(one + 0x18, struct.pack("<Q", two)), (two + 0x18, struct.pack("<Q", one))]
        result = self.damaged("devices", changes, "--tree")
        self.assertEqual(result.status, 3)
        self.assertEqual({r["device"] for r in result.json()},
                         {address(d["va"]) for d in self.truth("devices")})

    def test_driver_without_image(self):
        truth = self.truth("drivers")[0]
        result = self.damaged("drivers", [(truth["va"] + 0x18, b"\0" * 12)])
        row = next(r for r in result.json() if r["object"] == address(truth["va"]))
        self.assertEqual((row["start"], row["size"], row["module"]), ("0x0", 0, None))
        self.assertGreater(row["foreign_handlers"], 0)

    def test_session_whose_list_is_torn(self):
        row = rows(self, self.NAME, "sessions")[0]
        session = number(row["session"])
        result = self.damaged("sessions", [(session + 0x10, struct.pack("<QQ", 1, 1))])
        self.assertEqual(result.status, 3)
        self.assertIsNone(result.json()[0]["process_count"])
        self.assertEqual(len(result.json()), len(rows(self, self.NAME, "sessions")))


class RealDumps(unittest.TestCase):
    COMMANDS = ["drivers", "devices", "ssdt", "callbacks", "timers", "bigpools", "pooltags",
                "sessions"]

    def test_no_command_fails_badly(self):
        images = [harness.image("real/real17763-a.elf")]
        images += [harness.image(f"real/triage/{name}.dmp") for name in
                   ("triage_x64", "083125-14875-01", "100623-4953-01", "102622-15671-01",
                    "040124-5218-01")]
        for image in images:
            for command in self.COMMANDS:
                with self.subTest(image=image, command=command):
                    result = run(command, "--format", "json", image)
                    self.assertIn(result.status, (0, 3))
                    json.loads(result.out)

    def test_services_without_symbols(self):
        """The table is found by the code that uses it."""
        result = run("ssdt", "--format", "json", harness.image("real/real17763-a.elf"))
        listed = {row["index"]: row for row in result.json() if row["table"] == "nt"}
        self.assertGreater(len(listed), 400)
        self.assertFalse(any(row["hooked"] for row in listed.values()))
        # NtReadFile, NtDeviceIoControlFile, NtWriteFile: 9, 10 and 9 arguments (wdm.h)
        self.assertEqual([listed[i]["stack_arguments"] for i in (6, 7, 8)], [5, 6, 5])

    def test_timers_without_symbols(self):
        """Which code they call is told by what the timers have in common."""
        listed = run("timers", "--format", "json",
                     harness.image("real/triage/040124-5218-01.dmp")).json()
        modules = {row["module"] for row in listed if row["routine"]}
        self.assertTrue({"BTHport.sys", "ntoskrnl.exe"} <= modules, modules)


if __name__ == "__main__":
    harness.main()
