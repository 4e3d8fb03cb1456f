/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "../container/zip_builder.h"
#include "formats/format.h"
#include "tests/memfile.h"

/*
 * Volumes as WinPmem writes them, small: the stream /m/data of six stored chunks of 4096 bytes
 * ('A', 'B', ...), two in a bevy, and the map /m.
 */
enum { CHUNK = 4096, NUM_CHUNKS = 6, PER_BEVY = 2, ROW = 12, ENTRY = 28, MAX_ENTRIES = 16 };

#define AFF4 "http://aff4.org/Schema#"
#define HEAD "@base <aff4://v> .\n@prefix aff4: <" AFF4 "> .\n"

struct fake {
	char turtle[4096];
	uint8_t bevies[NUM_CHUNKS / PER_BEVY][PER_BEVY * CHUNK];
	uint8_t indexes[NUM_CHUNKS / PER_BEVY][PER_BEVY * ROW];
	size_t bevy_size, index_size;
	uint8_t map[MAX_ENTRIES * ENTRY];
	size_t num_entries;
	const char *idx, *yaml, *version;
	const char *inner_idx; /* unless NULL: the map /n, whose one range is inner_map */
	uint8_t inner_map[ENTRY];
	size_t skip_bevy; /* 1..: this one is left out */
};
static struct fake fake;
static struct built_zip built;
static struct snapshot *snapshot;
static struct diag diag;
static char said[4096]; /* messages of diag */

static void add_range(uint64_t pa, uint64_t length, uint64_t target_offset, uint32_t target)
{
	uint8_t *at = fake.map + ENTRY * fake.num_entries++;

	store_u64(at, pa);
	store_u64(at + 8, length);
	store_u64(at + 16, target_offset);
	store_u32(at + 24, target);
}

#define STREAM                                                                                     \
	"</m/data> a aff4:ImageStream ; aff4:chunkSize 4096 ; aff4:chunksInSegment 2 ; aff4:size " \
	"24576 ; aff4:compressionMethod aff4:NullCompressor ; aff4:stored <> .\n"
#define MAP "</m> a aff4:Map ; aff4:category <" AFF4 "memory/physical> .\n"

static void fake_init(void)
{
	fake = (struct fake){
		.turtle = HEAD STREAM MAP,
		.bevy_size = PER_BEVY * CHUNK,
		.index_size = PER_BEVY * ROW,
		.idx = "aff4://v/m/data\n" AFF4 "Zero\n" AFF4 "UnreadableData\r\n" AFF4
		       "SymbolicStream7a\naff4://v/m",
		.version = "major=1\nminor=0\ntool=x\n",
	};
	for (size_t i = 0; i < NUM_CHUNKS; i++) {
		uint8_t *row = fake.indexes[i / PER_BEVY] + i % PER_BEVY * ROW;

		memset(fake.bevies[i / PER_BEVY] + i % PER_BEVY * CHUNK, 'A' + (int)i, CHUNK);
		store_u64(row, i % PER_BEVY * CHUNK);
		store_u32(row + 8, CHUNK);
	}
}

static void fake_build(void)
{
	static char names[NUM_CHUNKS / PER_BEVY][2][64];
	struct built_member members[32];
	size_t n = 0;

	members[n++] = (struct built_member)STORED("container.description", "aff4://v", 8);
	if (fake.version)
		members[n++] = (struct built_member)STORED("version.txt", fake.version,
							   strlen(fake.version));
	for (size_t i = 0; i < NUM_CHUNKS / PER_BEVY; i++) {
		if (i + 1 == fake.skip_bevy)
			continue;
		snprintf(names[i][0], sizeof(names[i][0]), "m/data/%08zu", i);
		snprintf(names[i][1], sizeof(names[i][1]), "m/data/%08zu.index", i);
		members[n++] =
			(struct built_member)STORED(names[i][0], fake.bevies[i], fake.bevy_size);
		members[n++] =
			(struct built_member)STORED(names[i][1], fake.indexes[i], fake.index_size);
	}
	members[n++] = (struct built_member)STORED("m/map", fake.map, fake.num_entries * ENTRY);
	members[n++] = (struct built_member)STORED("m/idx", fake.idx, strlen(fake.idx));
	if (fake.inner_idx) {
		members[n++] = (struct built_member)STORED("n/map", fake.inner_map, ENTRY);
		members[n++] = (struct built_member)STORED("n/idx", fake.inner_idx,
							   strlen(fake.inner_idx));
	}
	if (fake.yaml)
		members[n++] = (struct built_member)STORED("m/information.yaml", fake.yaml,
							   strlen(fake.yaml));
	members[n] =
		(struct built_member)STORED("information.turtle", fake.turtle, strlen(fake.turtle));
	members[n++].method = 8;
	built.len = 0;
	built_zip_make(&built, members, n, true, "aff4://v");
}

static void remember(void *arg, enum diag_kind kind, const char *message)
{
	size_t len = strlen(said);

	(void)arg;
	(void)kind;
	snprintf(said + len, sizeof(said) - len, "%s\n", message);
}

static struct error *open_bytes(const void *bytes, size_t len, uint64_t max_memory)
{
	const struct snapshot_options options = { .format = "aff4", .max_memory = max_memory };
	struct file file;

	said[0] = '\0';
	diag_init(&diag, remember, NULL);
	memfile_open(&file, bytes, len);
	return snapshot_open_file(&file, "test", &options, &diag, &snapshot);
}

static void open_fake(void)
{
	struct error *err;

	fake_build();
	err = open_bytes(built.bytes, built.len, 0);
	cr_assert_null(err, "%s", error_message(err));
}

static void expect_refusal(enum error_code code, const char *text)
{
	struct error *err;

	fake_build();
	err = open_bytes(built.bytes, built.len, 0);
	cr_assert_not_null(err, "%s", text);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), text), "%s", error_message(err));
	error_destroy(err);
}

/* The byte at pa: -1 when it is absent, -2 when it cannot be decoded; the message in said. */
static int byte_at(uint64_t pa)
{
	struct page_view view;
	struct error *err = NULL;
	int byte;

	if (physmem_view(snapshot->mem, pa, &view, &err)) {
		byte = view.bytes[(pa & PAGE_MASK) - view.begin];
		page_release(&view);
		return byte;
	}
	if (!err)
		return -1;
	remember(NULL, DIAG_PARTIAL, error_message(err));
	error_destroy(err);
	return -2;
}

static void expect_said(const char *text)
{
	cr_expect_not_null(strstr(said, text), "expected '%s', found '%s'", text, said);
}

Test(aff4, memory_of_a_map, .init = fake_init)
{
	fake.yaml = "Imager: WinPmem 3\nRegisters:\n  CR3: 1757186\nNtBuildNumber: 19041\n"
		    "KernBase: 18446735286213705728\n";
	add_range(0x1000, 0x2000, 0, 0);
	add_range(0x100000, 0x1000, 0x3000, 0);
	add_range(0x101000, 0x1000, 0, 1);
	add_range(0x102000, 0x1000, 0x5000, 2);
	add_range(0x103000, 0x1000, 0, 3);
	open_fake();
	cr_expect_str_eq(snapshot->info.format, "aff4");
	cr_expect_str_eq(snapshot->info.subtype, "stored");
	cr_expect_eq(snapshot->info.hints.dtb, 0x1ad000);
	cr_expect_eq(snapshot->info.hints.kernel_base, UINT64_C(18446735286213705728));
	cr_expect_eq(snapshot->info.num_registers, 0);
	cr_expect_eq(byte_at(0xfff), -1);
	cr_expect_eq(byte_at(0x1000), 'A');
	cr_expect_eq(byte_at(0x2fff), 'B');
	cr_expect_eq(byte_at(0x3000), -1);
	cr_expect_eq(byte_at(0x100000), 'D');
	cr_expect_eq(byte_at(0x101000), 0);
	cr_expect_eq(byte_at(0x102000), -1, "what could not be read is absent");
	cr_expect_eq(byte_at(0x103fff), 'z');
	cr_expect_eq(physmem_captured_bytes(snapshot->mem), 5 * CHUNK);
	cr_expect_eq(diag.partial, 0);
	cr_expect_eq(diag.notes, 1);
	expect_said("could not read 0x1000 bytes");
	snapshot_close(snapshot);
}

Test(aff4, gaps_are_what_the_map_says, .init = fake_init)
{
	add_range(0x1000, 0x1000, 0, 0);
	strcpy(fake.turtle, HEAD STREAM "</m> a aff4:Map ; aff4:category <" AFF4
					"memory/physical> ; aff4:size 16384 ; "
					"aff4:mapGapDefaultStream aff4:Zero .");
	open_fake();
	cr_expect_eq(byte_at(0), 0);
	cr_expect_eq(byte_at(0x1000), 'A');
	cr_expect_eq(byte_at(0x3fff), 0);
	cr_expect_eq(byte_at(0x4000), -1);
	snapshot_close(snapshot);
}

Test(aff4, a_gap_stream_that_is_missing_costs_no_range, .init = fake_init)
{
	add_range(0x1000, 0x1000, 0, 0);
	strcpy(fake.turtle, HEAD STREAM "</m> a aff4:Map ; aff4:category <" AFF4
					"memory/physical> ; aff4:size 16384 ; "
					"aff4:mapGapDefaultStream <aff4://nowhere> .");
	open_fake();
	cr_expect_eq(byte_at(0), -1);
	cr_expect_eq(byte_at(0x1000), 'A');
	cr_expect_eq(byte_at(0x2000), -1);
	cr_expect_eq(diag.partial, 1);
	expect_said("gaps of map aff4://v/m: stream aff4://nowhere");
	snapshot_close(snapshot);
}

Test(aff4, a_gap_stream_that_is_missing_below_a_map, .init = fake_init)
{
	fake.idx = "aff4://v/n\n";
	fake.inner_idx = "aff4://v/m/data\n";
	store_u64(fake.inner_map, 0x1000);
	store_u64(fake.inner_map + 8, 0x1000);
	add_range(0x10000, 0x3000, 0, 0);
	strcpy(fake.turtle, HEAD STREAM MAP "</n> a aff4:Map ; aff4:size 12288 ; "
					    "aff4:mapGapDefaultStream <aff4://nowhere> .");
	open_fake();
	cr_expect_eq(byte_at(0x10000), -2);
	expect_said("offset 0x0 of the map: the volume does not have its bytes");
	cr_expect_eq(byte_at(0x11000), 'A');
	cr_expect_eq(byte_at(0x12000), -2);
	expect_said("gaps of map aff4://v/n: stream aff4://nowhere");
	snapshot_close(snapshot);
}

Test(aff4, an_image_names_its_stream, .init = fake_init)
{
	strcpy(fake.turtle, HEAD STREAM "<aff4://i> a aff4:MemoryImage ; aff4:dataStream "
					"</m/data> .");
	open_fake();
	cr_expect_eq(byte_at(0x0), 'A');
	cr_expect_eq(byte_at(0x5fff), 'F');
	cr_expect_eq(physmem_end(snapshot->mem), 0x6000);
	snapshot_close(snapshot);
}

Test(aff4, of_overlapping_ranges_the_first_counts, .init = fake_init)
{
	add_range(0x1000, 0x2000, 0, 0);
	add_range(0x2000, 0x2000, 0x3000, 0);
	open_fake();
	cr_expect_eq(byte_at(0x2000), 'B');
	cr_expect_eq(byte_at(0x3000), 'E');
	cr_expect_eq(physmem_overlap_bytes(snapshot->mem), 0x1000);
	snapshot_close(snapshot);
}

Test(aff4, ranges_that_lie_are_cut, .init = fake_init)
{
	add_range(0x1000, 0x1000, 0, 0);
	add_range(0x10000, 0x100000, 0x5000, 0); /* past its target */
	add_range(0x200000, 0x1000, UINT64_MAX - 5, 0);
	add_range(UINT64_MAX - 0xfff, 0x1000, 0, 0); /* past any machine */
	add_range(PHYSMEM_MAX_END - 0x1000, UINT64_MAX, 0, 1);
	add_range(0x300000, 0x1000, 0, 77); /* no such target */
	add_range(0x400000, 0, 0, 0);
	open_fake();
	cr_expect_eq(byte_at(0x1000), 'A');
	cr_expect_eq(byte_at(0x10000), 'F');
	cr_expect_eq(byte_at(0x11000), -1);
	cr_expect_eq(byte_at(PHYSMEM_MAX_END - 1), 0);
	cr_expect_eq(diag.partial, 1);
	expect_said("5 of 7 ranges of the map");
	snapshot_close(snapshot);
}

Test(aff4, a_stream_without_end_is_bounded, .init = fake_init)
{
	add_range(0, UINT64_C(1) << 51, 0, 3);
	open_fake();
	cr_expect_eq(physmem_captured_bytes(snapshot->mem), UINT64_C(64) << 30);
	cr_expect_eq(diag.partial, 1);
	expect_said("repeats without end");
	snapshot_close(snapshot);
}

Test(aff4, a_map_that_leads_to_itself_ends, .init = fake_init)
{
	add_range(0x1000, 0x1000, 0, 0);
	add_range(0x2000, 0x1000, 0, 4);
	open_fake();
	cr_expect_eq(byte_at(0x1000), 'A');
	cr_expect_geq(diag.partial, 1);
	expect_said("leads back to itself");
	snapshot_close(snapshot);
}

Test(aff4, a_bevy_that_is_missing_is_said, .init = fake_init)
{
	add_range(0, 0x6000, 0, 0);
	fake.skip_bevy = 2;
	open_fake();
	cr_expect_eq(diag.partial, 1);
	expect_said("expected 3 bevies in the volume, found 2");
	cr_expect_eq(byte_at(0x1000), 'B');
	cr_expect_eq(byte_at(0x2000), -2);
	expect_said("chunk 2: expected bevy 00000001");
	cr_expect_eq(byte_at(0x4000), 'E');
	snapshot_close(snapshot);
}

Test(aff4, index_rows_that_lie, .init = fake_init)
{
	add_range(0, 0x6000, 0, 0);
	store_u64(fake.indexes[0], UINT64_MAX - 100);
	store_u32(fake.indexes[0] + ROW + 8, 0);
	store_u32(fake.indexes[1] + 8, UINT32_MAX);
	store_u64(fake.indexes[1] + ROW, CHUNK + 1);
	store_u32(fake.indexes[2] + 8, 5); /* shorter than the chunk, though stored */
	open_fake();
	for (uint64_t pa = 0; pa < 0x5000; pa += PAGE_SIZE)
		cr_expect_eq(byte_at(pa), -2, "%" PRIx64, pa);
	cr_expect_eq(byte_at(0x5000), 'F', "next to damage all is read");
	expect_said("chunk of 0 bytes");
	expect_said("expected it in 8192 bytes");
	expect_said("stored chunk: expected 4096 bytes, found 5");
	snapshot_close(snapshot);
}

Test(aff4, an_index_that_ends_too_early, .init = fake_init)
{
	add_range(0, 0x6000, 0, 0);
	fake.index_size = ROW;
	open_fake();
	cr_expect_eq(byte_at(0), 'A');
	cr_expect_eq(byte_at(0x1000), -2);
	expect_said("ends after 1 chunks, expected number 1");
	snapshot_close(snapshot);
}

Test(aff4, chunks_that_decode_to_something_else, .init = fake_init)
{
	static uint8_t zeros[2 * CHUNK];
	size_t len;

	strcpy(fake.turtle, HEAD MAP "</m/data> a aff4:ImageStream ; aff4:chunkSize 4096 ; "
				     "aff4:chunksInSegment 2 ; aff4:size 24576 ; "
				     "aff4:compressionMethod "
				     "<https://tools.ietf.org/html/rfc1951> .\n");
	add_range(0, 0x6000, 0, 0);
	len = built_deflate(zeros, sizeof(zeros), fake.bevies[0], 100); /* too much */
	store_u32(fake.indexes[0] + 8, (uint32_t)len);
	len = built_deflate(zeros, 100, fake.bevies[0] + CHUNK, 100); /* too little */
	store_u32(fake.indexes[0] + ROW + 8, (uint32_t)len);
	store_u32(fake.indexes[1] + 8, 50); /* no deflate */
	len = built_deflate(zeros, CHUNK, fake.bevies[1] + CHUNK, 100);
	store_u32(fake.indexes[1] + ROW + 8, (uint32_t)len);
	open_fake();
	cr_expect_str_eq(snapshot->info.subtype, "deflate");
	cr_expect_eq(byte_at(0), -2);
	expect_said("chunk 0 at file offset 0x");
	cr_expect_eq(byte_at(0x1000), -2);
	cr_expect_eq(byte_at(0x2000), -2);
	cr_expect_eq(byte_at(0x3000), 0);
	cr_expect_eq(byte_at(0x4000), 'E', "as long as a chunk: stored");
	snapshot_close(snapshot);
}

static void replace(const char *from, const char *to)
{
	char rest[sizeof(fake.turtle)], *at = strstr(fake.turtle, from);

	cr_assert_not_null(at, "%s", from);
	strcpy(rest, at + strlen(from));
	strcpy(at, to);
	strcat(at, rest);
}

Test(aff4, what_is_not_read_is_named, .init = fake_init)
{
	static const struct {
		const char *from, *to;
		enum error_code code;
		const char *text;
	} rows[] = {
		{ "aff4:NullCompressor", "<http://x/y>", ERROR_UNSUPPORTED,
		  "compressed with http://x/y" },
		{ "aff4:ImageStream", "aff4:EncryptedStream", ERROR_UNSUPPORTED,
		  "encrypted stream" },
		{ "aff4:stored <>", "aff4:stored <aff4://other>", ERROR_UNSUPPORTED, "striped" },
		{ "aff4:chunkSize 4096", "aff4:chunkSize 4294967296", ERROR_LIMIT,
		  "chunks of 4294967296 bytes" },
		{ "aff4:size 24576", "aff4:size 18446744073709551615", ERROR_LIMIT, "size of" },
		{ "chunksInSegment 2", "chunksInSegment 18446744073709551615", ERROR_LIMIT,
		  "in a bevy" },
	};

	add_range(0, 0x1000, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		strcpy(fake.turtle, HEAD STREAM MAP);
		replace(rows[i].from, rows[i].to);
		expect_refusal(rows[i].code, rows[i].text);
	}
	strcpy(fake.turtle, HEAD STREAM "</m> a aff4:Map, aff4:DiskImage .");
	expect_refusal(ERROR_UNSUPPORTED, "AFF4 image of a disk (aff4://v/m)");
	strcpy(fake.turtle, HEAD "</a> a aff4:Thing .");
	expect_refusal(ERROR_UNSUPPORTED, "expected one image of memory");
	strcpy(fake.turtle, HEAD MAP);
	fake.idx = "aff4://elsewhere/data\n";
	expect_refusal(ERROR_CORRUPT, "no memory");
	fake.version = "tool=x\r\nmajor=2\r\n";
	expect_refusal(ERROR_UNSUPPORTED, "AFF4 of version 2");
}

Test(aff4, a_zip_archive_is_no_volume)
{
	const struct built_member members[] = { STORED("container.description", "1", 1) };
	struct error *err;

	built.len = 0;
	built_zip_make(&built, members, 1, false, "");
	err = open_bytes(built.bytes, built.len, 0);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(error_message(err), "no AFF4 volume"), "%s", error_message(err));
	error_destroy(err);
}

Test(aff4, a_volume_that_is_cut_off_is_named, .init = fake_init)
{
	struct error *err;

	add_range(0, 0x1000, 0, 0);
	fake_build();
	err = open_bytes(built.bytes, built.directory, 0);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(error_message(err), "is the file cut off?"), "%s",
			   error_message(err));
	error_destroy(err);
}

Test(aff4, a_damaged_description_costs_no_memory, .init = fake_init)
{
	uint8_t *name;

	add_range(0, 0x1000, 0, 0);
	fake_build();
	name = memmem(built.bytes, built.len, "version.txt", 11);
	cr_assert_not_null(name);
	name[0] = 'V'; /* of the local header only */
	cr_assert_null(open_bytes(built.bytes, built.len, 0));
	cr_expect_eq(byte_at(0), 'A');
	cr_expect_eq(diag.partial, 1);
	expect_said("another name");
	snapshot_close(snapshot);
}

/* Stored members too have a CRC: what a map says is not believed in silence. */
Test(aff4, a_map_that_was_changed_is_said, .init = fake_init)
{
	enum { LOCAL_EXTRA = 3, TARGET_OFFSET = 16 };
	uint8_t *map;

	add_range(0, 0x1000, 0, 0);
	fake_build();
	map = memmem(built.bytes, built.len, "m/map", strlen("m/map"));
	cr_assert_not_null(map);
	store_u64(map + strlen("m/map") + LOCAL_EXTRA + TARGET_OFFSET, 0x1000);
	cr_assert_null(open_bytes(built.bytes, built.len, 0));
	cr_expect_eq(byte_at(0), 'B');
	cr_expect_eq(diag.partial, 1);
	expect_said("zip member 'm/map': expected CRC");
	snapshot_close(snapshot);
}

Test(aff4, metadata_that_breaks_off, .init = fake_init)
{
	add_range(0, 0x1000, 0, 0);
	strcat(fake.turtle, "</x> a [ ] .");
	open_fake();
	cr_expect_eq(byte_at(0), 'A');
	cr_expect_eq(diag.partial, 1);
	expect_said("information.turtle: the rest of it is not read: line 5: a blank node");
	snapshot_close(snapshot);
}

Test(aff4, memory_is_bounded, .init = fake_init)
{
	struct error *err;

	for (size_t i = 0; i < MAX_ENTRIES; i++)
		add_range(0x2000 * i, 0x1000, 0, 0);
	fake_build();
	err = open_bytes(built.bytes, built.len, 3000);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT);
	cr_expect_not_null(strstr(error_message(err), "--max-memory"), "%s", error_message(err));
	error_destroy(err);
}

static void look(void)
{
	for (uint64_t pa = 0; pa < 0x8000; pa += PAGE_SIZE)
		(void)byte_at(pa);
	snapshot_close(snapshot);
}

Test(aff4, cut_at_every_length, .init = fake_init, .timeout = 120)
{
	add_range(0, 0x6000, 0, 0);
	fake_build();
	for (size_t len = 1; len < built.len; len += len < built.directory ? 997 : 7) {
		struct error *err = open_bytes(built.bytes, len, 0);

		cr_expect_not_null(err, "length %zu", len);
		error_destroy(err);
	}
}

Test(aff4, every_byte_of_tables_wrong, .init = fake_init, .timeout = 120)
{
	static uint8_t copy[sizeof(built.bytes)];

	add_range(0, 0x3000, 0, 0);
	add_range(0x3000, 0x3000, 0, 1);
	fake_build();
	for (size_t at = built.directory - 1500; at < built.len; at += 3) {
		struct error *err;

		memcpy(copy, built.bytes, built.len);
		copy[at] ^= (uint8_t)(1 << at / 3 % 8);
		err = open_bytes(copy, built.len, 0);
		if (!err)
			look();
		error_destroy(err);
	}
}
