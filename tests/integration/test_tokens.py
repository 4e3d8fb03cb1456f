# SPDX-License-Identifier: MIT
"""tokens on the windows-like machines, whole and damaged."""
import hashlib
import struct
import unittest

import harness
from harness import Damaged, address, machine, machine_symbols, machine_truth, run

# bit n of the masks, wdm.h
PRIVILEGES = dict(enumerate(
    "CreateToken AssignPrimaryToken LockMemory IncreaseQuota MachineAccount Tcb Security "
    "TakeOwnership LoadDriver SystemProfile Systemtime ProfileSingleProcess "
    "IncreaseBasePriority CreatePagefile CreatePermanent Backup Restore Shutdown Debug Audit "
    "SystemEnvironment ChangeNotify RemoteShutdown Undock SyncAgent EnableDelegation "
    "ManageVolume Impersonate CreateGlobal TrustedCredManAccess Relabel IncreaseWorkingSet "
    "TimeZone CreateSymbolicLink DelegateSessionUserImpersonate".split(), 2))
INTEGRITY = {"S-1-16-4096": "low", "S-1-16-8192": "medium", "S-1-16-12288": "high",
             "S-1-16-16384": "system"}
NAMES = {"S-1-5-18": ("NT AUTHORITY\\SYSTEM", "well_known"),
         "S-1-5-19": ("NT AUTHORITY\\LOCAL SERVICE", "well_known"),
         "S-1-5-20": ("NT AUTHORITY\\NETWORK SERVICE", "well_known"),
         "S-1-5-90-0-1": ("Window Manager\\DWM-1", "well_known"),
         "S-1-5-96-0-0": ("Font Driver Host\\UMFD-0", "well_known"),
         "S-1-5-96-0-1": ("Font Driver Host\\UMFD-1", "well_known"),
         "S-1-5-21-3623811015-3361044348-30300820-1001": ("alice", "profile")}


def privileges(mask):
    return [f"Se{name}Privilege" for bit, name in PRIVILEGES.items() if mask >> bit & 1]


def expected(p):
    t = p["token"]
    present, enabled, default = t["privs"]
    return {"pid": p["pid"], "token": address(t["va"]), "user_sid": t["user"],
            "user_name": NAMES[t["user"]][0], "user_name_source": NAMES[t["user"]][1],
            "groups": t["sids"], "integrity": INTEGRITY[t["integrity"]],
            "logon_id": address(t["logon"]), "type": "primary",
            "privileges": privileges(present), "privileges_enabled": privileges(enabled),
            "privileges_default": privileges(default)}


def cut(row, want):
    return {key: row[key] for key in want}


class Whole(unittest.TestCase):
    maxDiff = 4000

    def check(self, name, *options):
        got = run("tokens", "--format", "json", *options, machine(name))
        want = [expected(p) for p in machine_truth(name)["processes"] if p["listed"]]
        rows = got.json()
        self.assertEqual(len(rows), len(want))
        for row, w in zip(rows, want):
            self.assertEqual(cut(row, w), w)
        self.assertEqual((got.status, got.err), (0, ""))

    def test_paged(self):
        name = "win19041-paged"
        pagefile = harness.member(f"windows-like/{name}", f"{name}.pagefile.sys")
        self.check(name, "--pagefile", pagefile)

    def test_paged_without_its_page_file(self):
        """Every process has a row, and what is not absent is right."""
        name = "win19041-paged"
        got = run("tokens", "--format", "json", machine(name))
        self.assertEqual(got.status, 3)
        rows = got.json()
        want = [expected(p) for p in machine_truth(name)["processes"] if p["listed"]]
        self.assertEqual([(r["pid"], r["token"]) for r in rows],
                         [(w["pid"], w["token"]) for w in want])
        for row, w in zip(rows, want):
            for key, value in w.items():
                if key == "groups" and row[key] is not None:
                    self.assertTrue(all(g in (sid, None) for g, sid in zip(row[key], value)))
                elif row[key] is not None and not key.startswith("user_name"):
                    self.assertEqual(row[key], value)

    def test_process_that_is_in_no_list(self):
        for name in ("win7601-tiny", "win22000-tiny"):
            p, = (p for p in machine_truth(name)["processes"] if p["hidden"])
            row, = run("tokens", "--format", "json", "--process", address(p["va"]),
                       machine(name)).json()
            self.assertEqual(cut(row, expected(p)), expected(p))

    def test_groups_and_privileges_as_rows(self):
        t = machine_truth("win19041-desktop")
        path = machine("win19041-desktop")
        listed = [p for p in t["processes"] if p["listed"]]
        rows = run("tokens", "--groups", "--format", "json", path).json()
        self.assertEqual([(r["pid"], r["sid"]) for r in rows],
                         [(p["pid"], sid) for p in listed for sid in p["token"]["sids"]])
        self.assertEqual({r["list"] for r in rows}, {"user", "group"})
        for row in rows:
            self.assertEqual(row["sid_kind"] == "integrity", "integrity" in row["attributes"])
        rows = run("tokens", "--privileges", "--format", "json", path).json()
        self.assertEqual(
            [(r["pid"], r["privilege"], r["enabled"], r["by_default"]) for r in rows],
            [(p["pid"], name, name in privileges(p["token"]["privs"][1]),
              name in privileges(p["token"]["privs"][2]))
             for p in listed for name in privileges(p["token"]["privs"][0])])

    def test_both_listings_at_once(self):
        got = run("tokens", "--groups", "--privileges", machine("win19041-tiny"))
        self.assertEqual((got.status, got.out), (2, ""))


def add_test(name, with_symbols=False):
    def test(self):
        self.check(name, *(["--symbols", machine_symbols(name)] if with_symbols else []))
    word = name + ("_by_symbols" if with_symbols else "")
    setattr(Whole, "test_" + word.replace("-", "_"), test)


for machine_name in harness.MACHINES:
    if machine_name != "win19041-paged":
        add_test(machine_name)
    if machine_name.endswith("-tiny"):
        add_test(machine_name, with_symbols=True)


class Real(unittest.TestCase):
    """A Windows 10 1809 machine, most of whose pages are absent: what the user's token of a
    program is that UAC did not elevate."""

    def test_token(self):
        for kind in ("elf", "dmp"):
            path = harness.image(f"real/real17763-a.{kind}")
            row, = run("tokens", "--pid", 7088, "--format", "json", path).json()
            account = "S-1-5-21-3676644706-2410286525-693652655-1001"
            self.assertEqual(cut(row, ["user_sid", "user_name", "integrity", "elevated", "source",
                                       "session_id", "origin_logon_id", "primary_group"]),
                             {"user_sid": account, "user_name": None, "integrity": "medium",
                              "elevated": False, "source": "User32", "session_id": 1,
                              "origin_logon_id": "0x3e7", "primary_group": None})
            self.assertEqual(row["privileges_enabled"], ["SeChangeNotifyPrivilege"])
            rows = run("tokens", "--pid", 7088, "--groups", "--format", "json", path).json()
            denied = [r["sid"] for r in rows if r["attributes"] == ["deny_only"]]
            self.assertEqual(denied, ["S-1-5-114", "S-1-5-32-544"])
            logon, = (r["sid"] for r in rows if r["sid_kind"] == "logon_session")
            self.assertIn("logon_id", next(r for r in rows if r["sid"] == logon)["attributes"])


class Broken(unittest.TestCase):
    """One token damaged: the others are not touched."""

    NAME = "win19041-tiny"
    SIZES = {"Token": 0x4b8, "TokenType": 0xc0, "UserAndGroupCount": 0x7c,
             "UserAndGroups": 0x98, "IntegrityLevelIndex": 0xd0, "LogonSession": 0xd8}

    @classmethod
    def setUpClass(cls):
        cls.listed = [p for p in machine_truth(cls.NAME)["processes"] if p["listed"]]
        cls.victim = next(p for p in cls.listed if p["name"] == "notepad.exe")

    def tokens(self, *changes):
        with Damaged(machine(self.NAME), changes) as broken:
            return run("tokens", "--format", "json", broken)

    def change(self, field, data):
        return self.tokens((self.victim["token"]["va"] + self.SIZES[field], data))

    def rows(self, got):
        """Those of the others are as they must be; the victim's, or None."""
        rows = {r["pid"]: r for r in got.json()}
        for p in self.listed:
            if p is not self.victim:
                self.assertEqual(cut(rows[p["pid"]], expected(p)), expected(p))
        return rows.get(self.victim["pid"])

    def test_pointer_to_the_token(self):
        for pointer in (0x41414141_41414141, 0xffff_8000_0000_0000, 0x1000):
            got = self.tokens((self.victim["va"] + self.SIZES["Token"],
                               struct.pack("<Q", pointer)))
            row = self.rows(got)
            self.assertEqual({row[key] for key in ("type", "user_sid", "logon_id",
                                                   "privileges", "integrity")}, {None})
            self.assertEqual(row["token"], address(pointer & ~0xf))
            self.assertEqual(got.status, 3)
            self.assertIn(f"process {self.victim['pid']}: token at 0x", got.err)
        got = self.tokens((self.victim["va"] + self.SIZES["Token"], bytes(8)))
        self.assertIsNone(self.rows(got))

    def test_something_else_than_a_token(self):
        got = self.change("TokenType", struct.pack("<I", 77))
        self.assertIsNone(self.rows(got))
        self.assertEqual(got.status, 3)
        self.assertIn("is no token: its type is 77", got.err)

    def test_count_of_groups(self):
        got = self.change("UserAndGroupCount", struct.pack("<I", 0xffffffff))
        row = self.rows(got)
        self.assertEqual((row["groups"], row["user_sid"], row["integrity"]), (None,) * 3)
        self.assertEqual(row["logon_id"], expected(self.victim)["logon_id"])
        self.assertEqual(got.status, 3)
        self.assertIn("4294967295 SIDs", got.err)
        row = self.rows(self.change("UserAndGroupCount", struct.pack("<I", 3)))
        self.assertEqual(row["groups"], self.victim["token"]["sids"][:3])
        self.assertIsNone(row["integrity"])

    def test_dangling_groups(self):
        got = self.change("UserAndGroups", struct.pack("<Q", 0xffff_8000_0000_0000))
        row = self.rows(got)
        self.assertIsNone(row["user_sid"])
        self.assertEqual(row["privileges"], expected(self.victim)["privileges"])
        self.assertEqual(got.status, 3)

    def test_index_of_the_label(self):
        for index in (0xffffffff, 0, 1 << 20):
            row = self.rows(self.change("IntegrityLevelIndex", struct.pack("<I", index)))
            self.assertEqual((row["integrity"], row["integrity_level"]), (None, None))
            self.assertEqual(row["groups"], self.victim["token"]["sids"])

    def test_service_by_the_hash_of_its_name(self):
        """A group that is the SID of a service; its bytes lie where the SIDs' hash was."""
        digest = hashlib.sha1("RKAGENT".encode("utf-16-le")).digest()
        sid = bytes([1, 6, 0, 0, 0, 0, 0, 5]) + struct.pack("<I", 80) + digest
        token = self.victim["token"]["va"]
        with Damaged(machine(self.NAME), []) as path:
            where = Damaged(path, []).physical(token + self.SIZES["UserAndGroups"])
            with open(path, "rb") as f:
                f.seek(where)
                array, = struct.unpack("<Q", f.read(8))
        changes = [(token + 0xe8, sid), (array + 2 * 16, struct.pack("<Q", token + 0xe8))]
        with Damaged(machine(self.NAME), changes) as broken:
            rows = run("tokens", "--groups", "--pid", self.victim["pid"], "--format", "json",
                       broken).json()
        self.assertEqual((rows[2]["sid_name"], rows[2]["sid_kind"]),
                         ("NT SERVICE\\rkagent", "service"))

    def test_logon_session_of_another(self):
        for va in (self.victim["va"], 0xffff_8000_0000_0000, 0x41):
            got = self.change("LogonSession", struct.pack("<Q", va))
            row = self.rows(got)
            self.assertEqual(cut(row, expected(self.victim)), expected(self.victim))
            self.assertEqual(got.status, 0)


if __name__ == "__main__":
    harness.main()
