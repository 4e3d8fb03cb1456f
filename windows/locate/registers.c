/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "windows/locate/private.h"

/*
 * Offsets in KPCR, whose KPRCB begins at 0x180 and has ProcessorState.SpecialRegisters at 0x40:
 * the same in every public ntoskrnl PDB for AMD64.
 */
enum {
	KPCR_SELF = 0x18,
	KPCR_IDT_BASE = 0x38,
	KPCR_CR3 = 0x180 + 0x40 + 0x10,
	KPCR_LSTAR = 0x180 + 0x40 + 0xc0,
	KPCR_SIZE = 0x180 + 0x40 + 0xd8,
	CR4_LA57 = 1 << 12,
	IDT_GATE_SIZE = 16,
};

/* Where KPCR keeps the kernel's CR3 for entries under KVA shadow: the first qword of a page that
 * moved between builds (KiSystemCall64Shadow reads gs:[6000h], [7000h], [9000h]). */
static const uint32_t kpcr_shadow_offsets[] = { 0x9000, 0x7000, 0x6000, 0x8000, 0x5000 };

/* Gates that hold handlers of the kernel itself: #DE, #BP, #PF. */
static const unsigned idt_vectors[] = { 0, 3, 14 };

unsigned locator_levels(const struct locator *l)
{
	const struct dump_info *info = &l->snap->info;

	for (size_t i = 0; i < info->num_registers; i++)
		if (info->registers[i].known & REGS_CONTROL)
			return info->registers[i].cr4 & CR4_LA57 ? 5 : 4;
	return 0;
}

/* What a processor's KPCR adds, read through its root. False: no KPCR at gs. */
static bool collect_kpcr(struct locator *l, struct space *s, uint64_t gs)
{
	uint8_t kpcr[KPCR_SIZE];
	uint64_t cr3;

	if (!is_kernel_address(gs) || !space_try_read(s, gs, kpcr, sizeof(kpcr), NULL) ||
	    load_u64(kpcr + KPCR_SELF) != gs)
		return false;
	hints_add(&l->idts, "KPCR", load_u64(kpcr + KPCR_IDT_BASE));
	hints_add(&l->hints, "KPRCB lstar", load_u64(kpcr + KPCR_LSTAR));
	roots_add(&l->roots, "KPRCB cr3", load_u64(kpcr + KPCR_CR3), s->levels);
	for (size_t i = 0; i < ARRAY_SIZE(kpcr_shadow_offsets); i++)
		if (space_try_u64(s, gs + kpcr_shadow_offsets[i], &cr3, NULL) &&
		    dtb_to_root(cr3) < physmem_end(l->mem))
			roots_add(&l->roots, "KPCR kernel cr3", cr3, s->levels);
	return true;
}

static struct error *collect_cpu(struct locator *l, const struct registers *regs)
{
	unsigned levels = locator_levels(l);
	bool done = false;

	if (regs->known & REGS_SYSCALL)
		hints_add(&l->hints, "lstar", regs->lstar);
	if (regs->known & REGS_TABLES)
		hints_add(&l->idts, "idtr", regs->idtr.base);
	if (!(regs->known & (REGS_CONTROL | REGS_CR3)))
		return NULL;
	roots_add(&l->roots, "cr3", regs->cr3, levels);
	for (unsigned try = levels ? levels : 4; !done && try <= (levels ? levels : 5); try++) {
		struct space *s;
		struct error *err =
			space_create_amd64(l->mem, dtb_to_root(regs->cr3), try, NULL, NULL, &s);

		if (err)
			return err;
		if (regs->known & (REGS_SEGMENTS | REGS_GS_BASE))
			done = collect_kpcr(l, s, regs->gs.base);
		if (regs->known & REGS_KERNEL_GS)
			done = collect_kpcr(l, s, regs->kernel_gs_base) || done;
		space_destroy(s);
	}
	return NULL;
}

struct error *locator_collect(struct locator *l)
{
	const struct dump_info *info = &l->snap->info;
	const struct dump_hints *header = &info->hints;
	struct error *err;

	if (l->collected)
		return NULL;
	l->collected = true;
	/* registers of many processors repeat each other; roots and hints are bounded sets, so what
	 * says most comes first */
	for (size_t i = 0; i < info->num_registers && l->roots.count < MAX_ROOTS; i++)
		if ((err = collect_cpu(l, &info->registers[i])))
			return err;
	roots_add(&l->roots, "header DTB", header->dtb, locator_levels(l));
	hints_add(&l->hints, "header kernel base", header->kernel_base);
	hints_add(&l->hints, "header KDBG", header->kdbg);
	hints_add(&l->hints, "header PsLoadedModuleList", header->ps_loaded_module_list);
	hints_add(&l->hints, "header PsActiveProcessHead", header->ps_active_process_head);
	for (size_t i = 0; i < info->num_registers; i++)
		if (info->registers[i].known & REGS_GENERAL)
			hints_add(&l->hints, "rip", info->registers[i].rip);
	return NULL;
}

/* The tables next to a root: with KVA shadow a process' two are often allocated together. */
static struct error *try_neighbours(struct locator *l)
{
	static const int64_t steps[] = { -PAGE_SIZE, PAGE_SIZE };
	size_t count = l->roots.count;
	struct error *err = NULL;

	for (size_t i = 0; i < count && !l->found && !err; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(steps) && !l->found && !err; j++) {
			struct root root = l->roots.items[i];

			if (strcmp(root.what, "cr3") != 0)
				continue;
			root.what = "next to cr3";
			root.pa += (uint64_t)steps[j];
			err = locator_try(l, &root, &l->hints, false);
		}
	}
	return err;
}

/* The kernel's header page may be the one that was not captured: the KDBG block that the dump's
 * header points to names the base too. */
static struct error *try_kdbg(struct locator *l)
{
	uint64_t kdbg = l->snap->info.hints.kdbg;

	if (!is_kernel_address(kdbg) || l->options->has_kernel_base)
		return NULL;
	for (size_t i = 0; i < l->roots.count && !l->found; i++) {
		struct outcome outcome;
		bool found;
		struct error *err =
			locator_examine_kdbg(l, &l->roots.items[i], kdbg, &outcome, &found);

		if (!err && found)
			err = locator_accept(l, &l->roots.items[i], &outcome);
		if (err)
			return err;
	}
	return NULL;
}

struct error *locate_by_registers(struct locator *l)
{
	struct error *err = locator_collect(l);

	if (err)
		return err;
	if (l->roots.count == 0)
		return locator_note(l, GOT_NOTHING, "the snapshot has no CR3 and no DTB");
	if (l->hints.count == 0)
		return locator_note(l, GOT_NOTHING,
				    "no register or header field is an address "
				    "in the kernel");
	for (size_t i = 0; i < l->roots.count && !l->found; i++)
		if ((err = locator_try(l, &l->roots.items[i], &l->hints, false)))
			return err;
	if (!l->found && (err = try_neighbours(l)))
		return err;
	return l->found ? NULL : try_kdbg(l);
}

/* Handler addresses of an interrupt descriptor table: AMD64 manual vol. 2, 8.9.2. */
static void read_handlers(struct space *s, uint64_t idt, struct hints *ret)
{
	uint8_t gate[IDT_GATE_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(idt_vectors); i++) {
		if (!space_try_read(s, idt + IDT_GATE_SIZE * idt_vectors[i], gate, sizeof(gate),
				    NULL))
			continue;
		hints_add(ret, "idt handler",
			  load_u16(gate) | (uint64_t)load_u16(gate + 6) << 16 |
				  (uint64_t)load_u32(gate + 8) << 32);
	}
}

static struct error *try_idt(struct locator *l, const struct root *root, unsigned levels)
{
	struct root exact = { .what = root->what, .pa = root->pa, .levels = levels };
	struct hints handlers = { .count = 0 };
	struct space *s;
	struct error *err = space_create_amd64(l->mem, root->pa, levels, NULL, NULL, &s);

	if (err)
		return err;
	for (size_t i = 0; i < l->idts.count; i++)
		read_handlers(s, l->idts.items[i].va, &handlers);
	space_destroy(s);
	if (handlers.count == 0)
		return locator_note(
			l, GOT_NOTHING,
			"%s 0x%llx, %u levels: no interrupt descriptor table is readable",
			root->what, (unsigned long long)root->pa, levels);
	return locator_try(l, &exact, &handlers, false);
}

struct error *locate_by_idt(struct locator *l)
{
	struct error *err = locator_collect(l);

	if (err)
		return err;
	if (l->roots.count == 0 || l->idts.count == 0)
		return locator_note(l, GOT_NOTHING, "the snapshot has no %s",
				    l->roots.count == 0 ? "CR3 and no DTB" : "IDTR and no KPCR");
	for (size_t i = 0; i < l->roots.count && !l->found; i++) {
		const struct root *root = &l->roots.items[i];

		for (unsigned levels = 4; levels <= 5 && !l->found; levels++)
			if ((root->levels == 0 || root->levels == levels) &&
			    (err = try_idt(l, root, levels)))
				return err;
	}
	return NULL;
}
