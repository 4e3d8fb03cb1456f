/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/text.h"
#include "cli/commands/dump.h"
#include "cli/commands/dump_name.h"
#include "cli/names.h"
#include "cli/processes.h"
#include "windows/modules/module.h"
#include "windows/pe/layout.h"
#include "windows/process/process_image.h"
#include "windows/process/user_process.h"

/* Bytes of a file that are not part of the loaded image. */
static const char not_mapped[] = "not_mapped";

enum { MAX_MODULE_NAME = 260 };

/* An image to be written. */
struct image {
	struct space *space;
	uint64_t base;
	struct opt_u64 size; /* as the list that has it says */
	const char *name;    /* hostile; NULL: as its export directory says */
	struct opt_u64 pid;
};

static struct error *put_file_layout(struct dump_file *f, struct space *s,
				     const struct pe_image *pe)
{
	struct pe_file_layout layout;
	struct error *err = NULL;

	pe_file_layout(pe, &layout);
	for (size_t i = 0; i < layout.count && !err; i++) {
		const struct pe_file_range *r = &layout.ranges[i];

		err = dump_range(f, r->offset, s, pe->base + r->rva, r->mapped);
		if (!err)
			err = dump_gap(f, r->offset + r->mapped, (struct opt_u64){ 0 },
				       r->size - r->mapped, not_mapped);
	}
	return err;
}

/* "1060.ntdll.dll": files of several processes can be together. */
static struct error *choose_name(struct command_run *run, const struct image *image,
				 const struct pe_image *pe, const char **ret)
{
	const char *name = image->name ? dump_last_part(image->name) : NULL;
	char own[MAX_MODULE_NAME];
	struct error *err = NULL;

	if (!name) {
		err = pe_export_module_name(image->space, pe, own, sizeof(own));
		name = err ? "image" : dump_last_part(own);
		if (err && error_code(err) == ERROR_NO_MEMORY)
			return err;
		error_destroy(err);
	}
	if (image->pid.present)
		*ret = arena_printf(run->arena, "%" PRIu64 ".%s", image->pid.value, name);
	else
		*ret = arena_strdup(run->arena, name);
	return *ret ? NULL : &error_no_memory;
}

static bool is_plausible_size(const struct image *image)
{
	return image->size.present && image->size.value && image->size.value <= UINT32_MAX &&
	       image->size.value - 1 <= UINT64_MAX - image->base;
}

/* In memory layout the headers are needed for its size alone. */
static struct error *read_headers(struct command_run *run, const struct image *image,
				  struct pe_image *ret)
{
	struct error *err = pe_read_any(image->space, image->base, ret);

	if (!err || error_code(err) == ERROR_NO_MEMORY ||
	    !option_flag(run->options, "memory-layout") || !is_plausible_size(image))
		return err;
	diag_note(run->diag, "%s; its size is as the module list says", error_message(err));
	error_destroy(err);
	*ret = (struct pe_image){
		.base = image->base,
		.size_of_image = (uint32_t)image->size.value,
	};
	return NULL;
}

static struct error *put_image(struct dump *dump, const struct image *image)
{
	struct command_run *run = dump->run;
	struct dump_file *f CLEANUP(dump_file_cleanup) = NULL;
	const char *name;
	struct pe_image pe;
	struct error *err;

	if ((err = read_headers(run, image, &pe)) || (err = choose_name(run, image, &pe, &name)) ||
	    (err = dump_begin(dump, name, opt_u64(image->base), &f)))
		return err;
	if (option_flag(run->options, "memory-layout"))
		err = dump_range(f, 0, image->space, pe.base, pe.size_of_image);
	else
		err = put_file_layout(f, image->space, &pe);
	if (err)
		return err;
	if (pe.num_sections < pe.num_sections_claimed)
		diag_partial(run->diag,
			     "image 0x%" PRIx64
			     ": %u of %u section headers are absent, and so are their sections",
			     pe.base, pe.num_sections_claimed - pe.num_sections,
			     pe.num_sections_claimed);
	return dump_end(take_ptr(f));
}

/* One of the `count` images that a name means: where there are others, what is wrong with it
 * costs a line. */
static struct error *put_match(struct dump *dump, const struct image *image, size_t count)
{
	struct error *err = put_image(dump, image);

	if (!err || count == 1 ||
	    (error_code(err) != ERROR_FAULT && error_code(err) != ERROR_CORRUPT &&
	     error_code(err) != ERROR_UNSUPPORTED))
		return err;
	diag_error(dump->run->diag, err, "%s", image->name);
	return NULL;
}

static bool is_module(const struct kernel *k, const struct kernel_module *m, const char *word)
{
	return text_equal_nocase(m->name, word) ||
	       (m->base == k->loc.base && text_equal_nocase(word, names_kernel_module));
}

static bool contains(const struct kernel_module *m, uint64_t va)
{
	return va >= m->base && m->has_size && va - m->base < m->size;
}

static void take_kernel_module(struct image *image, const struct kernel_module *m)
{
	image->base = m->base;
	image->size = (struct opt_u64){ m->has_size, m->size };
	image->name = m->name;
}

/* The modules that word names; else the one that is at, or around, the address that it is. */
static struct error *put_kernel_modules(struct dump *dump, const struct kernel_module_list *list,
					struct image image, const char *word)
{
	const struct kernel *k = dump->run->kernel;
	struct error *err = NULL;
	size_t matches = 0;

	for (size_t i = 0; i < list->count; i++)
		matches += is_module(k, &list->items[i], word);
	for (size_t i = 0; i < list->count && !err; i++) {
		if (!is_module(k, &list->items[i], word))
			continue;
		take_kernel_module(&image, &list->items[i]);
		err = put_match(dump, &image, matches);
	}
	if (err || matches)
		return err;
	if (!address_parse(word, &image.base))
		return error_new(ERROR_NOT_FOUND, "'%s' is no %smodule and no address", word,
				 image.pid.present ? "" : "kernel ");
	for (size_t i = 0; i < list->count; i++) {
		if (!contains(&list->items[i], image.base))
			continue;
		take_kernel_module(&image, &list->items[i]);
		break;
	}
	return put_image(dump, &image);
}

/* image: the space to read in. */
static struct error *dump_kernel_module(struct dump *dump, const struct image *image,
					const char *word)
{
	struct kernel_module_list list;
	struct error *err;

	if ((err = kernel_modules_read(dump->run->kernel, &list)))
		return err;
	err = put_kernel_modules(dump, &list, *image, word);
	kernel_modules_deinit(&list);
	return err;
}

static bool is_user_module(const struct user_module *m, const char *word)
{
	return m->base.present && text_equal_nocase(m->name, word);
}

static void take_user_module(struct image *image, const struct user_module *m)
{
	image->base = m->base.value;
	image->size = m->size;
	image->name = m->name;
}

/* A WoW64 process may have two modules of one name: both are meant. */
static struct error *put_user_modules(struct dump *dump, const struct user_module_list *list,
				      struct image image, const char *word)
{
	const struct user_module *m;
	struct error *err = NULL;
	size_t matches = 0;

	for (size_t i = 0; i < list->count; i++)
		matches += is_user_module(&list->items[i], word);
	for (size_t i = 0; i < list->count && !err; i++) {
		if (!is_user_module(&list->items[i], word))
			continue;
		take_user_module(&image, &list->items[i]);
		err = put_match(dump, &image, matches);
	}
	if (err || matches)
		return err;
	/* drivers of a session are mapped just in its processes */
	if (!address_parse(word, &image.base) || image.base >> 63)
		return dump_kernel_module(dump, &image, word);
	m = user_module_at(list, image.base);
	if (m)
		take_user_module(&image, m);
	return put_image(dump, &image);
}

static struct error *dump_user_module(struct dump *dump, const struct process_visit *visit,
				      const char *word)
{
	const struct image image = { .space = visit->space, .pid = visit->process->pid };
	struct user_module_list list = { .count = 0 };
	struct user_process process;
	struct user_reader reader;
	struct error *err;

	if ((err = user_reader_init(dump->run->kernel, &reader)))
		return err;
	user_process_init(&process, &reader, visit->process, visit->space);
	if ((err = user_modules_read(&process, &list)))
		return err;
	err = put_user_modules(dump, &list, image, word);
	user_modules_deinit(&list);
	return err;
}

static struct error *dump_main_image(struct dump *dump, const struct process_visit *visit)
{
	struct image image = {
		.space = visit->space,
		.pid = visit->process->pid,
		.name = visit->process->name,
	};
	struct error *err =
		process_image_find(dump->run->kernel, visit->process, visit->space, &image.base);

	return err ? err : put_image(dump, &image);
}

static struct error *visit_process(struct command_run *run, const struct process_visit *visit,
				   void *arg)
{
	const char *word = option_string(run->options, "module");
	struct dump *dump = arg;

	if (!visit->space)
		return error_new(ERROR_NOT_FOUND,
				 "process 0x%" PRIx64 ": its page tables are not known",
				 visit->process->eprocess);
	return word ? dump_user_module(dump, visit, word) : dump_main_image(dump, visit);
}

static struct error *process_run(struct dump *dump)
{
	return each_process(dump->run, visit_process, dump);
}

static struct error *module_run(struct dump *dump)
{
	const struct option_values *options = dump->run->options;
	const struct image image = { .space = dump->run->kernel->space };

	if (option_flag(options, "pid") || option_flag(options, "process"))
		return process_run(dump);
	return dump_kernel_module(dump, &image, option_string(options, "module"));
}

const struct dump_kind dump_module = { .option = "module", .run = module_run };
const struct dump_kind dump_process = { .option = "pid", .narrows = true, .run = process_run };
const struct dump_kind dump_process_object = {
	.option = "process",
	.narrows = true,
	.run = process_run,
};
