#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the page table walker with images whose translations are known.

walk_images.py WALK_TOOL SHARED_DIR [NAME...]

Exit status 77 when the images are not there.
"""
import json
import lzma
import pathlib
import subprocess
import sys
import tarfile
import tempfile

SKIPPED = 77
WRITE, USER, NO_EXEC = 1, 2, 4
NONE = None


def parse(word):
    return NONE if word == '-' else int(word, 16)


class Walker:
    """Questions to one walk_tool process, asked in one batch."""

    def __init__(self, tool, image, levels=4, soft='hardware', runs=()):
        self.command = [tool, str(image), str(levels), soft]
        self.command += [f'{n:x}' for run in runs for n in run]

    def ask(self, questions):
        text = ''.join(f'{kind} {root:x} {va:x}\n' for kind, root, va in questions)
        return subprocess.run(self.command, input=text, check=True, text=True,
                              stdout=subprocess.PIPE).stdout.splitlines()

    def walks(self, pairs):
        answers = self.ask([('w', root, va) for root, va in pairs])
        assert len(answers) == len(pairs), 'an answer for each question'
        result = []
        for line in answers:
            state, pa, size, access, entry = line.split(' ')
            result.append((state, parse(pa), parse(size), parse(access), parse(entry)))
        return result

    def ranges(self, root):
        lines = self.ask([('n', root, 0)])
        assert lines.pop() == 'end'
        result = []
        for line in lines:
            start, last, state, *rest = line.split(' ')
            result.append((int(start, 16), int(last, 16), state, *map(parse, rest)))
        return result


class Report:
    def __init__(self, name):
        self.name, self.checked, self.wrong = name, 0, []

    def check(self, what, expected, found):
        self.checked += 1
        if expected != found:
            self.wrong.append(f'{what}: expected {expected}, found {found}')

    def end(self):
        print(f'{self.name}: {self.checked} checks, {len(self.wrong)} differ')
        for line in self.wrong[:10]:
            print(f'  {line}')
        return not self.wrong


def check_ranges(report, walker, root):
    """Ranges ascend and agree with the walk at both ends and between."""
    ranges = walker.ranges(root)
    points = []
    after = 0
    for r in ranges:
        start, last, state, pa, size, access, repeat = r
        report.check(f'order at {start:#x}', True, start >= after and last >= start)
        after = last + 1
        middle = start + (last - start) // 2
        points += [(r, va) for va in (start, middle, last)]
    for (r, va), walk in zip(points, walker.walks([(root, va) for _, va in points])):
        start, _, state, pa, size, access, repeat = r
        if pa is None and repeat:
            continue  # an alias: its content is that of the stretch before it
        if pa is not None:
            pa = pa & -repeat | va & (repeat - 1) if repeat else pa + va - start
        report.check(f'range {start:#x} at {va:#x}', (state, pa, size, access), walk[:4])
    return ranges


WINDOWS_STATES = {
    'transition': {'transition'},
    'prototype': {'prototype'},
    'pagefile': {'pagefile'},
    'demandzero': {'demand_zero'},
    'discarded': {'not_present'},
    'notmapped': {'not_present'},
}


def check_windows(report, tool, image, truth):
    mask = truth.get('invalid_pte_mask') or 0
    walker = Walker(tool, image, soft=f'{mask:x}', runs=[(0, image.stat().st_size, 0)])
    rows = truth['translations']
    for row, walk in zip(rows, walker.walks([(r['dtb'], r['va']) for r in rows])):
        what = f"{row['kind']} {row['va']:#x} of {row['dtb']:#x}"
        state, pa, _, _, entry = walk
        captured = row['pa'] is not None and row['pa'] < image.stat().st_size
        if row['pa'] is not None:
            report.check(what, ('mapped' if captured else 'not_captured', row['pa']), (state, pa))
            continue
        report.check(what, True, state in WINDOWS_STATES[row['kind']])
        if row['kind'] == 'transition':
            report.check(what, row['soft_pa'], pa)
        if 'pte' in row:
            report.check(what, row['pte'], entry)
    ranges = check_ranges(report, walker, truth['dtb'])
    # the shared tables of one page come as a single stretch
    dummy = truth.get('dummy_tables')
    if dummy and dummy.get('pml4_slots'):
        slots = dummy['pml4_slots']
        start = (slots[0] << 39) - (1 << 48) & (1 << 64) - 1
        last = start + (len(slots) << 39) - 1
        found = [r for r in ranges if r[0] <= last and r[1] >= start]
        report.check('dummy tables', [(start, last, dummy['page'], 4096)],
                     [(r[0], r[1], r[3], r[6]) for r in found])


def check_real(report, tool, image, truth):
    walker = Walker(tool, image)  # the truth is what the hardware says
    rows = truth['translations']
    root = int(truth['dtb'], 16)
    for row, walk in zip(rows, walker.walks([(root, int(r['va'], 16)) for r in rows])):
        reason = row['reason']
        if reason is None:
            reason = 'mapped' if row['captured'] else 'not_captured'
        state = 'table_not_in_snapshot' if walk[0] == 'table_not_captured' else walk[0]
        pa = int(row['pa'], 16) if row['pa'] else None
        report.check(row['va'], (reason, pa), (state, walk[1]))
    check_ranges(report, Walker(tool, image, soft=f'{1 << 45:x}'), root)


# `info tlb` tells the bits of the leaf
TLB_FLAGS = {'X': 63, 'G': 8, 'P': 7, 'D': 6, 'A': 5, 'C': 4, 'T': 3, 'U': 2, 'W': 1}


def check_tlb(report, walker, root, tlb):
    pages = {}
    for va, pa, size, count, flags in tlb:
        pages.update((int(va, 16) + i * size, (int(pa, 16) + i * size, size, flags))
                     for i in range(count))
    for va, walk in zip(pages, walker.walks([(root, va) for va in pages])):
        pa, size, flags = pages[va]
        entry = walk[4]
        if size == 4096 and 'P' not in flags:
            entry &= ~(1 << 7)  # PAT, which is not shown
        found = {f for f, bit in TLB_FLAGS.items() if entry >> bit & 1}
        report.check(f'tlb {va:#x}', (pa, size, set(flags) - {'-'}), (walk[1], walk[2], found))
    listed = {}
    for start, last, _, pa, size, _, repeat in check_ranges(report, walker, root):
        for va in range(start, last + 1, size):
            listed[va] = pa if repeat else pa + va - start
    report.check('pages listed', {va: page[0] for va, page in pages.items()}, listed)


def check_info_mem(report, walker, root, rows):
    """The protections that QEMU accumulates over the levels."""
    starts = [int(row[0].split('-')[0], 16) for row in rows]
    for row, walk in zip(rows, walker.walks([(root, va) for va in starts])):
        access = walk[3]
        found = ('u' if access & USER else '-') + 'r' + ('w' if access & WRITE else '-')
        report.check(f'info mem {row[0]}', row[2], found)


def check_qemu_cpus(report, walker_of, truth):
    for cpu in truth['cpus']:
        walker = walker_of(5 if cpu['la57'] else 4)
        root = int(cpu['cr3'], 16)
        rows = cpu['translations']
        walks = walker.walks([(root, int(va, 16)) for va, _ in rows])
        for (va, pa), walk in zip(rows, walks):
            found = walk[1] if walk[0] in ('mapped', 'not_captured') else None
            report.check(f"cpu {cpu['cpu']} {va}", int(pa, 16) if pa else None, found)
        if cpu.get('tlb'):
            check_tlb(report, walker, root & ~0xfff, cpu['tlb'])
        check_info_mem(report, walker, root, cpu.get('info_mem') or [])


def check_processes(report, walker_of, processes, levels):
    walker = walker_of(levels)
    for process in processes:
        for root in process.get('cr3') or []:
            rows = process.get('not_present_for_hardware') or []
            pairs = [(int(root, 16), int(va, 16)) for va in rows]
            for pair, walk in zip(pairs, walker.walks(pairs)):
                report.check(f"{process['name']} {pair[1]:#x}", 'not_present', walk[0])


class Images:
    def __init__(self, shared, scratch):
        self.root = pathlib.Path(shared) / 'images'
        self.scratch = pathlib.Path(scratch)

    def present(self):
        return (self.root / 'windows-like').is_dir()

    def json(self, path):
        opened = lzma.open if path.endswith('.xz') else open
        with opened(self.root / path, 'rt') as f:
            return json.load(f)

    def unpack_xz(self, path):
        """A sparse copy of an .xz file."""
        target = self.scratch / pathlib.Path(path).stem
        with open(target, 'wb') as out:
            subprocess.run(['xz', '-dc', str(self.root / path)], stdout=out, check=True)
        return target

    def unpack_tar(self, path, *members):
        names = ['--wildcards', *members] if members else []
        subprocess.run(['tar', '-xJf', str(self.root / path), '-C', str(self.scratch), *names],
                       check=True)


def windows_images(images, tool):
    for name in ('win7601-tiny', 'win9600-tiny', 'win19041-tiny', 'win22000-tiny',
                 'win19041-desktop', 'win19041-paged'):
        def run(report, name=name):
            truth = images.json(f'windows-like/{name}.truth.json.xz')
            if name.endswith('-tiny'):
                image = images.unpack_xz(f'windows-like/{name}.raw.xz')
            else:
                images.unpack_tar(f'windows-like/{name}.tar.xz', '*.raw')
                image = next(images.scratch.rglob(f'{name}.raw'))
            check_windows(report, tool, image, truth)
            image.unlink()
        yield name, run


def qemu_images(images, tool):
    for name in 'ab':
        def run(report, name=name):
            images.unpack_tar(f'qemu/{name}-truth.tar.xz')
            images.unpack_tar(f'qemu/{name}.tar.xz', '*mem.raw')
            folder = next(images.scratch.rglob(f'{name}-truth/truth.json')).parent
            truth = json.loads((folder / 'truth.json').read_text())
            processes = json.loads((folder / 'processes.json').read_text())
            image = next(images.scratch.rglob('mem.raw'))

            def walker_of(levels):
                return Walker(tool, image, levels, runs=truth['raw_runs'])
            check_qemu_cpus(report, walker_of, truth)
            check_processes(report, walker_of, processes, 5 if truth['cpus'][0]['la57'] else 4)
            image.unlink()
        yield f'qemu-{name}', run


def nt_images(images, tool):
    for name in ('nt-self4', 'nt-self5'):
        def run(report, name=name):
            images.unpack_tar('qemu/nt.tar.xz', f'*{name}/image.raw', f'*{name}/truth.json')
            image = next(images.scratch.rglob(f'{name}/image.raw'))
            truth = json.loads((image.parent / 'truth.json').read_text())
            check_qemu_cpus(report, lambda levels: Walker(tool, image, levels,
                                                          runs=[(0, image.stat().st_size, 0)]),
                            truth)
        yield name, run


def real_images(images, tool):
    for suffix in ('elf', 'dmp'):
        def run(report, suffix=suffix):
            image = images.unpack_xz(f'real/real17763-a.{suffix}.xz')
            check_real(report, tool, image, images.json('real/real17763-a.truth.json'))
        yield f'real17763-a.{suffix}', run


def main():
    tool, shared, *wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix='walk-') as scratch:
        images = Images(shared, scratch)
        if not images.present():
            print(f'skipped: no snapshots with known truth in {images.root}')
            return SKIPPED
        good = True
        for group in (windows_images, nt_images, qemu_images, real_images):
            for name, run in group(images, tool):
                if wanted and name not in wanted:
                    continue
                report = Report(name)
                run(report)
                good &= report.end()
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
