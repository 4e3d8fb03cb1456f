/* SPDX-License-Identifier: MIT */
#include "base/filetime.h"

enum {
	SECONDS_PER_DAY = 86400,
	/* The calendar repeats every 400 years; counting from March puts leap days at the end. */
	DAYS_PER_ERA = 146097,
	DAYS_FROM_ERA_1600_TO_1601 = 306, /* 1600-03-01 to 1601-01-01 */
};

/* 10000-01-01 00:00:00 UTC */
static const uint64_t FILETIME_END = UINT64_C(2650467744000000000);

struct date {
	unsigned year, month, day;
};

/* Days since 1601-01-01; after Howard Hinnant, "chrono-compatible low-level date algorithms". */
static struct date date_from_days(unsigned days)
{
	unsigned since = days + DAYS_FROM_ERA_1600_TO_1601;
	unsigned era = since / DAYS_PER_ERA;
	unsigned day_of_era = since % DAYS_PER_ERA;
	unsigned year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned march_month = (5 * day_of_year + 2) / 153; /* 0: March */
	unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;

	return (struct date){
		.year = 1600 + 400 * era + year_of_era + (month <= 2),
		.month = month,
		.day = day_of_year - (153 * march_month + 2) / 5 + 1,
	};
}

/* value in so many digits, and the character that ends it. */
static char *put_number(char *out, unsigned value, unsigned digits, char end)
{
	for (unsigned i = digits; i > 0; i--) {
		out[i - 1] = (char)('0' + value % 10);
		value /= 10;
	}
	out[digits] = end;
	return out + digits + 1;
}

bool filetime_format(uint64_t filetime, char ret[FILETIME_TEXT_SIZE])
{
	uint64_t seconds = filetime / FILETIME_SECOND;
	unsigned second_of_day = (unsigned)(seconds % SECONDS_PER_DAY);
	struct date date;
	char *p = ret;

	if (filetime == 0 || filetime >= FILETIME_END)
		return false;
	date = date_from_days((unsigned)(seconds / SECONDS_PER_DAY));
	p = put_number(p, date.year, 4, '-');
	p = put_number(p, date.month, 2, '-');
	p = put_number(p, date.day, 2, 'T');
	p = put_number(p, second_of_day / 3600, 2, ':');
	p = put_number(p, second_of_day / 60 % 60, 2, ':');
	p = put_number(p, second_of_day % 60, 2, '.');
	p = put_number(p, (unsigned)(filetime % FILETIME_SECOND), 7, 'Z');
	*p = '\0';
	return true;
}
