// SPDX-License-Identifier: MIT
/*
 * real-shapes.c - boots a machine file and tells its numbers
 *
 *   real-shapes MACHINE.ini
 *
 * reads commands, one a line, and answers each with lines of words, the last
 * of which is a dot: what check-shapes compares with a real kernel's files.
 *
 *   zones                       a line for each zone of the kernel
 *   totals                      Total pages, mobility, memory given late
 *   lists                       the node order and zonelists of each node
 *   unmovable                   pageblocks of each type, by zone
 *   index N0 ... N10            indices by order, of so many free blocks
 *   sysctl NAME VALUE...        write, show NAME: read back
 *   cpu N 0|1                   take a CPU offline, online
 *   offline PFN PAGES           a memory block
 *   online PFN PAGES auto|kernel|movable
 */
#include "kmemfs/machine/config.h"
#include "kmemfs/phys/pages.h"
#include "kmemfs/phys/sysctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct phys *phys;

static void
tell_zone(const struct zone *zone)
{
	printf("zone %u %s %llu %llu %llu %llu %llu %llu %llu %llu %llu %u %u "
	       "%u",
	       zone->node->id, zone_type_name(zone->type),
	       (unsigned long long)zone->start_pfn,
	       (unsigned long long)zone->spanned_pages,
	       (unsigned long long)zone->present_pages,
	       (unsigned long long)zone->managed_pages,
	       (unsigned long long)zone->watermark_boost,
	       (unsigned long long)wmark_pages(zone, WMARK_MIN),
	       (unsigned long long)wmark_pages(zone, WMARK_LOW),
	       (unsigned long long)wmark_pages(zone, WMARK_HIGH),
	       (unsigned long long)zone->cma_pages, zone->pcp_high,
	       zone->pcp_batch, zone->stat_threshold);
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		if (arch_has_zone(phys->arch, (enum zone_type)type))
			printf(" %llu",
			       (unsigned long long)zone->lowmem_reserve[type]);
	}
	putchar('\n');
}

static void
tell_zones(char **words)
{
	(void)words;
	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		if (arch_has_zone(phys->arch, phys->zones[id]->type))
			tell_zone(phys->zones[id]);
	}
}

static void
tell_totals(char **words)
{
	(void)words;
	printf("totals %llu %s %llu %llu\n",
	       (unsigned long long)phys->boot_total_pages,
	       phys->mobility_off ? "off" : "on",
	       (unsigned long long)phys->handover_pages,
	       (unsigned long long)phys->late_pages);
}

static void
tell_lists(char **words)
{
	(void)words;
	for (unsigned int n = 0; n < phys->nr_nodes; n++) {
		const struct node *node = phys->nodes[n];

		printf("fallback %u", n);
		for (unsigned int i = 0; i < node->nr_fallback; i++)
			printf(" %u", node->fallback[i]);
		for (unsigned int l = 0; l < 2; l++) {
			printf("\n%s %u", l ? "thisnode" : "general", n);
			for (unsigned int i = 0; i < node->zonelist[l].nr; i++)
				printf(" %u:%s",
				       node->zonelist[l].zones[i]->node->id,
				       zone_type_name(node->zonelist[l]
							      .zones[i]
							      ->type));
		}
		putchar('\n');
	}
}

static void
tell_unmovable(char **words)
{
	uint64_t block = 1ULL << phys->pageblock_order;

	(void)words;
	for (unsigned int id = 0; id < phys->nr_zones; id++) {
		const struct zone *zone = phys->zones[id];
		unsigned long long count[MIGRATE_TYPES] = {0};
		pfn_t end = zone_end_pfn(zone);

		if (!zone->present_pages)
			continue;
		for (pfn_t at = round_down_to(zone->start_pfn, block); at < end;
		     at += block)
			count[pageblock_type(phys, at)]++;
		printf("blocks %u %s %llu %llu %llu\n", zone->node->id,
		       zone_type_name(zone->type), count[MIGRATE_UNMOVABLE],
		       count[MIGRATE_MOVABLE], count[MIGRATE_CMA]);
	}
}

static void
tell_index(char **words)
{
	uint64_t nr_free[MAX_ORDER] = {0};

	for (unsigned int i = 0; i < MAX_ORDER && words[i]; i++)
		nr_free[i] = strtoull(words[i], NULL, 10);
	for (unsigned int order = 0; order < MAX_ORDER; order++)
		printf("index %u %d %u\n", order,
		       fragmentation_index(nr_free, order),
		       unusable_index(nr_free, order));
}

static void
tell(int err)
{
	if (err)
		printf("error %d\n", -err);
}

static void
do_sysctl(char **words)
{
	char *value = g_strjoinv(" ", words + 1);

	tell(sysctl_write(phys, words[0], value, NULL));
	g_free(value);
}

static void
do_show(char **words)
{
	struct out out = OUT_INIT;

	if (sysctl_show(phys, words[0], &out))
		printf("show %s", out_text(&out));
	out_fini(&out);
}

static void
do_cpu(char **words)
{
	phys_set_cpu_online(phys, (unsigned int)strtoul(words[0], NULL, 10),
			    words[1][0] == '1');
}

static void
do_offline(char **words)
{
	tell(hotplug_offline(phys, strtoull(words[0], NULL, 10),
			     strtoull(words[1], NULL, 10)));
}

static void
do_online(char **words)
{
	enum online_type how = ONLINE_AUTO;

	if (!strcmp(words[2], "kernel"))
		how = ONLINE_KERNEL;
	if (!strcmp(words[2], "movable"))
		how = ONLINE_MOVABLE;
	tell(hotplug_online(phys, strtoull(words[0], NULL, 10),
			    strtoull(words[1], NULL, 10), how));
}

static const struct {
	const char *name;
	unsigned int least; /* words that it needs */
	void (*run)(char **words);
} commands[] = {
	{"zones",	  0,	     tell_zones    },
	{"totals",	   0,	      tell_totals	 },
	{"lists",	  0,	     tell_lists    },
	{"unmovable", 0,	 tell_unmovable},
	{"index",	  MAX_ORDER, tell_index    },
	{"sysctl",	   2,	      do_sysctl     },
	{"show",	 1,	    do_show	   },
	{"cpu",	2,	   do_cpu	 },
	{"offline",   2,	       do_offline	 },
	{"online",	   3,	      do_online     },
};

static void
run_line(char *line)
{
	char **words = g_strsplit(g_strstrip(line), " ", -1);
	bool known = false;

	for (size_t i = 0; words[0] && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, words[0]) ||
		    g_strv_length(words + 1) < commands[i].least)
			continue;
		known = true;
		commands[i].run(words + 1);
	}
	if (!known)
		printf("error unknown %s\n", line);
	printf(".\n");
	fflush(stdout);
	g_strfreev(words);
}

int
main(int argc, char **argv)
{
	struct machine_config *config;
	struct trace trace = {0};
	uint64_t now_ns = 0;
	char why[256], *error = NULL, *line = NULL;
	size_t size = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: real-shapes MACHINE.ini\n");
		return 2;
	}
	config = config_load(argv[1], &error);
	if (!config) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	phys = phys_boot(&config->phys, &trace, &now_ns, NULL, NULL, why,
			 sizeof(why));
	if (!phys) {
		fprintf(stderr, "%s: %s\n", argv[1], why);
		return 1;
	}
	while (getline(&line, &size, stdin) > 0)
		run_line(line);
	free(line);
	phys_free(phys);
	config_free(config);
	return 0;
}
