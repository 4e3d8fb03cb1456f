/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/cursor.h"
#include "spec.h"

static const char *const reg_names[NUM_REGS] = {
	[REG_RAX] = "rax",
	[REG_RBX] = "rbx",
	[REG_RCX] = "rcx",
	[REG_RDX] = "rdx",
	[REG_RSI] = "rsi",
	[REG_RDI] = "rdi",
	[REG_RSP] = "rsp",
	[REG_RBP] = "rbp",
	[REG_R8] = "r8",
	[REG_R9] = "r9",
	[REG_R10] = "r10",
	[REG_R11] = "r11",
	[REG_R12] = "r12",
	[REG_R13] = "r13",
	[REG_R14] = "r14",
	[REG_R15] = "r15",
	[REG_RIP] = "rip",
	[REG_RFLAGS] = "rflags",
	[REG_CR0] = "cr0",
	[REG_CR2] = "cr2",
	[REG_CR3] = "cr3",
	[REG_CR4] = "cr4",
	[REG_CR8] = "cr8",
	[REG_DR0] = "dr0",
	[REG_DR1] = "dr1",
	[REG_DR2] = "dr2",
	[REG_DR3] = "dr3",
	[REG_DR6] = "dr6",
	[REG_DR7] = "dr7",
	[REG_EFER] = "efer",
	[REG_STAR] = "star",
	[REG_LSTAR] = "lstar",
	[REG_CSTAR] = "cstar",
	[REG_SFMASK] = "sfmask",
	[REG_KERNEL_GS] = "kernel_gs_base",
};

static const char *const seg_names[NUM_SEGS] = {
	[SEG_CS] = "cs", [SEG_DS] = "ds",   [SEG_ES] = "es", [SEG_FS] = "fs",	[SEG_GS] = "gs",
	[SEG_SS] = "ss", [SEG_LDT] = "ldt", [SEG_TR] = "tr", [SEG_GDT] = "gdt", [SEG_IDT] = "idt",
};

static bool name_index(const char *const *names, size_t num, const char *name, size_t *ret)
{
	for (size_t i = 0; i < num; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static struct error *last_cpu(struct spec *s, struct cpu **ret)
{
	if (!s->img->num_cpus)
		return error_new(ERROR_USAGE, "no 'cpu' before it");
	*ret = &s->img->cpus[s->img->num_cpus - 1];
	return NULL;
}

/* cpu: begins the next processor */
static struct error *do_cpu(struct spec *s, const struct token *args, size_t n)
{
	(void)args;
	(void)n;
	if (s->img->num_cpus == MAX_CPUS)
		return error_new(ERROR_LIMIT, "more than %d processors", MAX_CPUS);
	s->img->num_cpus++;
	return NULL;
}

/* reg NAME VALUE */
static struct error *do_reg(struct spec *s, const struct token *args, size_t n)
{
	struct error *err;
	struct cpu *cpu = NULL;
	size_t i;

	(void)n;
	if ((err = last_cpu(s, &cpu)))
		return err;
	if (!name_index(reg_names, NUM_REGS, args[0].text, &i))
		return error_new(ERROR_USAGE, "unknown register '%s'", args[0].text);
	return spec_value(s, &args[1], &cpu->regs[i]);
}

/* seg NAME SELECTOR BASE LIMIT ACCESS */
static struct error *do_seg(struct spec *s, const struct token *args, size_t n)
{
	uint64_t selector, base, limit, access;
	struct error *err;
	struct cpu *cpu = NULL;
	size_t i;

	(void)n;
	if ((err = last_cpu(s, &cpu)))
		return err;
	if (!name_index(seg_names, NUM_SEGS, args[0].text, &i))
		return error_new(ERROR_USAGE, "unknown segment '%s'", args[0].text);
	if ((err = spec_value(s, &args[1], &selector)) || (err = spec_value(s, &args[2], &base)) ||
	    (err = spec_value(s, &args[3], &limit)) || (err = spec_value(s, &args[4], &access)))
		return err;
	cpu->segs[i] = (struct segment){ .selector = (uint16_t)selector,
					 .access = (uint16_t)access,
					 .limit = (uint32_t)limit,
					 .base = base };
	return NULL;
}

/* Fields of DUMP_HEADER64 (kdmp-parser-rs src/structs.rs; wdm.h). */
static const struct header_row {
	const char *name;
	uint16_t offset, size;
} header_rows[] = {
	{ "major_version", 0x8, 4 },
	{ "build", 0xc, 4 },
	{ "dtb", 0x10, 8 },
	{ "pfn_database", 0x18, 8 },
	{ "ps_loaded_module_list", 0x20, 8 },
	{ "ps_active_process_head", 0x28, 8 },
	{ "machine", 0x30, 4 },
	{ "processors", 0x34, 4 },
	{ "bugcheck", 0x38, 4 },
	{ "parameter1", 0x40, 8 },
	{ "parameter2", 0x48, 8 },
	{ "parameter3", 0x50, 8 },
	{ "parameter4", 0x58, 8 },
	{ "kdbg", 0x80, 8 },
	{ "exception_code", 0xf00, 4 },
	{ "exception_flags", 0xf04, 4 },
	{ "exception_record", 0xf08, 8 },
	{ "exception_address", 0xf10, 8 },
	{ "exception_parameters", 0xf18, 4 },
	{ "exception_parameter1", 0xf20, 8 },
	{ "exception_parameter2", 0xf28, 8 },
	{ "system_time", 0xfa8, 8 },
	{ "uptime", 0x1030, 8 },
	{ "secondary_state", 0x103c, 4 },
	{ "product_type", 0x1040, 4 },
	{ "suite_mask", 0x1044, 4 },
	{ "writer_status", 0x1048, 4 },
	{ "kd_secondary_version", 0x104d, 1 },
	{ "attributes", 0x1050, 4 },
	{ "boot_id", 0x1054, 4 },
};
enum { HEADER_COMMENT = 0xfb0, HEADER_COMMENT_SIZE = 128 };

/* header NAME VALUE */
static struct error *do_header(struct spec *s, const struct token *args, size_t n)
{
	struct error *err;
	uint8_t bytes[8];
	uint64_t v;

	(void)n;
	if ((err = spec_value(s, &args[1], &v)))
		return err;
	store_u64(bytes, v);
	for (size_t i = 0; i < ARRAY_SIZE(header_rows); i++) {
		if (strcmp(header_rows[i].name, args[0].text) == 0) {
			memcpy(s->img->header + header_rows[i].offset, bytes, header_rows[i].size);
			return NULL;
		}
	}
	return error_new(ERROR_USAGE, "unknown header field '%s'", args[0].text);
}

/* comment "text" */
static struct error *do_comment(struct spec *s, const struct token *args, size_t n)
{
	uint8_t *to = s->img->header + HEADER_COMMENT;

	(void)n;
	if (args[0].len >= HEADER_COMMENT_SIZE)
		return error_new(ERROR_USAGE, "comment of %zu bytes", args[0].len);
	memset(to, 0, HEADER_COMMENT_SIZE);
	memcpy(to, args[0].text, args[0].len);
	return NULL;
}

/* triage PART VA SIZE: prcb, process, thread, stack or kdbg */
static struct error *do_triage(struct spec *s, const struct token *args, size_t n)
{
	static const char *const names[NUM_TRIAGE_PARTS] = {
		[TRIAGE_PRCB] = "prcb",	  [TRIAGE_PROCESS] = "process", [TRIAGE_THREAD] = "thread",
		[TRIAGE_STACK] = "stack", [TRIAGE_KDBG] = "kdbg",
	};
	struct error *err;
	size_t i;

	(void)n;
	if (!name_index(names, NUM_TRIAGE_PARTS, args[0].text, &i))
		return error_new(ERROR_USAGE, "unknown part '%s'", args[0].text);
	if ((err = spec_value(s, &args[1], &s->img->parts[i].start)))
		return err;
	return spec_value(s, &args[2], &s->img->parts[i].size);
}

/* block VA SIZE: a data block of the triage dump */
static struct error *do_block(struct spec *s, const struct token *args, size_t n)
{
	struct image *img = s->img;
	struct extent *block = &img->blocks[img->num_blocks];
	struct error *err;

	(void)n;
	if (img->num_blocks == MAX_BLOCKS)
		return error_new(ERROR_LIMIT, "more than %d blocks", MAX_BLOCKS);
	if ((err = spec_value(s, &args[0], &block->start)) ||
	    (err = spec_value(s, &args[1], &block->size)))
		return err;
	img->num_blocks++;
	return NULL;
}

static struct error *copy_text(struct spec *s, const struct token *t, const char **ret)
{
	*ret = arena_strndup(&s->img->arena, t->text, t->len);
	return *ret ? NULL : &error_no_memory;
}

/* driver BASE SIZE ENTRY TIME_DATE_STAMP CHECKSUM "path" */
static struct error *do_driver(struct spec *s, const struct token *args, size_t n)
{
	struct image *img = s->img;
	struct driver *d = &img->drivers[img->num_drivers];
	uint64_t size, stamp, checksum;
	struct error *err;

	(void)n;
	if (img->num_drivers == MAX_DRIVERS)
		return error_new(ERROR_LIMIT, "more than %d drivers", MAX_DRIVERS);
	if ((err = spec_value(s, &args[0], &d->base)) || (err = spec_value(s, &args[1], &size)) ||
	    (err = spec_value(s, &args[2], &d->entry)) || (err = spec_value(s, &args[3], &stamp)) ||
	    (err = spec_value(s, &args[4], &checksum)) || (err = copy_text(s, &args[5], &d->path)))
		return err;
	d->size = (uint32_t)size;
	d->time_date_stamp = (uint32_t)stamp;
	d->checksum = (uint32_t)checksum;
	img->num_drivers++;
	return NULL;
}

/* unloaded START END "name" */
static struct error *do_unloaded(struct spec *s, const struct token *args, size_t n)
{
	struct image *img = s->img;
	struct unloaded *u = &img->unloaded[img->num_unloaded];
	struct error *err;

	(void)n;
	if (img->num_unloaded == MAX_DRIVERS)
		return error_new(ERROR_LIMIT, "more than %d unloaded drivers", MAX_DRIVERS);
	if ((err = spec_value(s, &args[0], &u->start)) ||
	    (err = spec_value(s, &args[1], &u->end)) || (err = copy_text(s, &args[2], &u->name)))
		return err;
	img->num_unloaded++;
	return NULL;
}

const struct statement fact_statements[] = {
	{ "cpu", 0, 0, do_cpu },	   { "reg", 2, 2, do_reg },
	{ "seg", 5, 5, do_seg },	   { "header", 2, 2, do_header },
	{ "comment", 1, 1, do_comment },   { "triage", 3, 3, do_triage },
	{ "block", 2, 2, do_block },	   { "driver", 6, 6, do_driver },
	{ "unloaded", 3, 3, do_unloaded }, { NULL, 0, 0, NULL },
};
