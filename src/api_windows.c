/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "windows/modules/module.h"
#include "windows/process/process.h"

struct nts_kernel {
	struct kernel *kernel;
};

struct nts_process_list {
	struct process_list list;
};

struct nts_module_list {
	struct kernel_module_list list;
};

struct nts_space {
	struct space *space;
	bool owned;
};

struct nts_error *nts_kernel_open(struct nts_snapshot *s, const struct nts_kernel_options *options,
				  struct nts_kernel **ret)
{
	struct kernel_options given = { .locate.quiet = true };
	struct nts_kernel *k = calloc(1, sizeof(*k));
	struct error *err;

	if (!k)
		return public_error(&error_no_memory);
	if (options) {
		given.locate.threads = options->threads;
		given.locate.has_dtb = options->dtb != NULL;
		given.locate.dtb = options->dtb ? *options->dtb : 0;
		given.locate.has_kernel_base = options->kernel_base != NULL;
		given.locate.kernel_base = options->kernel_base ? *options->kernel_base : 0;
		given.profile.symbols = options->symbols;
		given.profile.num_symbols = options->num_symbols;
		given.profile.no_builtin = options->no_builtin_symbols != 0;
	}
	err = kernel_open(s->snapshot, &given, &s->diag, &k->kernel);
	if (err) {
		free(k);
		return public_error(err);
	}
	*ret = k;
	return NULL;
}

void nts_kernel_close(struct nts_kernel *k)
{
	if (!k)
		return;
	kernel_close(k->kernel);
	free(k);
}

void nts_kernel_info(const struct nts_kernel *k, struct nts_kernel_info *ret)
{
	const struct kernel *kernel = k->kernel;
	const struct kernel_location *loc = &kernel->loc;

	*ret = (struct nts_kernel_info){
		.base = loc->base,
		.size = loc->size,
		.dtb = kernel->dtb,
		.paging_levels = loc->levels,
		.build = kernel->build,
		.system_time = kernel->has_system_time ? kernel->system_time : 0,
		.boot_time = kernel->has_boot_time ? kernel->boot_time : 0,
		.pdb_name = loc->has_codeview ? loc->codeview.name : NULL,
		.symbols = profile_description(kernel->profile),
		.located_by = loc->located_by,
		.build_lab = kernel->build_lab,
		.pdb_age = loc->codeview.age,
	};
	if (loc->has_codeview)
		guid_format(loc->codeview.guid, ret->pdb_guid);
}

struct nts_error *nts_processes(struct nts_kernel *k, struct nts_process_list **ret)
{
	struct nts_process_list *list = calloc(1, sizeof(*list));
	struct error *err;

	if (!list)
		return public_error(&error_no_memory);
	if ((err = process_list_read(k->kernel, PROCESS_FULL, &list->list))) {
		free(list);
		return public_error(err);
	}
	*ret = list;
	return NULL;
}

size_t nts_process_count(const struct nts_process_list *list)
{
	return list->list.count;
}

/* A value and, if it is known, its bit. */
static uint64_t take(const struct opt_u64 *value, enum nts_process_field field, uint32_t *known)
{
	if (!value->present)
		return 0;
	*known |= (uint32_t)field;
	return value->value;
}

void nts_process_get(const struct nts_process_list *list, size_t index, struct nts_process *ret)
{
	const struct process *p = &list->list.items[index];
	uint32_t known = p->has_wow64 ? NTS_PROCESS_WOW64 : 0;

	memset(ret, 0, sizeof(*ret));
	ret->eprocess = p->eprocess;
	ret->pid = p->pid.value;
	ret->ppid = take(&p->ppid, NTS_PROCESS_PPID, &known);
	ret->dtb = take(&p->dtb, NTS_PROCESS_DTB, &known);
	ret->user_dtb = take(&p->user_dtb, NTS_PROCESS_USER_DTB, &known);
	ret->threads = take(&p->threads, NTS_PROCESS_THREADS, &known);
	ret->handles = take(&p->handles, NTS_PROCESS_HANDLES, &known);
	ret->session_id = take(&p->session_id, NTS_PROCESS_SESSION_ID, &known);
	ret->create_time = take(&p->create_time, NTS_PROCESS_CREATE_TIME, &known);
	ret->exit_time = take(&p->exit_time, NTS_PROCESS_EXIT_TIME, &known);
	ret->wow64 = p->wow64;
	ret->name = p->name;
	ret->image_path = p->image_path;
	ret->command_line = p->command_line;
	ret->source = p->source;
	ret->known = known;
}

int nts_process_list_complete(const struct nts_process_list *list)
{
	return list->list.complete;
}

void nts_process_list_free(struct nts_process_list *list)
{
	if (!list)
		return;
	process_list_deinit(&list->list);
	free(list);
}

struct nts_error *nts_modules(struct nts_kernel *k, struct nts_module_list **ret)
{
	struct nts_module_list *list = calloc(1, sizeof(*list));
	struct error *err;

	if (!list)
		return public_error(&error_no_memory);
	if ((err = kernel_modules_read(k->kernel, &list->list))) {
		free(list);
		return public_error(err);
	}
	kernel_modules_report_paths(&list->list, k->kernel->diag);
	*ret = list;
	return NULL;
}

size_t nts_module_count(const struct nts_module_list *list)
{
	return list->list.count;
}

void nts_module_get(const struct nts_module_list *list, size_t index, struct nts_module *ret)
{
	const struct kernel_module *m = &list->list.items[index];

	*ret = (struct nts_module){
		.base = m->base,
		.size = m->has_size ? m->size : 0,
		.object = m->object,
		.entry_point = m->has_entry_point ? m->entry_point : 0,
		.time_date_stamp = m->has_time_date_stamp ? m->time_date_stamp : 0,
		.name = m->name,
		.path = m->path,
		.source = m->source,
	};
}

int nts_module_list_complete(const struct nts_module_list *list)
{
	return list->list.complete;
}

void nts_module_list_free(struct nts_module_list *list)
{
	if (!list)
		return;
	kernel_modules_deinit(&list->list);
	free(list);
}

/* Wraps space, or passes err on. */
static struct nts_error *give_space(struct error *err, struct space *space, bool owned,
				    struct nts_space **ret)
{
	struct nts_space *s;

	if (err)
		return public_error(err);
	s = calloc(1, sizeof(*s));
	if (!s) {
		if (owned)
			space_destroy(space);
		return public_error(&error_no_memory);
	}
	s->space = space;
	s->owned = owned;
	*ret = s;
	return NULL;
}

struct nts_error *nts_space_kernel(struct nts_kernel *k, struct nts_space **ret)
{
	return give_space(NULL, k->kernel->space, false, ret);
}

struct nts_error *nts_space_process(struct nts_kernel *k, uint64_t pid, struct nts_space **ret)
{
	struct space *space = NULL;
	struct error *err = process_open_space_by_pid(k->kernel, pid, &space);

	return give_space(err, space, true, ret);
}

struct nts_error *nts_space_root(struct nts_snapshot *s, uint64_t dtb, unsigned levels,
				 struct nts_space **ret)
{
	struct space *space = NULL;
	struct error *err;

	if (!s->snapshot->mem)
		err = error_new(ERROR_UNSUPPORTED, "a triage dump holds no physical pages");
	else if (levels != 4 && levels != 5)
		err = error_new(ERROR_USAGE, "page tables have 4 or 5 levels, not %u", levels);
	else
		err = space_create_amd64(s->snapshot->mem, dtb, levels, NULL, NULL, &space);
	return give_space(err, space, true, ret);
}

void nts_space_free(struct nts_space *space)
{
	if (!space)
		return;
	if (space->owned)
		space_destroy(space->space);
	free(space);
}

struct nts_error *nts_read(struct nts_space *space, uint64_t va, void *buf, size_t len)
{
	return public_error(space_read(space->space, va, buf, len));
}

const char *nts_translate(struct nts_space *space, uint64_t va, uint64_t *pa_ret, int *has_pa)
{
	struct walk walk;

	space_walk(space->space, va, &walk);
	*has_pa = walk.has_pa;
	if (walk.has_pa)
		*pa_ret = walk.pa;
	return va_state_name(walk.state);
}
