/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "spec.h"

enum { MAX_REPEAT = 1 << 20, MAX_MAP_PAGES = 1 << 16, MAX_TEXT = 1024 };

static bool token_is(const struct token *t, const char *word)
{
	return !t->quoted && strcmp(t->text, word) == 0;
}

static struct error *find_space(struct spec *s, const struct token *t, struct vspace **ret)
{
	*ret = image_space(s->img, t->text);
	if (!*ret)
		return error_new(ERROR_USAGE, "unknown space '%s'", t->text);
	return NULL;
}

/* set NAME VALUE */
static struct error *do_set(struct spec *s, const struct token *args, size_t n)
{
	struct error *err;
	uint64_t v;

	(void)n;
	if ((err = spec_value(s, &args[1], &v)))
		return err;
	return spec_define(s, &args[0], v);
}

/* label NAME: here */
static struct error *do_label(struct spec *s, const struct token *args, size_t n)
{
	(void)n;
	return spec_define(s, &args[0], s->pos);
}

/* frames ADDRESS: where page tables and "map ... next" take their frames from */
static struct error *do_frames(struct spec *s, const struct token *args, size_t n)
{
	(void)n;
	return spec_value(s, &args[0], &s->img->next_frame);
}

/* capture ADDRESS PAGES: zeroed frames */
static struct error *do_capture(struct spec *s, const struct token *args, size_t n)
{
	struct error *err;
	struct frame *frame;
	uint64_t pa, pages;

	(void)n;
	if ((err = spec_value(s, &args[0], &pa)) || (err = spec_value(s, &args[1], &pages)))
		return err;
	for (uint64_t i = 0; i < pages; i++) {
		if ((err = image_need_frame(s->img, pa / FRAME_SIZE + i, &frame)))
			return err;
	}
	return NULL;
}

/* run ADDRESS PAGES: memory that the machine has */
static struct error *do_run(struct spec *s, const struct token *args, size_t n)
{
	struct image *img = s->img;
	struct extent run;
	struct error *err;

	(void)n;
	if (img->num_runs == MAX_RUNS)
		return error_new(ERROR_LIMIT, "more than %d runs", MAX_RUNS);
	if ((err = spec_value(s, &args[0], &run.start)) ||
	    (err = spec_value(s, &args[1], &run.size)))
		return err;
	run.size *= FRAME_SIZE;
	img->runs[img->num_runs++] = run;
	return NULL;
}

/* space NAME LEVELS SELF_INDEX [like SPACE]; defines NAME.root */
static struct error *do_space(struct spec *s, const struct token *args, size_t n)
{
	struct vspace *upper = NULL, *space;
	uint64_t levels, self_index;
	struct error *err;
	struct token root;
	char name[64];

	if ((err = spec_value(s, &args[1], &levels)) ||
	    (err = spec_value(s, &args[2], &self_index)))
		return err;
	if ((levels != 4 && levels != 5) || self_index > 511)
		return error_new(ERROR_USAGE, "a space has 4 or 5 levels and 512 entries");
	if (n > 3) {
		if (n != 5 || !token_is(&args[3], "like"))
			return error_new(ERROR_USAGE, "expected 'like SPACE'");
		if ((err = find_space(s, &args[4], &upper)))
			return err;
	}
	if (args[0].len > sizeof(name) - sizeof(".root"))
		return error_new(ERROR_USAGE, "name '%s' is too long", args[0].text);
	if ((err = image_add_space(s->img, args[0].text, (unsigned)levels, (unsigned)self_index,
				   upper, &space)))
		return err;
	s->space = space;
	memcpy(name, args[0].text, args[0].len);
	memcpy(name + args[0].len, ".root", sizeof(".root"));
	root = (struct token){ .text = name, .len = args[0].len + strlen(".root") };
	return spec_define(s, &root, space->root);
}

/* use SPACE | physical: what addresses mean from here on */
static struct error *do_use(struct spec *s, const struct token *args, size_t n)
{
	(void)n;
	if (token_is(&args[0], "physical")) {
		s->space = NULL;
		return NULL;
	}
	return find_space(s, &args[0], &s->space);
}

struct map_words {
	unsigned flags, level;
};

static struct error *map_words(const struct token *words, size_t n, struct map_words *ret)
{
	static const struct {
		const char *word;
		unsigned flag, level;
	} rows[] = {
		{ "write", MAP_WRITE, 0 },
		{ "user", MAP_USER, 0 },
		{ "exec", MAP_EXEC, 0 },
		{ "global", MAP_GLOBAL, 0 },
		{ "absent", MAP_ABSENT, 0 },
		{ "2m", 0, 2 },
		{ "1g", 0, 3 },
	};
	struct map_words got = { .level = 1 };

	for (size_t i = 0; i < n; i++) {
		size_t r = 0;

		while (r < ARRAY_SIZE(rows) && !token_is(&words[i], rows[r].word))
			r++;
		if (r == ARRAY_SIZE(rows))
			return error_new(ERROR_USAGE, "unknown map word '%s'", words[i].text);
		got.flags |= rows[r].flag;
		if (rows[r].level)
			got.level = rows[r].level;
	}
	*ret = got;
	return NULL;
}

/* map VA PA|next PAGES [write] [user] [exec] [global] [absent] [2m|1g] */
static struct error *do_map(struct spec *s, const struct token *args, size_t n)
{
	bool next = token_is(&args[1], "next");
	uint64_t va, pa = 0, pages, step;
	struct map_words words = { 0 };
	struct error *err;

	if (!s->space)
		return error_new(ERROR_USAGE, "no space to map in");
	if ((err = spec_value(s, &args[0], &va)) ||
	    (!next && (err = spec_value(s, &args[1], &pa))) ||
	    (err = spec_value(s, &args[2], &pages)) || (err = map_words(args + 3, n - 3, &words)))
		return err;
	if (pages > MAX_MAP_PAGES)
		return error_new(ERROR_LIMIT, "more than %d pages", MAX_MAP_PAGES);
	if (next && words.level > 1)
		return error_new(ERROR_USAGE, "large pages need an address");
	step = UINT64_C(1) << (12 + 9 * (words.level - 1));
	for (uint64_t i = 0; i < pages; i++, va += step, pa += step) {
		if (next && (err = image_alloc(s->img, &pa)))
			return err;
		err = image_map(s->img, s->space, va, pa, words.level, words.flags);
		if (err)
			return err;
	}
	return NULL;
}

/* pte VA ENTRY: a raw last-level entry */
static struct error *do_pte(struct spec *s, const struct token *args, size_t n)
{
	struct error *err;
	uint64_t va, entry;

	(void)n;
	if (!s->space)
		return error_new(ERROR_USAGE, "no space to map in");
	if ((err = spec_value(s, &args[0], &va)) || (err = spec_value(s, &args[1], &entry)))
		return err;
	return image_set_pte(s->img, s->space, va, entry);
}

static struct error *put_number(struct spec *s, uint64_t v, size_t size)
{
	uint8_t bytes[8];

	store_u64(bytes, v);
	if (size < 8 && v >> (8 * size) && ~v >> (8 * size - 1))
		return error_new(ERROR_USAGE, "0x%llx does not fit in %zu bytes",
				 (unsigned long long)v, size);
	return spec_put(s, bytes, size);
}

/* What follows the star of VALUE*COUNT+STEP; it is cut off. */
static struct error *take_count(char *star, uint64_t *count_ret, uint64_t *step_ret)
{
	char *end;

	*star = 0;
	*count_ret = strtoull(star + 1, &end, 0);
	if (end != star + 1 && *end == '+')
		*step_ret = strtoull(end + 1, &end, 0);
	if (end == star + 1 || *end || *count_ret > MAX_REPEAT)
		return error_new(ERROR_USAGE, "bad count '%s'", star + 1);
	return NULL;
}

/* VALUE[*COUNT[+STEP]] */
static struct error *put_series(struct spec *s, const struct token *t, size_t size)
{
	char *star = strchr(t->text, '*');
	uint64_t v, count = 1, step = 0;
	struct error *err;

	if ((star && (err = take_count(star, &count, &step))) || (err = spec_value(s, t, &v)))
		return err;
	for (uint64_t i = 0; i < count; i++, v += step) {
		if ((err = put_number(s, v, size)))
			return err;
	}
	return NULL;
}

static struct error *put_all(struct spec *s, const struct token *args, size_t n, size_t size)
{
	struct error *err = NULL;

	for (size_t i = 0; i < n && !err; i++)
		err = put_series(s, &args[i], size);
	return err;
}

static struct error *do_u8(struct spec *s, const struct token *args, size_t n)
{
	return put_all(s, args, n, 1);
}

static struct error *do_u16(struct spec *s, const struct token *args, size_t n)
{
	return put_all(s, args, n, 2);
}

static struct error *do_u32(struct spec *s, const struct token *args, size_t n)
{
	return put_all(s, args, n, 4);
}

static struct error *do_u64(struct spec *s, const struct token *args, size_t n)
{
	return put_all(s, args, n, 8);
}

/* ascii "text" [SIZE]: padded with NULs to SIZE */
static struct error *do_ascii(struct spec *s, const struct token *args, size_t n)
{
	uint64_t size = args[0].len;
	char text[MAX_TEXT] = "";
	struct error *err;

	if (n > 1 && (err = spec_value(s, &args[1], &size)))
		return err;
	if (args[0].len > sizeof(text) || size > sizeof(text) || size < args[0].len)
		return error_new(ERROR_USAGE, "text of %zu bytes does not fit", args[0].len);
	memcpy(text, args[0].text, args[0].len);
	return spec_put(s, text, size);
}

/* UTF-8 of at most three bytes a character to UTF-16; the number of bytes, 0 if too long. */
static size_t to_utf16(const struct token *t, uint8_t *ret, size_t size)
{
	const uint8_t *p = (const uint8_t *)t->text, *end = p + t->len;
	size_t n = 0;

	while (p < end) {
		unsigned c = *p++;
		unsigned more = c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

		if (more)
			c &= more == 2 ? 0x0fu : 0x1fu;
		for (; more && p < end; more--)
			c = c << 6 | (*p++ & 0x3fu);
		if (n + 2 > size)
			return 0;
		store_u16(ret + n, (uint16_t)c);
		n += 2;
	}
	return n;
}

/* utf16 "text": without a terminating NUL */
static struct error *do_utf16(struct spec *s, const struct token *args, size_t n)
{
	uint8_t text[2 * MAX_TEXT];
	size_t len = to_utf16(&args[0], text, sizeof(text));

	(void)n;
	if (!len && args[0].len)
		return error_new(ERROR_USAGE, "text of %zu bytes does not fit", args[0].len);
	return spec_put(s, text, len);
}

/* The string's buffer goes to the strings area, its descriptor here. */
static struct error *put_unicode_string(struct spec *s, const struct token *t, bool is_32bit)
{
	uint8_t text[2 * MAX_TEXT + 2] = { 0 }, descriptor[16] = { 0 };
	size_t len = to_utf16(t, text, sizeof(text) - 2);
	uint64_t here = s->pos;
	struct error *err;

	if (!len && t->len)
		return error_new(ERROR_USAGE, "text of %zu bytes does not fit", t->len);
	store_u16(descriptor, (uint16_t)len);
	store_u16(descriptor + 2, (uint16_t)(len + 2));
	if (is_32bit)
		store_u32(descriptor + 4, (uint32_t)s->strings);
	else
		store_u64(descriptor + 8, s->strings);
	s->pos = s->strings;
	if ((err = spec_put(s, text, len + 2)))
		return err;
	s->strings = (s->pos + 7) & ~UINT64_C(7);
	s->pos = here;
	return spec_put(s, descriptor, is_32bit ? 8 : 16);
}

/* ustr "text": a 64-bit UNICODE_STRING */
static struct error *do_ustr(struct spec *s, const struct token *args, size_t n)
{
	(void)n;
	return put_unicode_string(s, &args[0], false);
}

/* ustr32 "text": a 32-bit UNICODE_STRING */
static struct error *do_ustr32(struct spec *s, const struct token *args, size_t n)
{
	(void)n;
	return put_unicode_string(s, &args[0], true);
}

/* strings ADDRESS: where the buffers of ustr go */
static struct error *do_strings(struct spec *s, const struct token *args, size_t n)
{
	(void)n;
	return spec_value(s, &args[0], &s->strings);
}

/* guid HEX: 32 digits in the order of symbol stores; its first three fields are little-endian */
static struct error *do_guid(struct spec *s, const struct token *args, size_t n)
{
	static const uint8_t place[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	uint8_t guid[16];

	(void)n;
	if (args[0].len != 32)
		return error_new(ERROR_USAGE, "a guid has 32 digits, '%s'", args[0].text);
	for (size_t i = 0; i < sizeof(guid); i++) {
		char hex[3] = { args[0].text[2 * i], args[0].text[2 * i + 1] };
		char *end;

		guid[place[i]] = (uint8_t)strtoul(hex, &end, 16);
		if (*end)
			return error_new(ERROR_USAGE, "'%s' is not a guid", args[0].text);
	}
	return spec_put(s, guid, sizeof(guid));
}

/* ksystem_time VALUE: KSYSTEM_TIME {LowPart, High1Time, High2Time} */
static struct error *do_ksystem_time(struct spec *s, const struct token *args, size_t n)
{
	struct error *err;
	uint8_t bytes[12];
	uint64_t v;

	(void)n;
	if ((err = spec_value(s, &args[0], &v)))
		return err;
	store_u64(bytes, v);
	store_u32(bytes + 8, (uint32_t)(v >> 32));
	return spec_put(s, bytes, sizeof(bytes));
}

/* gate ADDRESS SELECTOR: a present 64-bit interrupt gate of the IDT */
static struct error *do_gate(struct spec *s, const struct token *args, size_t n)
{
	uint8_t bytes[16] = { 0 };
	uint64_t handler, selector;
	struct error *err;

	(void)n;
	if ((err = spec_value(s, &args[0], &handler)) || (err = spec_value(s, &args[1], &selector)))
		return err;
	store_u16(bytes, (uint16_t)handler);
	store_u16(bytes + 2, (uint16_t)selector);
	store_u16(bytes + 4, 0x8e00);
	store_u16(bytes + 6, (uint16_t)(handler >> 16));
	store_u32(bytes + 8, (uint32_t)(handler >> 32));
	return spec_put(s, bytes, sizeof(bytes));
}

const struct statement memory_statements[] = {
	{ "set", 2, 2, do_set },
	{ "label", 1, 1, do_label },
	{ "frames", 1, 1, do_frames },
	{ "capture", 2, 2, do_capture },
	{ "run", 2, 2, do_run },
	{ "space", 3, 5, do_space },
	{ "use", 1, 1, do_use },
	{ "map", 3, 10, do_map },
	{ "pte", 2, 2, do_pte },
	{ "u8", 1, SPEC_MAX_TOKENS, do_u8 },
	{ "u16", 1, SPEC_MAX_TOKENS, do_u16 },
	{ "u32", 1, SPEC_MAX_TOKENS, do_u32 },
	{ "u64", 1, SPEC_MAX_TOKENS, do_u64 },
	{ "ascii", 1, 2, do_ascii },
	{ "utf16", 1, 1, do_utf16 },
	{ "ustr", 1, 1, do_ustr },
	{ "ustr32", 1, 1, do_ustr32 },
	{ "strings", 1, 1, do_strings },
	{ "guid", 1, 1, do_guid },
	{ "ksystem_time", 1, 1, do_ksystem_time },
	{ "gate", 2, 2, do_gate },
	{ NULL, 0, 0, NULL },
};
