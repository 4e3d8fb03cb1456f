/* SPDX-License-Identifier: MIT */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdio.h>

#include "base/diag.h"
#include "base/sha256.h"
#include "output/rows.h"

/*
 * What is known of a snapshot as one HTML file that needs nothing else: no network, no other file.
 * Strings in it are as in CELL_STR: possibly hostile. They are shown by text_show(), become text by
 * escape.h, and a Content-Security-Policy lets the browser run nothing but the page's own script.
 * The same report gives the same bytes.
 */

/* A file that the snapshot is read from. */
struct report_file {
	const char *name;
	uint64_t size;		       /* bytes on disk */
	char sha256[SHA256_TEXT_SIZE]; /* "": not taken */
};

struct report_message {
	enum diag_kind kind;
	const char *text;
};

struct report_table {
	const char *id;	     /* letters, digits and '-' */
	const char *command; /* that lists it: "ps --tree" */
	const char *topic;   /* tables of one topic follow each other */
	const char *title;
	const char *about; /* a sentence; NULL: none */
	bool tree;	   /* the rows' depths make a tree */
	struct rows rows;
	const unsigned *columns; /* which of rows.columns, in this order */
	size_t num_columns;
	const char *error; /* why the rows end early or are not there; NULL: they came through */
};

/* All is borrowed. */
struct report {
	const char *tool; /* "ntscope 1.2.3" */
	const char *name; /* of the snapshot */
	const struct report_file *files;
	size_t num_files;
	const struct report_message *messages;
	size_t num_messages;
	uint64_t partial;	  /* how many things could not be read */
	const struct rows *info;  /* of the command info: one row, or none */
	const struct rows *crash; /* of the command analyze, likewise */
	const struct report_table *tables;
	size_t num_tables;
	uint64_t max_rows;  /* of each table; what is left out is said */
	uint64_t max_bytes; /* of the tables' data: max_rows is lowered until they fit */
};

struct report_result {
	uint64_t rows, left_out;
};

/* Errors: NO_MEMORY, LIMIT. Whether the bytes went out is for the caller to ask of the file. */
MUST_CHECK struct error *report_write(const struct report *r, FILE *out, struct report_result *ret);

#endif
