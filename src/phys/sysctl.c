// SPDX-License-Identifier: MIT
/*
 * sysctl.c - the knobs of physical memory, /proc/sys/vm
 *
 * What it models: the entries of kernel/sysctl.c:vm_table that belong to
 *                 mm/page_alloc.c and mm/vmscan.c, with their ranges and
 *                 handlers.
 * How it works:   a line is read into a change (all checks), then the change
 *                 is made (cannot fail).
 * Differs from the kernel: words beyond what a knob takes are refused whole,
 *                 where the kernel takes the first and returns a short count;
 *                 numa_zonelist_order accepts zone; reading
 *                 lowmem_reserve_ratio changes nothing, where the kernel
 *                 computes the reserves anew.
 */
#include "kmemfs/phys/sysctl.h"

#include "boot_impl.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define PCP_HIGH_FRACTION_LEAST 8

enum knob_kind { KNOB_NUMBER, KNOB_RESERVE_RATIO, KNOB_ZONELIST_ORDER };

struct knob {
	const char *name;
	enum knob_kind kind;
	bool numa;     /* NUMA kernels only */
	size_t offset; /* of the number in struct vm_sysctl */
	int64_t least;
	int64_t most;
	void (*after)(struct phys *phys);
};

/* What a line asks for. */
struct sysctl_change {
	const struct knob *knob;
	int64_t number[MAX_NR_ZONES];
	unsigned int count;
	bool by_zone;
};

static void
after_min_free(struct phys *phys)
{
	phys->sysctl.user_min_free_kbytes =
		(int64_t)phys->sysctl.min_free_kbytes;
	phys_setup_wmarks(phys);
}

static void
after_pcp(struct phys *phys)
{
	phys_setup_pcp(phys, 0);
}

#define NUMBER(name, numa, least, most, after)                                 \
	{                                                                      \
#name, KNOB_NUMBER, numa, offsetof(struct vm_sysctl, name),    \
			least, most, after                                     \
	}

static const struct knob knobs[] = {
	NUMBER(min_free_kbytes, false, 0, INT_MAX, after_min_free),
	NUMBER(watermark_scale_factor, false, 1, 3000, phys_setup_wmarks),
	NUMBER(watermark_boost_factor, false, 0, INT_MAX, NULL),
	NUMBER(percpu_pagelist_high_fraction, false, 0, INT_MAX, after_pcp),
	NUMBER(extfrag_threshold, false, 0, 1000, NULL),
	NUMBER(zone_reclaim_mode, true, 0, INT_MAX, NULL),
	{"lowmem_reserve_ratio", KNOB_RESERVE_RATIO,  false, 0, INT_MIN, INT_MAX,
						     NULL									 },
	{"numa_zonelist_order",	KNOB_ZONELIST_ORDER, true,  0, 0,	 0,	    NULL},
};

static const struct knob *
knob_find(const struct arch *arch, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
		if (!strcmp(knobs[i].name, name) &&
		    (arch->numa || !knobs[i].numa))
			return &knobs[i];
	}
	return NULL;
}

/* The kernel's array has one number for each zone that it was built with. */
static unsigned int
kernel_zones(const struct phys_config *config)
{
	unsigned int zones = 0;

	for (unsigned int type = 0; type < MAX_NR_ZONES; type++)
		zones += phys_config_has_zone(config, type);
	return zones;
}

/* One number as proc_get_long reads it: minus, then any C base. */
static int
read_number(const struct knob *knob, const char **at, int64_t *number,
	    struct refusal *r)
{
	const char *digits = *at + (**at == '-');
	char *end;

	if (!isdigit((unsigned char)*digits))
		return refuse(r, EINVAL, 0, "%s: a number is wanted",
			      knob->name);
	errno = 0;
	*number = strtoll(*at, &end, 0);
	if (*end && !isspace((unsigned char)*end))
		return refuse(r, EINVAL, 0, "%s: a number is wanted",
			      knob->name);
	if (errno || *number < knob->least || *number > knob->most)
		return refuse(r, EINVAL, 0,
			      "%s: %.*s is not between %lld and %lld",
			      knob->name, (int)(end - *at), *at,
			      (long long)knob->least, (long long)knob->most);
	*at = end;
	return 0;
}

static const char *
skip_blanks(const char *at)
{
	while (isspace((unsigned char)*at))
		at++;
	return at;
}

static int
read_numbers(struct sysctl_change *change, unsigned int most, const char *value,
	     struct refusal *r)
{
	const char *at = skip_blanks(value);
	int err;

	do {
		if (change->count == most)
			return refuse(r, EINVAL, 0, "%s takes %u number%s",
				      change->knob->name, most,
				      most > 1 ? "s at most" : "");
		err = read_number(change->knob, &at,
				  &change->number[change->count], r);
		if (err)
			return err;
		change->count++;
		at = skip_blanks(at);
	} while (*at);
	return 0;
}

static int
sysctl_read(const struct phys_config *config, const char *name,
	    const char *value, struct sysctl_change *change, struct refusal *r)
{
	int err;

	*change = (struct sysctl_change){
		.knob = knob_find(&archs[config->arch], name)};
	if (!change->knob)
		return refuse(r, ENOENT, 0, "there is no sysctl vm.%s here",
			      name);
	switch (change->knob->kind) {
	case KNOB_RESERVE_RATIO:
		return read_numbers(change, kernel_zones(config), value, r);
	case KNOB_ZONELIST_ORDER:
		value = skip_blanks(value);
		if (!*value || !strchr("dDnNzZ", *value))
			return refuse(r, EINVAL, 0,
				      "numa_zonelist_order is node, zone or "
				      "default");
		change->by_zone = tolower((unsigned char)*value) == 'z';
		return 0;
	case KNOB_NUMBER:
		break;
	}
	err = read_numbers(change, 1, value, r);
	if (!err && change->knob->after == after_pcp && change->number[0] &&
	    change->number[0] < PCP_HIGH_FRACTION_LEAST)
		return refuse(r, EINVAL, 0, "%s is 0 or at least %d", name,
			      PCP_HIGH_FRACTION_LEAST);
	return err;
}

int
sysctl_check(const struct phys_config *config, const char *name,
	     const char *value, struct refusal *r)
{
	struct sysctl_change change;

	return sysctl_read(config, name, value, &change, r);
}

static uint64_t *
knob_value(struct vm_sysctl *sysctl, const struct knob *knob)
{
	return (uint64_t *)(void *)((char *)sysctl + knob->offset);
}

static void
set_reserve_ratios(struct phys *phys, const struct sysctl_change *change)
{
	unsigned int i = 0;

	for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
		int64_t v = change->number[i];

		if (!phys_config_has_zone(phys->config, type))
			continue;
		if (i++ == change->count)
			break;
		phys->sysctl.lowmem_reserve_ratio[type] =
			v < 1 ? 0 : (uint64_t)v;
	}
	phys_setup_lowmem_reserve(phys);
}

int
sysctl_write(struct phys *phys, const char *name, const char *value,
	     struct refusal *r)
{
	struct sysctl_change change;
	int err = sysctl_read(phys->config, name, value, &change, r);

	if (err)
		return err;
	switch (change.knob->kind) {
	case KNOB_NUMBER:
		*knob_value(&phys->sysctl, change.knob) =
			(uint64_t)change.number[0];
		if (change.knob->after)
			change.knob->after(phys);
		break;
	case KNOB_RESERVE_RATIO:
		set_reserve_ratios(phys, &change);
		break;
	case KNOB_ZONELIST_ORDER:
		if (phys->sysctl.zonelist_by_zone == change.by_zone)
			break;
		phys->sysctl.zonelist_by_zone = change.by_zone;
		phys_build_zonelists(phys, true);
		break;
	}
	return 0;
}

bool
sysctl_show(const struct phys *phys, const char *name, struct out *out)
{
	const struct knob *knob = knob_find(phys->arch, name);
	const char *before = "";

	if (!knob)
		return false;
	switch (knob->kind) {
	case KNOB_NUMBER:
		out_u64(out,
			*(const uint64_t *)(const void *)((const char *)&phys
								  ->sysctl +
							  knob->offset));
		break;
	case KNOB_RESERVE_RATIO:
		for (unsigned int type = 0; type < MAX_NR_ZONES; type++) {
			if (!phys_config_has_zone(phys->config, type))
				continue;
			out_str(out, before);
			out_u64(out, phys->sysctl.lowmem_reserve_ratio[type]);
			before = "\t";
		}
		break;
	case KNOB_ZONELIST_ORDER:
		out_str(out, phys->sysctl.zonelist_by_zone ? "Zone" : "Node");
		break;
	}
	out_char(out, '\n');
	return true;
}
