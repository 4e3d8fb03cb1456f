# SPDX-License-Identifier: MIT
"""The pages of a dump as libkdumpfile reads it: kdump_pages.py DUMP OUTPUT

Writes the bytes to OUTPUT, each page at its physical address, and prints the frame numbers as
JSON: runs [first, count]. For the Python that the distribution's modules are of; exits with 77
where there is no libkdumpfile.
"""
import json
import sys

try:
    import kdumpfile
    from kdumpfile.exceptions import NoDataException
except ImportError:
    sys.exit(77)

PAGE = 4096


def main(path, output):
    dump = kdumpfile.kdumpfile(file=path)
    present = dump.attr["memory.pagemap"]
    last, frame, runs = dump.attr["max_pfn"], 0, []
    with open(output, "wb") as out:
        while True:
            try:
                frame = present.find_set(frame)
            except NoDataException:
                break
            if frame >= last:
                break
            try:
                page = dump.read(kdumpfile.KDUMP_MACHPHYSADDR, frame * PAGE, PAGE)
            except NoDataException:  # another part of a split dump has it
                frame += 1
                continue
            out.seek(frame * PAGE)
            out.write(page)
            if runs and sum(runs[-1]) == frame:
                runs[-1][1] += 1
            else:
                runs.append([frame, 1])
            frame += 1
    print(json.dumps(runs))


main(*sys.argv[1:])
