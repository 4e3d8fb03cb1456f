/* SPDX-License-Identifier: MIT */
#ifndef MKDUMP_IMAGE_H
#define MKDUMP_IMAGE_H

#include "base/arena.h"

/*
 * The machine that a spec describes: sparse physical memory, page tables over it, processor
 * registers, and what a crash dump's header says. Everything is owned by the image's arena.
 */
enum { FRAME_SIZE = 4096, MAX_FRAMES = 1 << 16, MAX_SPACES = 32, MAX_CPUS = 16, MAX_RUNS = 32 };
enum { MAX_DRIVERS = 64, MAX_BLOCKS = 256, CRASH_HEADER_SIZE = 0x2000 };

struct frame {
	uint64_t gfn;
	uint8_t *bytes;	   /* FRAME_SIZE */
	bool user, kernel; /* mapped for user mode only: left out of kernel dumps */
};

struct vspace {
	const char *name;
	uint64_t root; /* physical address of the top table */
	unsigned levels;
	unsigned self_index;	    /* entry of the top table that maps it onto itself; 0: none */
	const struct vspace *upper; /* whose upper half this one shares; NULL: its own */
};

/* Leaf attributes of image_map(). */
enum map_flags {
	MAP_WRITE = 1 << 0,
	MAP_USER = 1 << 1,
	MAP_EXEC = 1 << 2,
	MAP_GLOBAL = 1 << 3,
	MAP_ABSENT = 1 << 4, /* the frames are not in the snapshot */
};

enum reg {
	REG_RAX,
	REG_RBX,
	REG_RCX,
	REG_RDX,
	REG_RSI,
	REG_RDI,
	REG_RSP,
	REG_RBP,
	REG_R8,
	REG_R9,
	REG_R10,
	REG_R11,
	REG_R12,
	REG_R13,
	REG_R14,
	REG_R15,
	REG_RIP,
	REG_RFLAGS,
	REG_CR0,
	REG_CR2,
	REG_CR3,
	REG_CR4,
	REG_CR8,
	REG_DR0,
	REG_DR1,
	REG_DR2,
	REG_DR3,
	REG_DR6,
	REG_DR7,
	REG_EFER,
	REG_STAR,
	REG_LSTAR,
	REG_CSTAR,
	REG_SFMASK,
	REG_KERNEL_GS,
	NUM_REGS
};

enum seg { SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS, SEG_LDT, SEG_TR, SEG_GDT, SEG_IDT };
enum { NUM_SEGS = SEG_IDT + 1 };

struct segment {
	uint16_t selector;
	uint16_t access; /* type 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9, D/B 10, G 11 */
	uint32_t limit;
	uint64_t base;
};

struct cpu {
	uint64_t regs[NUM_REGS];
	struct segment segs[NUM_SEGS];
};

/* Bytes of a physical run, or a virtual stretch. */
struct extent {
	uint64_t start, size;
};

struct driver {
	uint64_t base, entry;
	uint32_t size, time_date_stamp, checksum;
	const char *path; /* UTF-8 */
};

struct unloaded {
	const char *name; /* at most 12 characters are kept */
	uint64_t start, end;
};

/* What a triage dump holds, by virtual address in the kernel's space. */
enum triage_part {
	TRIAGE_PRCB,
	TRIAGE_PROCESS,
	TRIAGE_THREAD,
	TRIAGE_STACK,
	TRIAGE_KDBG,
	NUM_TRIAGE_PARTS
};

struct image {
	struct arena arena;
	struct frame *frames; /* sorted by gfn */
	size_t num_frames, cap_frames;
	struct vspace spaces[MAX_SPACES];
	size_t num_spaces;
	uint64_t next_frame; /* physical address of the next frame to hand out */
	struct extent runs[MAX_RUNS];
	size_t num_runs;
	struct cpu cpus[MAX_CPUS];
	size_t num_cpus;
	uint8_t header[CRASH_HEADER_SIZE];
	struct extent parts[NUM_TRIAGE_PARTS];
	struct extent blocks[MAX_BLOCKS];
	size_t num_blocks;
	struct driver drivers[MAX_DRIVERS];
	size_t num_drivers;
	struct unloaded unloaded[MAX_DRIVERS];
	size_t num_unloaded;
};

MUST_CHECK struct error *image_create(struct image **ret);
void image_destroy(struct image *img);
void image_cleanup(struct image **img);

/* The frame, or NULL if it is not captured. */
struct frame *image_frame(const struct image *img, uint64_t gfn);
/* The frame, made (zeroed) if need be. */
MUST_CHECK struct error *image_need_frame(struct image *img, uint64_t gfn, struct frame **ret);
/* The next free frame, captured and zeroed. */
MUST_CHECK struct error *image_alloc(struct image *img, uint64_t *pa_ret);

struct vspace *image_space(struct image *img, const char *name);
MUST_CHECK struct error *image_add_space(struct image *img, const char *name, unsigned levels,
					 unsigned self_index, const struct vspace *upper,
					 struct vspace **ret);
/* One leaf of 4 KiB (level 1), 2 MiB (2) or 1 GiB (3). */
MUST_CHECK struct error *image_map(struct image *img, const struct vspace *space, uint64_t va,
				   uint64_t pa, unsigned level, unsigned flags);
/* A raw last-level entry, for what software keeps in entries that are not present. */
MUST_CHECK struct error *image_set_pte(struct image *img, const struct vspace *space, uint64_t va,
				       uint64_t entry);
/* Copies shared upper halves into the spaces that share them: once all is mapped. */
MUST_CHECK struct error *image_share_upper(struct image *img);
bool image_translate(const struct image *img, const struct vspace *space, uint64_t va,
		     uint64_t *pa_ret);
/* space NULL: va is physical. Physical writes make frames; virtual ones must be mapped. */
MUST_CHECK struct error *image_write(struct image *img, const struct vspace *space, uint64_t va,
				     const void *bytes, size_t len);
MUST_CHECK struct error *image_read(const struct image *img, const struct vspace *space,
				    uint64_t va, void *buf, size_t len);

#endif
