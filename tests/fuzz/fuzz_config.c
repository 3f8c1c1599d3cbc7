// SPDX-License-Identifier: MIT
/*
 * fuzz_config.c - arbitrary machine files
 *
 * What it finds: crashes and sanitizer reports in reading and booting; a
 * refusal without its sentence; a machine whose printed file is not read again
 * as the same text, or does not boot the same state; a machine that breaks a
 * law from the start.
 *
 * With libFuzzer (-DFUZZ): fuzz_config SEEDS.  Without: fuzz_config [FILE...]
 * runs those, or its own file, whole and with some bytes changed.
 */
#include "kmemfs/base/check.h"
#include "kmemfs/machine/machine.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* CPUs times nodes: what per-cpu lists cost the host at boot. */
#define LISTS_MAX 4096

static bool
is_small(const struct machine_config *config)
{
	return (uint64_t)config->phys.nr_cpus * config->phys.nr_nodes <=
	       LISTS_MAX;
}

/* Boot @config, which is taken over; the digest, false when it cannot. */
static bool
boot(struct machine_config *config, char digest[DIGEST_TEXT])
{
	struct out report = OUT_INIT;
	char *error = NULL;
	struct machine *m = machine_boot(config, NULL, &error);

	if (!m) {
		KM_ASSERT(error && error[0]);
		g_free(error);
		return false;
	}
	machine_digest(m, digest);
	if (machine_verify(m, &report)) {
		fprintf(stderr, "%s\n", out_text(&report));
		KM_ASSERT(!"a law is broken at boot");
	}
	out_fini(&report);
	machine_free(m);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = g_strndup((const char *)data, size), *error = NULL;
	struct machine_config *config = config_read(text, "fuzz", &error);
	struct out once = OUT_INIT, twice = OUT_INIT;
	char first[DIGEST_TEXT], second[DIGEST_TEXT];

	if (!config) {
		KM_ASSERT(error && g_str_has_prefix(error, "fuzz"));
	} else {
		struct machine_config *again;

		config_print(config, &once);
		again = config_read(out_text(&once), "again", &error);
		if (!again)
			fprintf(stderr, "%s\n%s\n", out_text(&once), error);
		KM_ASSERT(again);
		config_print(again, &twice);
		KM_ASSERT(!strcmp(out_text(&once), out_text(&twice)));
		if (!is_small(config)) {
			config_free(config);
			config_free(again);
		} else if (boot(config, first)) {
			KM_ASSERT(boot(again, second));
			KM_ASSERT(!strcmp(first, second));
		} else {
			config_free(again);
		}
	}
	g_free(error);
	g_free(text);
	out_fini(&once);
	out_fini(&twice);
	return 0;
}

#ifndef FUZZ
static const char file[] = "[machine]\n"
			   "arch = x86-64\n"
			   "cpus = 4\n"
			   "cmdline = movablecore=300M mem=1000M\n"
			   "seed = 1\n"
			   "\n"
			   "[firmware]\n"
			   "map = 0x0-0x9fbff usable; 0x9fc00-0x9ffff "
			   "reserved; 0x100000-0x3fffffff usable\n"
			   "\n"
			   "[boot]\n"
			   "reserved = 0x0-0xfffff; 0x1000000-0x2bfffff\n"
			   "freed-late = 0x2a00000-0x2afffff\n"
			   "\n"
			   "[node 0]\n"
			   "memory = 0x0-0x1fffffff\n"
			   "cpus = 0-1\n"
			   "distances = 10; 20\n"
			   "\n"
			   "[node 1]\n"
			   "memory = 0x20000000-0x3fffffff\n"
			   "cpus = 2-3\n"
			   "distances = 20; 10\n"
			   "\n"
			   "[vm]\n"
			   "min_free_kbytes = 8192\n";

static unsigned int
run_own(void)
{
	uint64_t state = 1;
	unsigned int n = 0;

	for (; n < 3000; n++) {
		char *copy = g_strdup(file);

		for (unsigned int k = 0; k < n % 4; k++) {
			size_t at;

			state = state * 6364136223846793005ULL +
				1442695040888963407ULL;
			at = (state >> 33) % (sizeof(file) - 1);
			/* Mostly digits: they are accepted more often. */
			copy[at] = state >> 24 & 3
					   ? (char)('0' + (state >> 26) % 10)
					   : (char)(state >> 16);
		}
		LLVMFuzzerTestOneInput((const uint8_t *)copy, strlen(copy));
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
