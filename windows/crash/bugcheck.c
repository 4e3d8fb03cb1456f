/* SPDX-License-Identifier: MIT */
#include "windows/crash/bugcheck.h"

static const struct bugcheck_row {
	uint32_t code;
	const char *name;
} names[] = {
#include "windows/crash/bugcheck_names.inc"
};

#define P(meaning, kind)                 \
	{                                \
		meaning, BUGCHECK_##kind \
	}
#define RESERVED				P("reserved", NUMBER)
#define VIOLATION				P("kind of violation", VIOLATION)
#define UNKNOWN					P(NULL, UNKNOWN)
#define WHEN(code, selector, value, cause, ...) { code, selector, value, cause, { __VA_ARGS__ } },
#define ALL(code, cause, ...)			{ code, 0, 0, cause, { __VA_ARGS__ } },
const struct bugcheck_layout bugcheck_layouts[] = {
#include "windows/crash/bugcheck_parameters.inc"
};
const size_t num_bugcheck_layouts = ARRAY_SIZE(bugcheck_layouts);

/*
 * Words for values. Interrupt levels, FAST_FAIL_ codes and access violations: wdm.h, winnt.h;
 * vectors: Intel SDM volume 3, table 6-1; the others: the pages of their bug checks.
 */
static const struct bugcheck_word_row {
	enum bugcheck_kind kind;
	uint64_t value;
	const char *word;
} words[] = {
#include "windows/crash/bugcheck_words.inc"
};

/* The mark stands only in codes whose high half is otherwise 0. */
uint32_t bugcheck_plain_code(uint32_t code)
{
	return code >> 16 == BUGCHECK_SMALL_DUMP >> 16 ? code & ~BUGCHECK_SMALL_DUMP : code;
}

static const char *find_name(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].code == code)
			return names[i].name;
	}
	return NULL;
}

const char *bugcheck_name(uint32_t code)
{
	const char *name = find_name(code);

	return name ? name : find_name(bugcheck_plain_code(code));
}

static bool layout_fits(const struct bugcheck_layout *l, const struct bugcheck *b)
{
	return l->selector == 0 || b->parameters[l->selector - 1] == l->value;
}

const struct bugcheck_layout *bugcheck_layout(const struct bugcheck *b)
{
	/* the layout for any value comes last of its code */
	for (size_t i = 0; i < num_bugcheck_layouts; i++) {
		if (bugcheck_layouts[i].code == bugcheck_plain_code(b->code) &&
		    layout_fits(&bugcheck_layouts[i], b))
			return &bugcheck_layouts[i];
	}
	return NULL;
}

const struct bugcheck_layout *bugcheck_layout_any(uint32_t code)
{
	for (size_t i = 0; i < num_bugcheck_layouts; i++) {
		if (bugcheck_layouts[i].code == bugcheck_plain_code(code) &&
		    bugcheck_layouts[i].selector == 0)
			return &bugcheck_layouts[i];
	}
	return NULL;
}

const char *bugcheck_word(enum bugcheck_kind kind, uint64_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].kind == kind && words[i].value == value)
			return words[i].word;
	}
	return NULL;
}
