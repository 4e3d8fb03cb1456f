/* SPDX-License-Identifier: MIT */
/*
 * Everything above the formats, on the small synthetic Windows with some of its bytes changed. The
 * input is a list of changes {u24 offset, u8 length 1-8, bytes}, so that a mutation reaches the
 * structures instead of breaking the container.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "tests/listings.h"
#include "tests/memfile.h"
#include "windows/crash/analyze.h"
#include "windows/kernel/cpu.h"
#include "windows/modules/module.h"
#include "windows/process/process.h"

enum {
	MAX_INPUT = 1 << 10,
	CHANGE_HEAD = 4,
};

static uint8_t *load_image(size_t *size_ret)
{
	struct file file;
	struct error *err = file_open(&file, TESTDATA_DIR "/small-windows.dmp");
	uint8_t *bytes;

	if (err)
		abort();
	bytes = malloc(file.size);
	if (!bytes)
		abort();
	memcpy(bytes, file.bytes, file.size);
	*size_ret = file.size;
	file_close(&file);
	return bytes;
}

static void apply_changes(uint8_t *image, size_t image_size, const uint8_t *data, size_t size)
{
	while (size > CHANGE_HEAD) {
		size_t offset = load_u32(data) & 0xffffff;
		size_t len = (data[3] & 7u) + 1u;

		data += CHANGE_HEAD;
		size -= CHANGE_HEAD;
		if (len > size)
			len = size;
		if (offset < image_size && len <= image_size - offset)
			memcpy(image + offset, data, len);
		data += len;
		size -= len;
	}
}

static void list_everything(struct kernel *k)
{
	struct kernel_module_list modules;
	struct process_list processes;
	struct analysis analysis;
	struct kernel_cpu *cpus;
	struct space *space;
	size_t count;

	struct error *err = process_list_read(k, PROCESS_FULL, &processes);
	if (!err) {
		for (size_t i = 0; i < processes.count; i++)
			assert(processes.items[i].pid.present && processes.items[i].eprocess);
		process_list_deinit(&processes);
	}
	error_destroy(err);
	err = kernel_modules_read(k, &modules);
	if (!err)
		kernel_modules_deinit(&modules);
	error_destroy(err);
	err = analysis_read(k, &analysis);
	if (!err) {
		assert(!analysis.has_bugcheck == !analysis.bucket);
		analysis_deinit(&analysis);
	}
	error_destroy(err);
	error_destroy(kernel_cpus_read(k, &k->arena, &cpus, &count));
	err = process_open_space_by_pid(k, 348, &space);
	if (!err)
		space_destroy(space);
	error_destroy(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct kernel_options options = { .locate = { .quiet = true, .threads = 1 } };
	char path[MEMFILE_PATH_SIZE];
	struct snapshot *snapshot;
	struct kernel *kernel;
	struct error *err;
	struct diag diag;
	size_t image_size;
	uint8_t *image;

	if (size > MAX_INPUT)
		return 0;
	image = load_image(&image_size);
	apply_changes(image, image_size, data, size);
	int fd = memfile_create(image, image_size, path);
	diag_init(&diag, NULL, NULL);
	err = snapshot_open(path, NULL, &diag, &snapshot);
	if (!err) {
		err = kernel_open(snapshot, &options, &diag, &kernel);
		if (!err) {
			list_everything(kernel);
			run_listings(snapshot, kernel, &diag);
			kernel_close(kernel);
		}
		snapshot_close(snapshot);
	}
	assert(!err || *error_message(err));
	error_destroy(err);
	close(fd);
	free(image);
	return 0;
}
