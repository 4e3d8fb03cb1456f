# SPDX-License-Identifier: MIT
"""Processes, threads and modules of the windows-like machines, also hidden and ended ones, against
the truth; and what is left of them where lists and tables are broken."""
import struct
import unittest

import harness
from harness import Damaged, address, filetime, machine, machine_truth, number, run

STATES = {2: "running", 3: "standby", 4: "terminated", 5: "waiting"}
WAITS = {0: "executive", 4: "delay_execution", 5: "suspended", 6: "user_request",
         7: "wr_executive", 13: "wr_user_request", 15: "wr_queue", 16: "wr_lpc_receive",
         17: "wr_lpc_reply"}
PROTECTIONS = {0: None, 0x61: "PsProtectedSignerWinTcb-Light",
               0x31: "PsProtectedSignerAntimalware-Light"}
SOURCES = ("list", "pool_scan", "thread", "cid_table", "handle", "session", "csrss")
PAGED = "win19041-paged"
TINY = "win19041-tiny"


def rows(*args, status=0):
    got = run(*args, "--format", "json")
    if got.status != status:
        raise AssertionError(f"{args}: status {got.status}\n{got.err}")
    return got.json()


class Machines(unittest.TestCase):
    maxDiff = 4000

    def each(self):
        """Arguments that name the snapshot with all that belongs to it, and its truth."""
        for name in harness.MACHINES:
            snapshot = [machine(name)]
            if name == PAGED:
                snapshot += ["--pagefile",
                             harness.member(f"windows-like/{PAGED}", f"{PAGED}.pagefile.sys")]
            with self.subTest(name):
                yield snapshot, machine_truth(name)

    def test_scan(self):
        for snapshot, t in self.each():
            got = rows("ps", "--scan", *snapshot)
            self.assertEqual({r["eprocess"] for r in got},
                             {address(p["va"]) for p in t["processes"]})
            self.assertEqual(len(got), len(t["processes"]))
            self.assertEqual({r["source"] for r in got}, {"pool_scan"})
            self.assertEqual([r["physical"] for r in got],
                             sorted((r["physical"] for r in got), key=lambda pa: int(pa, 16)))
            by_va = {address(p["va"]): p for p in t["processes"]}
            for row in got:
                want = by_va[row["eprocess"]]
                self.assertEqual((row["pid"], row["name"], row["create_time"], row["exit_time"]),
                                 (want["pid"], want["image_name"][:15], filetime(want["ctime"]),
                                  filetime(want["etime"])))

    def test_scan_whatever_the_symbols(self):
        """What the built-in layouts, symbols and discovery find is the same."""
        for name in ("win7601-tiny", "win9600-tiny", TINY, "win22000-tiny"):
            path = machine(name)
            for command, key in (("ps", "eprocess"), ("threads", "ethread")):
                want = [r[key] for r in rows(command, "--scan", path)]
                for symbols in (["--symbols", harness.machine_symbols(name)],
                                ["--no-builtin-symbols", "--no-symbol-store"]):
                    with self.subTest(name, command=command, symbols=symbols[0]):
                        got = run(command, "--scan", "--columns", key, "--format", "json",
                                  *symbols, path)
                        self.assertEqual([r[key] for r in got.json()], want)

    def test_columns(self):
        columns = ("eprocess,exit_status,exit_time,protection,integrity,peb,current_directory,"
                   "window_title,session_id")
        levels = {"S-1-16-4096": "low", "S-1-16-8192": "medium", "S-1-16-12288": "high",
                  "S-1-16-16384": "system"}
        for snapshot, t in self.each():
            has_protection = t["kernel"]["build"] > 9200
            by_va = {address(p["va"]): p for p in t["processes"]}
            for row in rows("ps", "--columns", columns, *snapshot):
                p = by_va[row["eprocess"]]
                self.assertEqual(row["exit_status"] is not None, p["etime"] != 0)
                self.assertEqual(row["protection"],
                                 PROTECTIONS[p["prot"]] if has_protection else None)
                self.assertEqual(row["peb"], address(p["peb"]) if p["peb"] else None)
                self.assertEqual(row["current_directory"], p["cwd"])
                self.assertEqual(row["window_title"], p["title"])
                self.assertEqual(row["integrity"], levels[p["token"]["integrity"]])

    def test_protected_process_of_windows_7(self):
        """It has one bit for it, and no kinds."""
        name = "win7601-tiny"
        flags, = [number(r["offset"]) for r in rows("type", machine(name), "_EPROCESS")
                  if r["name"] == "ProtectedProcess"]
        victim = next(p for p in machine_truth(name)["processes"] if p["name"] == "csrss.exe")
        with Damaged(machine(name), [(victim["va"] + flags, struct.pack("<I", 1 << 11))]) as path:
            for symbols in ((), ("--symbols", harness.machine_symbols(name))):
                got = rows("ps", "--columns", "pid,protection", *symbols, path)
                self.assertEqual([r["pid"] for r in got if r["protection"] == "Protected"],
                                 [victim["pid"]])
                self.assertEqual({r["protection"] for r in got}, {"Protected", None})

    def test_crossview(self):
        for snapshot, t in self.each():
            handles = {h["obj"]: set() for p in t["processes"] for h in p["handles"]}
            for p in t["processes"]:
                for h in p["handles"]:
                    handles[h["obj"]].add(p["image_name"])
            got = rows("ps", "--crossview", *snapshot)
            self.assertEqual(len(got), len(t["processes"]))
            by_va = {address(p["va"]): p for p in t["processes"]}
            for row in got:
                p = by_va[row["eprocess"]]
                holders = handles.get(p["va"], set())
                want = {"list": p["listed"], "pool_scan": True,
                        "thread": any(not th["etime"] for th in p["threads"]),
                        "cid_table": not p["terminated"], "handle": bool(holders),
                        "csrss": "csrss.exe" in holders}
                self.assertEqual({k: row[k] for k in want}, want, p["image_name"])
                if p["listed"]:
                    self.assertEqual(row["session"], p["session"] is not None, p["image_name"])
                self.assertEqual([k for k in row if k in SOURCES], list(SOURCES))

    def check_thread(self, row, want, process, modules):
        start = want["win32start"] or want["start"]
        inside = [m["name"] for m in modules + process["dlls"] + process["dlls32"]
                  if m["base"] <= start < m["base"] + m["size"]]
        self.assertEqual(row, {**row,
                               "pid": want["pid"], "tid": want["tid"],
                               "start_address": address(want["start"]),
                               "win32_start_address": address(want["win32start"]),
                               "teb": address(want["teb"]) if want["teb"] else None,
                               "state": STATES[want["state"]],
                               "wait_reason": WAITS[want["reason"]],
                               "create_time": filetime(want["ctime"]),
                               "exit_time": filetime(want["etime"]),
                               "start_module": inside[0] if inside else None,
                               "eprocess": address(process["va"])})

    def check_threads(self, t, got, processes, ordered):
        modules = [m for m in t["modules"] if not m["hidden"]]
        # code in none of them is told by the driver object that has it
        modules += [{"name": "driver " + d["name"], "base": d["start"], "size": d["size"]}
                    for d in t["drivers"]]
        want = [(th, p) for p in processes for th in p["threads"]]
        self.assertEqual(len(got), len(want))
        if ordered:
            self.assertEqual([r["ethread"] for r in got], [address(th["va"]) for th, _ in want])
        by_va = {r["ethread"]: r for r in got}
        for thread, process in want:
            self.check_thread(by_va[address(thread["va"])], thread, process, modules)

    def test_threads(self):
        for snapshot, t in self.each():
            listed = [p for p in t["processes"] if p["listed"]]
            self.check_threads(t, rows("threads", *snapshot), listed, True)

    def test_threads_scan(self):
        for snapshot, t in self.each():
            got = rows("threads", "--scan", *snapshot)
            self.check_threads(t, got, t["processes"], False)
            self.assertEqual({r["source"] for r in got}, {"pool_scan"})

    def test_modules_scan(self):
        for snapshot, t in self.each():
            got = rows("modules", "--scan", *snapshot)
            self.assertEqual({(r["object"], r["name"], r["base"], r["in_list"]) for r in got},
                             {(address(m["va"]), m["name"], address(m["base"]), not m["hidden"])
                              for m in t["modules"]})
            self.assertEqual(len(got), len(t["modules"]))


class Hidden(unittest.TestCase):
    """A process that is in no list is reached by its id, and one that ended by a scan."""

    def setUp(self):
        self.path = machine(TINY)
        self.truth = machine_truth(TINY)
        self.hidden, = [p for p in self.truth["processes"] if p["hidden"]]
        self.ended, = [p for p in self.truth["processes"] if p["terminated"]]

    def test_by_id(self):
        got = run("ps", "--pid", self.hidden["pid"], "--format", "json", self.path)
        row, = got.json()
        self.assertEqual((got.status, row["source"], row["eprocess"], row["command_line"]),
                         (0, "cid_table", address(self.hidden["va"]), self.hidden["cmdline"]))
        self.assertIn("PspCidTable", got.err)
        for command, column in (("threads", "ethread"), ("vads", "vad"), ("handles", "object")):
            with self.subTest(command):
                got = rows(command, "--pid", self.hidden["pid"], self.path)
                part = self.hidden[command]
                key = "obj" if command == "handles" else "va"
                self.assertEqual([r[column] for r in got], [address(x[key]) for x in part])
        page = rows("vtop", "--brief", "--pid", self.hidden["pid"], self.path,
                    address(self.hidden["image_base"]))
        self.assertEqual(page[0]["state"], "mapped")

    def test_scan_of_one(self):
        self.assertEqual(run("ps", "--pid", self.ended["pid"], self.path).status, 1)
        row, = rows("ps", "--scan", "--pid", self.ended["pid"], self.path)
        self.assertEqual(row["exit_time"], filetime(self.ended["etime"]))
        got = rows("threads", "--scan", "--pid", self.hidden["pid"], self.path)
        self.assertEqual({r["tid"] for r in got}, {th["tid"] for th in self.hidden["threads"]})

    def test_id_that_nobody_has(self):
        """Every command with rows per process fails, and says just why."""
        commands = ("threads", "handles", "dlls", "envars", "params", "tokens", "vads", "maps")
        for args in [("ps",), ("ps", "--tree"), ("ps", "--scan"), ("ps", "--crossview"),
                     ("threads", "--scan"), *((command,) for command in commands)]:
            with self.subTest(args):
                got = run(*args, "--pid", 99996, self.path)
                self.assertEqual((got.status, got.out), (1, ""))
                self.assertRegex(got.err, r"^ntscope: no (process|thread)[^\n]* the id 99996\n$")

    def test_any_number_of_threads(self):
        first = run("ps", "--scan", "--threads", "1", "--format", "csv", self.path).out
        for threads in ("2", "7"):
            self.assertEqual(run("ps", "--scan", "--threads", threads, "--format", "csv",
                                 self.path).out, first)


class Real(unittest.TestCase):
    """A machine of which most pages were never captured: nothing is made up."""

    def test_scan(self):
        want = {(68, "Registry"), (1576, "svchost.exe"), (2700, "svchost.exe"),
                (4056, "svchost.exe"), (5288, "svchost.exe"), (6064, "RuntimeBroker."),
                (6192, "WmiPrvSE.exe"), (6564, "audiodg.exe"), (7088, "cng.exe")}
        for kind in ("elf", "dmp"):
            with self.subTest(kind):
                path = harness.image(f"real/real17763-a.{kind}")
                processes = rows("ps", "--scan", path, status=3)
                self.assertEqual({(r["pid"], r["name"]) for r in processes}, want)
                self.assertEqual(len(processes), len(want))
                pids = {r["eprocess"]: r["pid"] for r in processes}
                threads = rows("threads", "--scan", path, status=3)
                self.assertGreater(len(threads), 50)
                for row in threads:
                    self.assertEqual(pids.get(row["eprocess"], row["pid"]), row["pid"])
                    self.assertLess(row["stack_limit"], row["stack_base"])
                    self.assertTrue(row["create_time"].startswith("2021-04-26"))
                    # most were alive: the place of the time has something else then
                    ended = (row["exit_time"] or "").startswith("2021-04-26")
                    self.assertEqual(ended, row["state"] == "terminated")
                    self.assertEqual(ended, row["exit_status"] is not None)

    def test_crossview_of_living_threads(self):
        path = harness.image("real/real17763-a.elf")
        owners = {r["eprocess"] for r in rows("threads", "--scan", path, status=3)}
        got = rows("ps", "--crossview", path, status=3)
        self.assertEqual({r["eprocess"] for r in got if r["thread"]},
                         {r["eprocess"] for r in got} & owners)
        self.assertEqual({r["thread"] for r in got}, {True, None})
        self.assertIn(7088, {r["pid"] for r in got if r["thread"]})
        # most of the list and of the handle tables is absent: who is not found may be there
        self.assertEqual({r["list"] for r in got}, {True, None})
        self.assertEqual({r["handle"] for r in got}, {None})


class Broken(unittest.TestCase):
    """Lists that were cut, looped or led astray."""

    @classmethod
    def setUpClass(cls):
        cls.path = machine(TINY)
        cls.truth = machine_truth(TINY)
        cls.listed = [p for p in cls.truth["processes"] if p["listed"]]
        layout = rows("type", "--symbols", harness.machine_symbols(TINY), cls.path, "_EPROCESS")
        cls.process = {r["name"]: int(r["offset"], 16) for r in layout}
        layout = rows("type", "--symbols", harness.machine_symbols(TINY), cls.path, "_ETHREAD")
        cls.thread = {r["name"]: int(r["offset"], 16) for r in layout}

    def links(self, index):
        return self.listed[index]["va"] + self.process["ActiveProcessLinks"]

    def pointer(self, va, value):
        return va, struct.pack("<Q", value)

    def test_process_list(self):
        everyone = {p["pid"] for p in self.listed}
        whole = {p["pid"] for p in self.truth["processes"]}
        middle, end = self.links(5), self.links(9)
        for what, changes in {
                "loop": [self.pointer(middle, self.links(2)), self.pointer(end + 8, end)],
                "dangling": [self.pointer(middle, 0x10), self.pointer(end + 8, 0x20)],
                "user": [self.pointer(middle, 0x7FF600000000),
                         self.pointer(end + 8, 0x7FF600001000)],
        }.items():
            with self.subTest(what), Damaged(self.path, changes) as broken:
                listed = {r["pid"] for r in rows("ps", broken, status=3)}
                self.assertLessEqual(listed, everyone)
                # from the front to the break, and from the back to the other one
                near = {p["pid"] for p in self.listed[:6] + self.listed[9:]}
                self.assertLessEqual(near - {self.listed[5]["pid"]}, listed)
                scanned = rows("ps", "--scan", broken, status=3)
                self.assertEqual({r["pid"] for r in scanned}, whole)
                self.assertEqual(len(scanned), len(whole))

    def test_process_that_points_to_itself(self):
        """Both its neighbours still point at it: nothing is missing."""
        middle = self.links(5)
        with Damaged(self.path, [self.pointer(middle, middle),
                                 self.pointer(middle + 8, middle)]) as broken:
            got = run("ps", "--format", "json", broken)
        self.assertEqual(got.status, 0, got.err)
        self.assertEqual([r["pid"] for r in got.json()], [p["pid"] for p in self.listed])
        self.assertIn("1 entries do not point back", got.err)

    def test_crossview_of_a_broken_list(self):
        """Who is out of reach is not said to be hidden."""
        changes = [self.pointer(self.links(5), 0x10), self.pointer(self.links(9) + 8, 0x20)]
        with Damaged(self.path, changes) as broken:
            got = {r["pid"]: r["list"] for r in rows("ps", "--crossview", broken, status=3)}
        self.assertEqual({got[p["pid"]] for p in self.listed[:6] + self.listed[9:]}, {True})
        self.assertEqual(set(got.values()), {True, None})

    def test_thread_list(self):
        process = max(self.listed, key=lambda p: len(p["threads"]))
        tids = [th["tid"] for th in process["threads"]]
        link = [th["va"] + self.thread["ThreadListEntry"] for th in process["threads"]]
        for what, changes in {
                "one way": [self.pointer(link[3], link[3])],
                "both ways": [self.pointer(link[3], 0x10), self.pointer(link[8] + 8, 0x20)],
        }.items():
            with self.subTest(what), Damaged(self.path, changes) as broken:
                got = run("threads", "--pid", process["pid"], "--format", "json", broken)
                # the scheduler's own list has those between the breaks
                self.assertEqual(sorted(r["tid"] for r in got.json()), sorted(tids))
                self.assertEqual(got.status, 3 if what == "both ways" else 0, got.err)

    def test_head_gone(self):
        head = self.truth["globals"]["PsActiveProcessHead"]
        changes = [self.pointer(head, 0), self.pointer(head + 8, 0)]
        with Damaged(self.path, changes) as broken:
            scanned = rows("ps", "--scan", broken, status=3)
            self.assertEqual({r["eprocess"] for r in scanned},
                             {address(p["va"]) for p in self.truth["processes"]})

    def test_loader_lists_gone(self):
        """Without the loader's lists the file that is mapped tells a thread's module."""
        process, = [p for p in self.listed if p["image_name"] == "explorer.exe"]
        want = [r["start_module"].lower() for r in
                rows("threads", "--pid", process["pid"], self.path)]
        ldr = process["peb"] + 0x18  # PEB.Ldr, winternl.h
        with Damaged(self.path, [self.pointer(ldr, 0)], "--pid", process["pid"]) as broken:
            got = run("threads", "--pid", process["pid"], "--format", "json", broken).json()
            self.assertEqual([r["start_module"].lower() for r in got], want)
            self.assertEqual(len(want), len(process["threads"]))

    def test_wow64_command_line(self):
        """A 32-bit process has its command line twice."""
        process, = [p for p in self.listed if p["wow64"]]
        parameters = process["peb"] + 0x20  # PEB.ProcessParameters, winternl.h
        changes = [self.pointer(parameters, 0x7FF600000000)]
        with Damaged(self.path, changes, "--pid", process["pid"]) as broken:
            row, = rows("ps", "--pid", process["pid"], broken)
            self.assertEqual(row["command_line"], process["cmdline"])

    def test_object_overwritten(self):
        """One object's header is gone: one row less, and the list still has it."""
        victim = self.listed[6]
        with Damaged(self.path, [(victim["va"], b"\xff")]) as broken:
            got = rows("ps", "--scan", broken, status=3)
            self.assertEqual({r["pid"] for r in got},
                             {p["pid"] for p in self.truth["processes"]} - {victim["pid"]})


if __name__ == "__main__":
    harness.main()
