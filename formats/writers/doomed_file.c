/* SPDX-License-Identifier: MIT */
#include "formats/writers/doomed_file.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static struct {
	bool used;
	char path[PATH_MAX];
	struct sigaction before[ARRAY_SIZE(signals)];
} doomed;

/* Its default action is in place again (SA_RESETHAND) and ends the program on return. */
static void remove_it(int signal_number)
{
	unlink(doomed.path);
	raise(signal_number);
}

bool doomed_file_begin(const char *path)
{
	struct sigaction action = { .sa_handler = remove_it, .sa_flags = (int)SA_RESETHAND };

	if (doomed.used || strlen(path) >= sizeof(doomed.path))
		return false;
	doomed.used = true;
	memcpy(doomed.path, path, strlen(path) + 1);
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], NULL, &doomed.before[i]);
		if (doomed.before[i].sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
	}
	return true;
}

void doomed_file_end(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &doomed.before[i], NULL);
	doomed.used = false;
}
