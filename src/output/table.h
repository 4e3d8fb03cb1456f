/* SPDX-License-Identifier: MIT */
#ifndef OUTPUT_TABLE_H
#define OUTPUT_TABLE_H

#include "base/arena.h"
#include "base/opt.h"

/* Rows of typed cells: what commands make and sinks print. */
enum cell_type {
	CELL_U64,  /* JSON number */
	CELL_I64,  /* JSON number */
	CELL_ADDR, /* "0x..." in JSON */
	CELL_STR,  /* UTF-8 (C0 80 = embedded NUL), possibly hostile */
	CELL_TIME, /* FILETIME; ISO 8601 or null */
	CELL_BOOL,
	CELL_ADDRS,	/* JSON array of "0x..." */
	CELL_BYTES,	/* hex digits */
	CELL_STRS,	/* JSON array of strings, each as in CELL_STR; NULL: null */
	CELL_EXPLAINED, /* JSON array of {"value": "0x...", "meaning": ..., "detail": ...} */
};

/* A value and what is known of it. Strings as in CELL_STR, borrowed; NULL: null. */
struct explained_value {
	uint64_t value;
	const char *meaning; /* what it is */
	const char *detail;  /* what it says */
};

struct cell {
	bool present; /* false: null, an empty field, "-" */
	union {
		uint64_t u64; /* U64, ADDR, TIME */
		int64_t i64;
		bool boolean;
		const char *str; /* borrowed until the row is written */
		struct {
			const uint64_t *items;
			size_t count;
		} addrs;
		struct {
			const char *const *items; /* borrowed until the row is written */
			size_t count;
		} strs;
		struct {
			const uint8_t *bytes;
			size_t count;
		} bytes;
		struct {
			const struct explained_value *items;
			size_t count;
		} explained;
	};
};

#define CELL_ABSENT ((struct cell){ .present = false })
static inline struct cell cell_u64(uint64_t v)
{
	return (struct cell){ .present = true, .u64 = v };
}
static inline struct cell cell_opt(struct opt_u64 v)
{
	return (struct cell){ .present = v.present, .u64 = v.value };
}
static inline struct cell cell_i64(int64_t v)
{
	return (struct cell){ .present = true, .i64 = v };
}
static inline struct cell cell_addr(uint64_t v)
{
	return cell_u64(v);
}
/* 0 is no time. */
static inline struct cell cell_time(uint64_t filetime)
{
	return (struct cell){ .present = filetime != 0, .u64 = filetime };
}
static inline struct cell cell_bool(bool v)
{
	return (struct cell){ .present = true, .boolean = v };
}
/* NULL is absent. */
static inline struct cell cell_str(const char *s)
{
	return (struct cell){ .present = s != NULL, .str = s };
}
static inline struct cell cell_addrs(const uint64_t *items, size_t count)
{
	return (struct cell){ .present = true, .addrs = { items, count } };
}
static inline struct cell cell_strs(const char *const *items, size_t count)
{
	return (struct cell){ .present = true, .strs = { items, count } };
}
static inline struct cell cell_bytes(const uint8_t *bytes, size_t count)
{
	return (struct cell){ .present = true, .bytes = { bytes, count } };
}
static inline struct cell cell_explained(const struct explained_value *items, size_t count)
{
	return (struct cell){ .present = true, .explained = { items, count } };
}

enum column_flag {
	COL_RIGHT = 1 << 0,  /* align right in text */
	COL_HIDDEN = 1 << 1, /* not in the default text table; always in json, jsonl, csv */
	COL_INDENT = 1 << 2, /* text: indented by the row's depth (ps --tree) */
	COL_ASKED = 1 << 3,  /* in no format unless it is selected */
	COL_MINOR = 1 << 4,  /* left out first where a terminal is too narrow */
	COL_STATE = 1 << 5,  /* its words and booleans may stand out: see sink_text.c */
};

struct column {
	const char *key;    /* stable snake_case */
	const char *header; /* text */
	enum cell_type type;
	int width; /* minimum width in text */
	unsigned flags;
	const char *help;
};

#endif
