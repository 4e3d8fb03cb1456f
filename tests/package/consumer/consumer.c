/* SPDX-License-Identifier: MIT */
#include <ntscope.h>
#include <stdio.h>

static int reads_wrong(struct nts_space *physical)
{
	char byte = 0;

	return nts_read_partial(physical, 8191, &byte, 1, NULL, NULL) != 1 || byte != 'A' ||
	       nts_read_partial(physical, 8192, &byte, 1, NULL, NULL) != 0;
}

/* Opens the file of 'A's that is named, as a stranger to this source tree would. */
int main(int argc, char **argv)
{
	const char *raw = "--input-format=raw", *memory = "--physical";
	struct nts_snapshot *snapshot = NULL;
	struct nts_space *physical = NULL;
	struct nts_error *err = nts_open(argc > 1 ? argv[1] : "", &raw, 1, &snapshot);
	int status = 1;

	if (!err)
		err = nts_space_open(snapshot, &memory, 1, &physical);
	if (err) {
		fprintf(stderr, "%s\n", nts_error_message(err));
		nts_error_free(err);
	} else if (reads_wrong(physical)) {
		fprintf(stderr, "the snapshot reads wrong\n");
	} else {
		printf("ntscope %s, %s\n", nts_version(), nts_format_name(snapshot));
		status = 0;
	}
	nts_space_free(physical);
	nts_close(snapshot);
	return status;
}
