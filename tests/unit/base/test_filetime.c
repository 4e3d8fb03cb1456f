/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "base/filetime.h"

static const uint64_t TICKS_PER_SECOND = 10000000;
/* 1601-01-01 to 1970-01-01: 369 years with 89 leap days. */
static const uint64_t UNIX_EPOCH = UINT64_C(11644473600) * 10000000;

static void expect(uint64_t filetime, const char *text)
{
	char buf[FILETIME_TEXT_SIZE];

	cr_assert(filetime_format(filetime, buf));
	cr_assert_str_eq(buf, text);
}

Test(filetime, known_times)
{
	expect(1, "1601-01-01T00:00:00.0000001Z");
	expect(UNIX_EPOCH, "1970-01-01T00:00:00.0000000Z");
	expect(UINT64_C(133590324301234567), "2024-05-01T10:20:30.1234567Z");
	expect(UNIX_EPOCH + 951782400 * TICKS_PER_SECOND, "2000-02-29T00:00:00.0000000Z");
	expect(UNIX_EPOCH + 951868800 * TICKS_PER_SECOND, "2000-03-01T00:00:00.0000000Z");
	expect(UINT64_C(2650467743999999999), "9999-12-31T23:59:59.9999999Z");
}

Test(filetime, what_is_no_time_leaves_the_buffer_alone)
{
	static const uint64_t none[] = { 0, UINT64_C(2650467744000000000), INT64_MAX, UINT64_MAX };
	char buf[FILETIME_TEXT_SIZE] = "as it was";

	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		cr_assert(!filetime_format(none[i], buf));
	cr_assert_str_eq(buf, "as it was");
}

/* Every day of the range, against the C library. */
Test(filetime, every_day_agrees_with_gmtime)
{
	const uint64_t day = 86400 * TICKS_PER_SECOND;
	char expected[32], buf[FILETIME_TEXT_SIZE];

	for (uint64_t t = 1; t < UINT64_C(2650467744000000000); t += day) {
		time_t seconds = (time_t)(t / TICKS_PER_SECOND) - INT64_C(11644473600);
		struct tm tm;

		cr_assert_not_null(gmtime_r(&seconds, &tm));
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
		cr_assert(filetime_format(t, buf));
		cr_assert_eq(strncmp(buf, expected, strlen(expected)), 0, "%s is not %s", buf,
			     expected);
	}
}
