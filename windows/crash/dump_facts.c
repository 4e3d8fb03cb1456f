/* SPDX-License-Identifier: MIT */
#include "windows/crash/dump_facts.h"

#include <inttypes.h>

#include "arch/amd64/context.h"
#include "formats/crashdump/parts.h"
#include "windows/kernel/cpu.h"
#include "windows/kernel/globals.h"
#include "windows/kernel/shared_data.h"

_Static_assert((int)CRASH_CONTEXT_SIZE == (int)CONTEXT_AMD64_SIZE, "one CONTEXT");

/* Where a variable is: the symbols of this kernel say, or KDBG does. */
static bool find_variable(const struct kernel *k, const char *name, enum kdbg_field field,
			  uint64_t *ret)
{
	if (kernel_symbol(k, name, ret))
		return true;
	*ret = k->kdbg.value[field];
	return k->has_kdbg && k->kdbg.has[field] && *ret;
}

static void read_globals(const struct kernel *k, struct dump_hints *hints)
{
	const struct global_value *modules = &k->globals[GLOBAL_PS_LOADED_MODULE_LIST];
	const struct global_value *processes = &k->globals[GLOBAL_PS_ACTIVE_PROCESS_HEAD];
	uint64_t va;

	if (!hints->dtb)
		hints->dtb = k->dtb;
	if (!hints->ps_loaded_module_list && modules->present)
		hints->ps_loaded_module_list = modules->va;
	if (!hints->ps_active_process_head && processes->present)
		hints->ps_active_process_head = processes->va;
	if (!hints->kdbg && k->has_kdbg)
		hints->kdbg = k->kdbg.va;
	if (!hints->pfn_database && find_variable(k, "MmPfnDatabase", KDBG_MM_PFN_DATABASE, &va) &&
	    !space_try_u64(k->space, va, &hints->pfn_database, NULL))
		hints->pfn_database = 0;
}

static void read_system(const struct kernel *k, struct crash_facts *facts)
{
	struct shared_data shared;

	if (!facts->build)
		facts->build = k->build;
	if (!facts->system_time && k->has_system_time)
		facts->system_time = k->system_time;
	if (!shared_data_read(k->space, &shared))
		return;
	if (!facts->system_uptime)
		facts->system_uptime = shared.interrupt_time;
	if (!facts->product_type)
		facts->product_type = shared.product_type;
	if (!facts->suite_mask)
		facts->suite_mask = shared.suite_mask;
}

/* KiBugCheckData: the code and four parameters, all 0 while the machine runs. */
static void read_bugcheck(const struct kernel *k, struct bugcheck *bugcheck)
{
	uint64_t data[1 + MAX_BUGCHECK_PARAMETERS], va;

	if (bugcheck->code || !find_variable(k, "KiBugCheckData", KDBG_KI_BUGCHECK_DATA, &va) ||
	    !space_try_read(k->space, va, data, sizeof(data), NULL) || data[0] > UINT32_MAX)
		return;
	bugcheck->code = (uint32_t)data[0];
	memcpy(bugcheck->parameters, data + 1, sizeof(bugcheck->parameters));
}

/*
 * The memory that the machine has: *MmPhysicalMemoryBlock, a PHYSICAL_MEMORY_DESCRIPTOR64 {u32
 * NumberOfRuns; u64 NumberOfPages; {u64 BasePage, PageCount} Run[]} (ntddk.h, wdbgexts.h).
 */
static struct error *read_machine_runs(const struct kernel *k, struct arena *a,
				       struct crash_facts *facts)
{
	uint64_t va, block, head[2], run[2], end = 0, pages = 0;
	struct mem_range *runs;

	if (facts->num_machine_runs ||
	    !find_variable(k, "MmPhysicalMemoryBlock", KDBG_MM_PHYSICAL_MEMORY_BLOCK, &va) ||
	    !space_try_u64(k->space, va, &block, NULL) ||
	    !space_try_read(k->space, block, head, sizeof(head), NULL))
		return NULL;
	size_t count = (uint32_t)head[0];
	if (!count || count > CRASH_MAX_HEADER_RUNS)
		return NULL;
	runs = arena_calloc(a, count, sizeof(*runs));
	if (!runs)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++) {
		if (!space_try_read(k->space, block + sizeof(head) + i * sizeof(run), run,
				    sizeof(run), NULL) ||
		    run[0] < end || run[0] >= CRASH_MAX_GFN || !run[1] ||
		    run[1] > CRASH_MAX_GFN - run[0])
			return NULL;
		end = run[0] + run[1];
		pages += run[1];
		runs[i] = (struct mem_range){ run[0] << PAGE_SHIFT, end << PAGE_SHIFT };
	}
	if (pages != head[1])
		return NULL;
	facts->machine_runs = runs;
	facts->num_machine_runs = count;
	return NULL;
}

/* Room for what KDBG and one context may be cut into by the pages they lie in. */
enum { MAX_KDBG_PATCHES = 4, MAX_CONTEXT_PATCHES = 2 };

static void tell_absent(struct kernel *k, const char *what, uint64_t va)
{
	diag_note(k->diag, "%s: 0x%" PRIx64 " is not in the snapshot, debuggers cannot show it",
		  what, va);
}

/* What [va, va + len) is to be, page by page and where it is not so. bytes belong to the arena. */
static void add_patches(struct kernel *k, struct dump_facts *facts, uint64_t va,
			const uint8_t *bytes, size_t len, const char *what)
{
	uint8_t old[PAGE_SIZE];
	uint64_t pa;

	for (size_t done = 0, part; done < len; done += part) {
		part = PAGE_SIZE - ((va + done) & PAGE_MASK);
		if (part > len - done)
			part = len - done;
		if (space_translate(k->space, va + done, &pa) != VA_MAPPED ||
		    physmem_read(k->snap->mem, pa, old, part) != part) {
			tell_absent(k, what, va + done);
			continue;
		}
		if (memcmp(old, bytes + done, part) == 0)
			continue;
		facts->patches[facts->num_patches++] =
			(struct write_patch){ pa, bytes + done, part, what };
	}
}

/* Its size is a multiple of 8, as kdbg_read() has seen. */
static struct error *patch_kdbg(struct kernel *k, struct arena *a, struct dump_facts *facts)
{
	const struct kdbg *kdbg = &k->kdbg;
	uint8_t *bytes;

	if (!k->has_kdbg || !kdbg->encoded)
		return NULL;
	bytes = arena_alloc(a, kdbg->size);
	if (!bytes)
		return &error_no_memory;
	if (!space_try_read(k->space, kdbg->va, bytes, kdbg->size, NULL)) {
		tell_absent(k, "KDBG, a part of it", kdbg->va);
		return NULL;
	}
	for (uint32_t i = 0; i < kdbg->size; i += sizeof(uint64_t))
		store_u64(bytes + i, kdbg_decode(kdbg, load_u64(bytes + i)));
	add_patches(k, facts, kdbg->va, bytes, kdbg->size, "KDBG, decoded");
	return NULL;
}

/* What the format says of a processor: NULL if it does not, or not of which. */
static const struct registers *known_registers(const struct kernel *k, unsigned number)
{
	const struct dump_info *info = &k->snap->info;

	if (info->context_cpu_unknown || number >= info->num_registers ||
	    !(info->registers[number].known & REGS_GENERAL))
		return NULL;
	return &info->registers[number];
}

/* Does a saved record say the same already, and perhaps more? */
static bool is_current(const uint8_t *record, const struct registers *regs)
{
	enum { FLAGS = CONTEXT_WRITTEN_FIRST, REST = FLAGS + sizeof(uint32_t) };
	uint8_t now[CONTEXT_AMD64_SIZE];

	memcpy(now, record, sizeof(now));
	context_amd64_write(regs, now);
	return memcmp(now + REST, record + REST, CONTEXT_WRITTEN_END - REST) == 0 &&
	       (load_u32(now + FLAGS) & ~load_u32(record + FLAGS)) == 0;
}

static struct error *patch_context(struct kernel *k, struct arena *a, const struct kernel_cpu *cpu,
				   struct dump_facts *facts)
{
	enum { FIRST = CONTEXT_WRITTEN_FIRST, LEN = CONTEXT_WRITTEN_END - FIRST };
	const struct registers *regs = known_registers(k, cpu->number);
	uint8_t *record;
	char *what;

	if (!regs || !cpu->context)
		return NULL;
	what = arena_printf(a, "registers of processor %u", cpu->number);
	record = arena_alloc(a, CONTEXT_AMD64_SIZE);
	if (!what || !record)
		return &error_no_memory;
	if (!space_try_read(k->space, cpu->context + FIRST, record + FIRST, LEN, NULL)) {
		tell_absent(k, what, cpu->context);
		return NULL;
	}
	if (is_current(record, regs))
		return NULL;
	context_amd64_write(regs, record);
	add_patches(k, facts, cpu->context + FIRST, record + FIRST, LEN, what);
	return NULL;
}

/* What the kernel saved last of processor 0. */
static bool read_saved_context(const struct kernel *k, const struct kernel_cpu *cpus,
			       size_t num_cpus, uint8_t *record)
{
	struct context context;
	struct cursor c;

	for (size_t i = 0; i < num_cpus; i++) {
		if (cpus[i].number != 0 || !cpus[i].context ||
		    !space_try_read(k->space, cpus[i].context, record, CONTEXT_AMD64_SIZE, NULL))
			continue;
		cur_init(&c, record, CONTEXT_AMD64_SIZE, cpus[i].context);
		return context_amd64_read(c, &context) && context.registers.rip &&
		       context.registers.known & REGS_GENERAL;
	}
	return false;
}

/* The header's context, of processor 0. */
static struct error *read_context(const struct kernel *k, struct arena *a,
				  const struct kernel_cpu *cpus, size_t num_cpus,
				  struct crash_facts *facts)
{
	const struct registers *regs = known_registers(k, 0);
	uint8_t *record = arena_alloc(a, CONTEXT_AMD64_SIZE);

	if (!record)
		return &error_no_memory;
	bool saved = read_saved_context(k, cpus, num_cpus, record);
	if (regs && !(saved && is_current(record, regs))) {
		memset(record, 0, CONTEXT_AMD64_SIZE);
		context_amd64_write(regs, record);
	}
	if (regs || saved)
		facts->context = record;
	return NULL;
}

struct error *dump_facts_read(struct kernel *k, struct arena *a, struct dump_facts *ret)
{
	struct dump_facts facts = { 0 };
	struct kernel_cpu *cpus;
	struct error *err;
	size_t num_cpus;

	crash_facts_init(&k->snap->info, &facts.crash);
	kernel_need_kdbg(k);
	read_globals(k, &facts.crash.hints);
	read_system(k, &facts.crash);
	read_bugcheck(k, &facts.crash.bugcheck);
	if ((err = read_machine_runs(k, a, &facts.crash)) ||
	    (err = kernel_cpus_read(k, a, &cpus, &num_cpus)))
		return err;
	if (!facts.crash.num_cpus)
		facts.crash.num_cpus = (uint32_t)num_cpus;
	if ((err = read_context(k, a, cpus, num_cpus, &facts.crash)))
		return err;
	facts.patches = arena_calloc(a, MAX_KDBG_PATCHES + num_cpus * MAX_CONTEXT_PATCHES,
				     sizeof(*facts.patches));
	if (!facts.patches)
		return &error_no_memory;
	if ((err = patch_kdbg(k, a, &facts)))
		return err;
	for (size_t i = 0; i < num_cpus; i++) {
		if ((err = patch_context(k, a, &cpus[i], &facts)))
			return err;
	}
	*ret = facts;
	return NULL;
}
