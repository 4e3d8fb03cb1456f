/* SPDX-License-Identifier: MIT */
#include "windows/regions/page_tables.h"

static enum va_state classify(const void *arg, uint64_t entry, enum page_level level,
			      uint64_t *pa_ret)
{
	return windows_soft_pte.classify(arg, entry, level, pa_ret);
}

/* Whatever Windows says anything of. */
static bool is_listed(const void *arg, uint64_t entry, enum page_level level)
{
	uint64_t pa;

	return classify(arg, entry, level, &pa) != VA_NOT_PRESENT;
}

static const struct soft_pte_ops every_entry = { .classify = classify, .listed = is_listed };

struct error *page_tables_open(struct kernel *k, uint64_t root, struct space **ret)
{
	if (!k->snap->mem)
		return error_new(ERROR_UNSUPPORTED, "a triage dump has no page tables");
	return space_create_amd64(k->snap->mem, root, k->loc.levels, &every_entry, &k->pte_config,
				  ret);
}

struct error *page_tables_open_resolved(struct kernel *k, uint64_t root, uint64_t eprocess,
					struct space **ret)
{
	if (!k->paging)
		return kernel_open_space(k, root, eprocess, ret);
	return paging_open_entries(k->paging, root, eprocess, ret);
}
