/* SPDX-License-Identifier: MIT */
#include "cli/session.h"

#include <inttypes.h>

#include "base/cache_folder.h"
#include "windows/kernel/kernel.h"
#include "windows/locate/location_cache.h"
#include "windows/symbols/symbol_store.h"

enum { MAX_THREADS = 1024 };

static struct error *read_threads(const struct option_values *options, unsigned *ret)
{
	uint64_t threads = 0;

	if (option_u64(options, "threads", &threads) && threads > MAX_THREADS)
		return error_new(ERROR_USAGE, "option '--threads': at most %d", MAX_THREADS);
	*ret = (unsigned)threads;
	return NULL;
}

struct error *session_open(struct session *s, const char *path)
{
	struct snapshot_options given = {
		.format = option_string(s->options, "input-format"),
		.memory_map = option_string(s->options, "memory-map"),
		.container.member = option_string(s->options, "member"),
		.container.quiet = option_flag(s->options, "quiet"),
	};
	struct error *err = read_threads(s->options, &given.threads);

	if (err)
		return err;
	(void)option_u64(s->options, "max-memory", &given.max_memory);
	(void)option_u64(s->options, "max-unpacked", &given.container.max_unpacked);
	return snapshot_open(path, &given, s->diag, &s->snapshot);
}

/* Pages that a compressed snapshot should have and that could not be decoded, if any was wanted. */
void session_report_damage(const struct session *s)
{
	uint64_t pages = 0;
	struct error *why = NULL;

	if (s->snapshot && s->snapshot->mem)
		why = physmem_damage(s->snapshot->mem, &pages);
	if (why)
		diag_error(s->diag, why, "%s: %" PRIu64 " pages cannot be decoded; the lowest",
			   s->snapshot->file.path, pages);
}

void session_close(struct session *s)
{
	session_report_damage(s);
	kernel_close(s->kernel);
	snapshot_close(s->snapshot);
	error_destroy(s->kernel_error);
	s->kernel = NULL;
	s->snapshot = NULL;
	s->kernel_error = NULL;
}

static struct error *read_kernel_options(const struct session *s, struct kernel_options *ret)
{
	const struct option_values *options = s->options;
	struct kernel_options ko = { 0 };
	struct error *err = read_threads(options, &ko.locate.threads);

	if (err)
		return err;
	ko.locate.has_dtb = option_u64(options, "dtb", &ko.locate.dtb);
	ko.locate.has_kernel_base = option_u64(options, "kernel-base", &ko.locate.kernel_base);
	ko.locate.quiet = option_flag(options, "quiet");
	ko.profile.num_symbols = option_list(options, "symbols", &ko.profile.symbols);
	ko.profile.store = s->store;
	ko.num_pagefiles = option_list(options, "pagefile", &ko.pagefiles);
	ko.profile.no_builtin = option_flag(options, "no-builtin-symbols");
	*ret = ko;
	return NULL;
}

/* False: none is to be used, or there is no place for one. */
static bool use_cache(const struct session *s, struct location_cache *ret)
{
	*ret = (struct location_cache){
		.min_scanned = LOCATION_CACHE_MIN_SCANNED,
		.diag = option_flag(s->options, "verbose") ? s->diag : NULL,
	};
	if (!option_flag(s->options, "no-cache"))
		ret->folder = cache_folder_default(s->arena, "snapshots");
	return ret->folder != NULL;
}

/* The kernel, or why there is none: found out once. */
static struct error *open_kernel(struct session *s)
{
	struct location_cache cache;
	struct kernel_options ko;
	struct error *err;

	if (s->kernel || s->kernel_error)
		return NULL;
	if ((err = read_kernel_options(s, &ko)) != NULL)
		return err;
	if (use_cache(s, &cache))
		ko.locate.cache = &cache;
	err = kernel_open(s->snapshot, &ko, s->diag, &s->kernel);
	s->kernel_error = error_wrap(err, "%s", s->snapshot->file.path);
	return NULL;
}

static bool wants_kernel(const struct command *command, const struct option_values *options)
{
	if (!(command->flags & (COMMAND_NEEDS_KERNEL | COMMAND_TRIES_KERNEL)))
		return false;
	return !command->without_kernel || !command->without_kernel(options);
}

struct error *session_prepare(struct session *s, const struct command *command,
			      const struct option_values *options)
{
	return wants_kernel(command, options) ? open_kernel(s) : NULL;
}

/* Ends the rows that went out, also those before an error. */
static struct error *end_rows(const struct command_run *run, struct error *err)
{
	struct error *end_err;

	if (run->wrote_raw || (err && sink_rows(run->sink) == 0))
		return err;
	end_err = sink_end(run->sink);
	if (!err)
		return end_err;
	error_destroy(end_err);
	return err;
}

struct error *session_run(struct session *s, const struct command *command,
			  const struct option_values *options, const char *const *args,
			  size_t num_args, struct sink *sink)
{
	struct command_run run = {
		.command = command,
		.snapshot = s->snapshot,
		.store = s->store,
		.options = options,
		.args = args,
		.num_args = num_args,
		.sink = sink,
		.in = s->in,
		.out = s->out,
		.diag = s->diag,
		.arena = s->arena,
	};
	struct error *err;

	if (wants_kernel(command, options)) {
		if ((err = open_kernel(s)) != NULL)
			return err;
		if (s->kernel_error && (command->flags & COMMAND_NEEDS_KERNEL))
			return error_new(error_code(s->kernel_error), "%s",
					 error_message(s->kernel_error));
		run.kernel = s->kernel;
		run.kernel_error = s->kernel_error;
	}
	err = end_rows(&run, command->run(&run));
	s->exit_status = run.exit_status;
	return err;
}
