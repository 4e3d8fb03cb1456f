#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One share of a batch, as a task of a Slurm job array. To run it over a folder in eight shares,
# each with as many processors as it is given:
#
#	sbatch --array=1-8 --cpus-per-task=4 scripts/batch-array.sh SHARDS [OPTIONS] PATH...
#	ntscope batch --merge -o results.jsonl SHARDS/*.jsonl
#
# SHARDS is a folder that all nodes see, outside of PATH. A task that is requeued goes on where it
# was. NTSCOPE: the program, if it is not on the PATH.
#SBATCH --job-name=ntscope
#SBATCH --requeue
set -eu

shards=$1
shift
id=${SLURM_ARRAY_TASK_ID:?is set by sbatch --array=1-N}
count=${SLURM_ARRAY_TASK_COUNT:?is set by sbatch --array=1-N}
mkdir -p "$shards"
status=0
"${NTSCOPE:-ntscope}" batch --resume --jobs "${SLURM_CPUS_PER_TASK:-1}" --shard "$id/$count" \
	-o "$shards/$id.jsonl" "$@" || status=$?
# 3: not every snapshot could be read whole, as its record says; the share is complete.
[ "$status" = 3 ] || exit "$status"
