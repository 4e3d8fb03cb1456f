/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <stdio.h>

#include "base/compiler.h"

/* The program without its process: main() adds signals and the standard streams. */
enum exit_status {
	STATUS_OK = 0,	    /* all read */
	STATUS_FAILED = 1,  /* no result, or only its beginning */
	STATUS_USAGE = 2,   /* the command line is off */
	STATUS_PARTIAL = 3, /* something that should be there could not be read */
};

struct program_io {
	FILE *in, *out, *err;
	bool out_is_terminal;
	unsigned out_width; /* of the terminal, in columns; 0: rows may be of any length */
	bool out_color;	    /* may text have colors if --color does not say? */
};

/* argv[0] is the program's name. Rows go to out, everything else to err. */
enum exit_status program_run(int argc, char *const *argv, const struct program_io *io);

#endif
