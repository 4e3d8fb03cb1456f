/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "memory/physmem.h"
#include "windows/locate/scan_log.h"

enum { MAX_INPUT = 70 << 10, FINGERPRINT_AT = 24 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_log(const struct scan_log *log)
{
	size_t total = 0;

	check(log->num_scans <= SCAN_LOG_MAX_SCANS && log->num_hits <= SCAN_LOG_MAX_HITS);
	for (size_t i = 0; i < log->num_scans + 2; i++) {
		const struct scan_hit *hits;
		size_t count = scan_log_hits(log, i, &hits);

		check(i < log->num_scans || !count);
		for (size_t n = 0; n < count; n++)
			check(hits[n].pa < PHYSMEM_MAX_END);
		total += count;
	}
	check(total == log->num_hits);
}

/* The input, with a checksum that fits and a fingerprint that is its own. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t fingerprint[SHA256_SIZE] = { 0 }, *bytes, *again;
	struct scan_log log;
	struct error *err;
	size_t len;

	if (size > MAX_INPUT)
		return 0;
	bytes = malloc(size + 1);
	check(bytes);
	if (size)
		memcpy(bytes, data, size);
	if (size >= FINGERPRINT_AT + sizeof(fingerprint) + SHA256_SIZE) {
		memcpy(fingerprint, bytes + FINGERPRINT_AT, sizeof(fingerprint));
		scan_log_seal(bytes, size);
	}
	err = scan_log_parse(bytes, size, fingerprint, &log);
	if (err) {
		check(error_message(err)[0] != '\0');
		error_destroy(err);
	} else {
		check_log(&log);
		check(!scan_log_write(&log, fingerprint, &again, &len));
		check(len == size && memcmp(again, bytes, len) == 0);
		free(again);
		scan_log_deinit(&log);
	}
	free(bytes);
	return 0;
}
