/* SPDX-License-Identifier: MIT */
#include <ntscope.h>
#include <stdio.h>

/* Opens the file of 'A's that is named, as a stranger to this source tree would. */
int main(int argc, char **argv)
{
	struct nts_options options = { .format = "raw" };
	struct nts_snapshot *snapshot = NULL;
	struct nts_error *err = nts_open(argc > 1 ? argv[1] : "", &options, &snapshot);
	char byte = 0;

	if (err) {
		fprintf(stderr, "%s\n", nts_error_message(err));
		nts_error_free(err);
		return 1;
	}
	printf("ntscope %s, %s, %llu pages\n", nts_version(), nts_format_name(snapshot),
	       (unsigned long long)nts_physical_pages(snapshot));
	if (nts_physical_pages(snapshot) != 2 || nts_read_physical(snapshot, 8191, &byte, 1) != 1 ||
	    byte != 'A' || nts_read_physical(snapshot, 8192, &byte, 1) != 0) {
		fprintf(stderr, "the snapshot reads wrong\n");
		return 1;
	}
	nts_close(snapshot);
	return 0;
}
