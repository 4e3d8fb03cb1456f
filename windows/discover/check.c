/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "windows/discover/probe.h"
#include "windows/paging/pte.h"

/* Does a layout that came from elsewhere hold on this snapshot? */
enum { SYSTEM_PID = 4, NAME_BYTES = 8, MAX_PID = 1 << 28, MAX_NEIGHBOURS = 4 };

struct layout {
	struct field pid, links, name, dtb;
};

static struct error *check_system(struct space *s, uint64_t system, const struct layout *l)
{
	uint8_t name[NAME_BYTES];
	uint64_t pid;

	if (space_try_u64(s, system + l->pid.offset, &pid, NULL) && pid != SYSTEM_PID)
		return error_new(ERROR_CORRUPT, "System at 0x%jx: id at +0x%x is 0x%jx, not 4",
				 (uintmax_t)system, l->pid.offset, (uintmax_t)pid);
	if (space_try_read(s, system + l->name.offset, name, sizeof("System"), NULL) &&
	    memcmp(name, "System", sizeof("System")))
		return error_new(ERROR_CORRUPT, "System at 0x%jx: no name 'System' at +0x%x",
				 (uintmax_t)system, l->name.offset);
	return NULL;
}

/* Each link that can be read points back, to a process or into the image (the list's head). */
static struct error *check_links(struct space *s, const struct pe_image *kernel, uint64_t system,
				 const struct layout *l)
{
	uint64_t at = system + l->links.offset, next, back, pid;

	for (unsigned i = 0; i < MAX_NEIGHBOURS; i++, at = next) {
		if (!space_try_u64(s, at, &next, NULL))
			return NULL;
		if (!is_kernel_pointer(next))
			return error_new(ERROR_CORRUPT, "links at 0x%jx: 0x%jx is no link",
					 (uintmax_t)at, (uintmax_t)next);
		if (!space_try_u64(s, next + 8, &back, NULL))
			return NULL;
		if (back != at)
			return error_new(ERROR_CORRUPT,
					 "links at 0x%jx: 0x%jx points back to 0x%jx",
					 (uintmax_t)at, (uintmax_t)next, (uintmax_t)back);
		if (next - kernel->base < kernel->size_of_image)
			continue;
		if (space_try_u64(s, next - l->links.offset + l->pid.offset, &pid, NULL) &&
		    (pid >= MAX_PID || pid % 4))
			return error_new(ERROR_CORRUPT, "process at 0x%jx: 0x%jx is no id",
					 (uintmax_t)(next - l->links.offset), (uintmax_t)pid);
	}
	return NULL;
}

static struct error *check_dtb(struct space *s, const struct pe_image *kernel, struct physmem *mem,
			       unsigned levels, uint64_t system, const struct layout *l)
{
	uint64_t dtb, expected, pa;
	struct space *own;
	enum va_state state;
	struct error *err;

	if (!mem || space_translate(s, kernel->base, &expected) != VA_MAPPED ||
	    !space_try_u64(s, system + l->dtb.offset, &dtb, NULL))
		return NULL;
	if ((err = space_create_amd64(mem, dtb_to_root(dtb), levels, &windows_soft_pte, NULL,
				      &own)))
		return err;
	state = space_translate(own, kernel->base, &pa);
	space_destroy(own);
	if (state == VA_TABLE_NOT_CAPTURED || (state == VA_MAPPED && pa == expected))
		return NULL;
	return error_new(ERROR_CORRUPT,
			 "System at 0x%jx: 0x%jx at +0x%x is no page table with the kernel in it",
			 (uintmax_t)system, (uintmax_t)dtb, l->dtb.offset);
}

struct error *discover_check_profile(struct space *space, const struct pe_image *kernel,
				     struct physmem *mem, unsigned levels, uint64_t system_process,
				     const struct profile *p)
{
	static const struct field_row rows[] = {
		{ "_EPROCESS", "UniqueProcessId", REQUIRED },
		{ "_EPROCESS", "ActiveProcessLinks", REQUIRED },
		{ "_EPROCESS", "ImageFileName", REQUIRED },
		{ "_EPROCESS", "Pcb.DirectoryTableBase", REQUIRED },
	};
	struct field fields[ARRAY_SIZE(rows)];
	struct layout l;
	struct error *err;

	if ((err = profile_bind(p, rows, ARRAY_SIZE(rows), fields)))
		return err;
	l = (struct layout){ fields[0], fields[1], fields[2], fields[3] };
	if ((err = check_system(space, system_process, &l)) ||
	    (err = check_links(space, kernel, system_process, &l)) ||
	    (err = check_dtb(space, kernel, mem, levels, system_process, &l)))
		return error_wrap(err, "%s", profile_description(p));
	return NULL;
}
