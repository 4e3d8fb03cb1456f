/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_WRITERS_DOOMED_FILE_H
#define FORMATS_WRITERS_DOOMED_FILE_H

#include "base/compiler.h"

/*
 * One file that a signal which ends the program (SIGINT, SIGTERM, SIGHUP) removes before: for file
 * systems that have no files without a name. Signals that are ignored stay so. Signal handlers are
 * of the whole program, hence the one place without an owner. For one thread.
 */

/* From now on; false, and nothing is done, where there is one already or the path is too long. */
bool doomed_file_begin(const char *path);
/* No more. */
void doomed_file_end(void);

#endif
