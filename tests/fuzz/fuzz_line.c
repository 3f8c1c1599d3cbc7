// SPDX-License-Identifier: MIT
/*
 * fuzz_line.c - arbitrary command lines on a small machine
 *
 * How it works: an input is a text; each of its lines goes through
 * machine_do() on a fresh machine.
 *
 * What it finds: crashes and sanitizer reports; a refused line that changed the
 * state; an error without its sentence; a broken law at the end; a journal that
 * does not lead to the same state again.
 *
 * With libFuzzer (-DFUZZ): fuzz_line SEEDS.  Without: fuzz_line [FILE...] runs
 * those, or its own lines, each whole and with some bytes changed.
 */
#include "kmemfs/base/check.h"
#include "kmemfs/machine/journal.h"
#include "kmemfs/machine/op.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct machine *
boot(void)
{
	static const char small[] = "[machine]\narch = x86-64\ncpus = 2\n"
				    "memory = 64M\nnodes = 2\n"
				    "ram-limit = 16M\n";
	char *error = NULL;
	struct machine_config *config = config_read(small, "fuzz", &error);
	struct machine *m;

	KM_ASSERT(config);
	m = machine_boot(config, NULL, &error);
	KM_ASSERT(m);
	return m;
}

static void
do_line(struct machine *m, const char *line)
{
	char before[DIGEST_TEXT], after[DIGEST_TEXT];
	struct out answer = OUT_INIT;
	struct refusal r = {0};
	uint64_t position = m->position;
	int err;

	machine_digest(m, before);
	err = machine_do(m, line, &answer, &r);
	if (err) {
		KM_ASSERT(r.err == -err && r.sentence[0]);
		KM_ASSERT(g_str_has_prefix(out_text(&answer), "error "));
	}
	KM_ASSERT(!memchr(answer.text, '\n', answer.len));
	if (err && !r.ran) {
		machine_digest(m, after);
		KM_ASSERT(!strcmp(before, after));
		KM_ASSERT(position == m->position);
	}
	out_fini(&answer);
}

static void
do_again(struct machine *m)
{
	struct machine *again = boot();
	char left[DIGEST_TEXT], right[DIGEST_TEXT];
	struct out text = OUT_INIT;
	char *error = NULL;
	uint64_t cursor = 0;

	while (journal_text(m->journal, &cursor, 1 << 16, &text))
		;
	if (journal_replay(again, out_text(&text), text.len, &error))
		fprintf(stderr, "%s\n", error);
	KM_ASSERT(!error);
	machine_digest(m, left);
	machine_digest(again, right);
	KM_ASSERT(!strcmp(left, right));
	machine_free(again);
	out_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine *m = boot();
	struct out report = OUT_INIT;
	char *text = g_malloc0(size + 1), *line;
	char *rest = text;

	memcpy(text, data, size);
	while ((line = strsep(&rest, "\n")))
		do_line(m, line);
	if (machine_verify(m, &report))
		fprintf(stderr, "%s\n", out_text(&report));
	KM_ASSERT(!machine_verify(m, &report));
	do_again(m);
	out_fini(&report);
	g_free(text);
	machine_free(m);
	return 0;
}

#ifndef FUZZ
static const char lines[] =
	"page/alloc_pages GFP_KERNEL 3 name=buf cpu=1 node=0\n"
	"page/alloc_pages gfp=GFP_ATOMIC|__GFP_ZERO order=0 context=irq\n"
	"page/alloc_pages_exact 20K name=exact\n"
	"page/__get_free_pages GFP_DMA 2\n"
	"bytes/write allocations/buf 5 hex:00ff0041\n"
	"bytes/write ram 0x1000000 base64:aGVsbG8=\n"
	"bytes/write pages/4096 4090 text\n"
	"page/split_page buf\n"
	"page/__free_page buf.3\n"
	"page/free_pages_exact exact\n"
	"vm/sysctl min_free_kbytes 1024\n"
	"vm/sysctl lowmem_reserve_ratio 256 256 32 0 0\n"
	"clock/advance 1.5ms\n"
	"memory/state memory0 offline\n"
	"replay/policy mirror\n"
	"replay/begin\n"
	"replay/alloc 8192 order=3 migratetype=1 gfp=GFP_USER\n"
	"replay/free 8192 order=3\n"
	"replay/end at=2ms\n"
	"page/drain_all_pages\n"
	"trace/enable all 1\n";

static unsigned int
run_own(void)
{
	uint64_t state = 1;
	unsigned int n = 0;

	for (; n < 300; n++) {
		char *copy = g_strdup(lines);

		for (unsigned int k = 0; k < n % 40; k++) {
			state = state * 6364136223846793005ULL +
				1442695040888963407ULL;
			copy[(state >> 33) % (sizeof(lines) - 1)] =
				(char)(state >> 24);
		}
		LLVMFuzzerTestOneInput((const uint8_t *)copy,
				       sizeof(lines) - 1);
		g_free(copy);
	}
	return n;
}

int
main(int argc, char **argv)
{
	unsigned int n = argc < 2 ? run_own() : 0;

	for (int i = 1; i < argc; i++, n++) {
		char *data;
		gsize size;

		if (!g_file_get_contents(argv[i], &data, &size, NULL)) {
			perror(argv[i]);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)data, size);
		g_free(data);
	}
	printf("%u passed, 0 failed\n", n);
	return 0;
}
#endif
