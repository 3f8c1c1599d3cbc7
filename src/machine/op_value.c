// SPDX-License-Identifier: MIT
/*
 * op_value.c - one parameter's value: from a word, to a word
 *
 * How it works: a table gives each type its reader and its printer.  Every
 * reader takes the whole word or refuses it; what can be known to be wrong
 * without looking at the machine's changing state (a node that is not there)
 * is refused here, the rest is the handler's.
 */
#include "op_impl.h"

#include "kmemfs/base/text.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

struct reading {
	struct machine *m;
	const struct param *param;
	size_t *bad_at;
	struct refusal *r;
};

static void *
slot(const struct param *param, void *args)
{
	return (char *)args + param->offset;
}

static const void *
slot_of(const struct param *param, const void *args)
{
	return (const char *)args + param->offset;
}

#define WRONG(p, ...) refuse((p)->r, EINVAL, 0, __VA_ARGS__)

static int
read_number(const struct reading *p, char *word, void *to)
{
	if (!text_u64(word, to))
		return WRONG(p, "%s: not a number", word);
	return 0;
}

static int
read_int(const struct reading *p, char *word, void *to)
{
	if (!text_i64(word, to))
		return WRONG(p, "%s: not a number", word);
	return 0;
}

static int
read_size(const struct reading *p, char *word, void *to)
{
	if (!text_size(word, to))
		return WRONG(p, "%s: not a size (4096, 4K, 0x1000)", word);
	return 0;
}

static int
read_time(const struct reading *p, char *word, void *to)
{
	if (!text_time(word, to))
		return WRONG(p, "%s: not a time (10ms, 1.5s)", word);
	return 0;
}

static int
read_gfp(const struct reading *p, char *word, void *to)
{
	uint64_t *value = to;
	gfp_t gfp;

	if (!gfp_parse(word, &gfp, p->bad_at)) {
		char *end = word + *p->bad_at;

		end += strcspn(end, "|,+");
		*end = '\0';
		return WRONG(p, "%s: unknown gfp flag", word + *p->bad_at);
	}
	*value = gfp;
	return 0;
}

static int
read_order(const struct reading *p, char *word, void *to)
{
	uint64_t order;

	if (!text_u64(word, &order))
		return WRONG(p, "%s: not an order", word);
	if (order >= MAX_ORDER)
		return WRONG(p, "order %s is beyond %d, the largest", word,
			     MAX_ORDER - 1);
	*(uint64_t *)to = order;
	return 0;
}

static int
read_node(const struct reading *p, char *word, void *to)
{
	uint64_t node;

	if (!strcmp(word, "local") || !strcmp(word, "-1")) {
		*(int64_t *)to = NODE_LOCAL;
		return 0;
	}
	if (!text_u64(word, &node))
		return WRONG(p, "%s: not a node", word);
	if (p->m && node >= p->m->phys->nr_nodes)
		return WRONG(p, "there is no node %s, only 0 to %u", word,
			     p->m->phys->nr_nodes - 1);
	*(int64_t *)to = (int64_t)node;
	return 0;
}

static int
read_cpu(const struct reading *p, char *word, void *to)
{
	uint64_t cpu;

	if (!text_u64(word, &cpu))
		return WRONG(p, "%s: not a CPU", word);
	if (p->m && cpu >= p->m->phys->nr_cpus)
		return WRONG(p, "there is no CPU %s, only 0 to %u", word,
			     p->m->phys->nr_cpus - 1);
	*(uint64_t *)to = cpu;
	return 0;
}

static int
read_bool(const struct reading *p, char *word, void *to)
{
	bool value;

	if (!text_bool(word, &value))
		return WRONG(p, "%s: neither yes nor no", word);
	*(uint64_t *)to = value;
	return 0;
}

static const char *const contexts[] = {"process", "atomic", "softirq", "irq",
				       "spinlock"};
static const char *const policies[] = {"model", "mirror"};

static int
read_choice(const struct reading *p, const char *const *names, size_t nr,
	    const char *word, void *to)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(names[i], word)) {
			*(uint64_t *)to = i;
			return 0;
		}
	return WRONG(p, "%s: not %s", word, param_type_help(p->param->type));
}

static int
read_context(const struct reading *p, char *word, void *to)
{
	return read_choice(p, contexts, ARRAY_SIZE(contexts), word, to);
}

static int
read_policy(const struct reading *p, char *word, void *to)
{
	return read_choice(p, policies, ARRAY_SIZE(policies), word, to);
}

static int
read_migratetype(const struct reading *p, char *word, void *to)
{
	uint64_t type;

	if (!text_u64(word, &type))
		for (type = 0; type < MIGRATE_TYPES; type++)
			if (!strcmp(migratetype_name(type), word))
				break;
	if (type >= MIGRATE_TYPES)
		return WRONG(p, "%s: not a migrate type", word);
	*(uint64_t *)to = type;
	return 0;
}

static int
keep_word(char *word, void *to)
{
	*(const char **)to = word;
	return 0;
}

static int
read_task(const struct reading *p, char *word, void *to)
{
	uint64_t pid;

	if (!text_is_name(word) && !text_u64(word, &pid))
		return WRONG(p, "%s: neither a name nor a PID", word);
	return keep_word(word, to);
}

static int
read_page(const struct reading *p, char *word, void *to)
{
	uint64_t pfn;

	if (!text_is_name(word) && !text_u64(word, &pfn))
		return WRONG(p, "%s: neither a name nor a pfn", word);
	return keep_word(word, to);
}

static int
read_address(const struct reading *p, char *word, void *to)
{
	uint64_t address;

	if (!text_is_name(word) && !text_u64(word, &address))
		return WRONG(p, "%s: neither a name nor an address", word);
	return keep_word(word, to);
}

static int
read_name(const struct reading *p, char *word, void *to)
{
	if (!text_is_name(word))
		return WRONG(p,
			     "%s: not a name (letters, digits, _ . -, not "
			     "starting with a digit, at most 63)",
			     word);
	return keep_word(word, to);
}

static int
read_word(const struct reading *p, char *word, void *to)
{
	(void)p;
	return keep_word(word, to);
}

static int
read_cache(const struct reading *p, char *word, void *to)
{
	if (!cache_name_is_valid(word))
		return WRONG(p,
			     "%s: not a cache's name (visible characters, no "
			     "slash, at most %d)",
			     word, CACHE_NAME_MAX);
	return keep_word(word, to);
}

static int
read_slabflags(const struct reading *p, char *word, void *to)
{
	slab_flags_t flags;

	if (!slab_flags_parse(word, &flags, p->bad_at)) {
		char *end = word + *p->bad_at;

		end += strcspn(end, "|,+");
		*end = '\0';
		return WRONG(p, "%s: unknown slab flag", word + *p->bad_at);
	}
	*(uint64_t *)to = flags;
	return 0;
}

static int
read_ctor(const struct reading *p, char *word, void *to)
{
	const struct slab_ctor *ctor;
	struct out names = OUT_INIT;

	if (slab_ctor_find(word))
		return keep_word(word, to);
	for (unsigned int n = 0; (ctor = slab_ctor_nth(n)); n++)
		out_printf(&names, "%s%s", n ? ", " : "", slab_ctor_name(ctor));
	refuse(p->r, EINVAL, 0, "%s: no such constructor, only %s", word,
	       out_text(&names));
	out_fini(&names);
	return -EINVAL;
}

static int
read_allocator(const struct reading *p, char *word, void *to)
{
	for (int i = 0; i < NR_SLAB_ALLOCATORS; i++)
		if (!strcmp(slab_allocator_names[i], word))
			return keep_word(word, to);
	return WRONG(p, "%s: not %s", word, param_type_help(p->param->type));
}

/* As compilers make them: foo.isra.0, __x64_sys_brk. */
static int
read_symbol(const struct reading *p, char *word, void *to)
{
	if (!text_is_name(word) || strchr(word, '-'))
		return WRONG(p, "%s: not a function's name", word);
	return keep_word(word, to);
}

static int
hex_digit(char c)
{
	return g_ascii_xdigit_value(c);
}

/* g_base64_decode passes over what is no base64; here it is refused. */
static bool
is_base64(const char *text)
{
	size_t letters = 0, padding = 0;

	while (g_ascii_isalnum(text[letters]) || text[letters] == '+' ||
	       text[letters] == '/')
		letters++;
	while (text[letters + padding] == '=')
		padding++;
	return !text[letters + padding] && padding <= 2 &&
	       (letters + padding) % 4 == 0;
}

static int
read_bytes(const struct reading *p, char *word, void *to)
{
	struct op_bytes *bytes = to;
	uint8_t *at = (uint8_t *)word;
	gsize len;

	if (g_str_has_prefix(word, "base64:")) {
		at += strlen("base64:");
		if (!is_base64((const char *)at)) {
			*p->bad_at = strlen("base64:");
			return WRONG(p, "base64: wants groups of four of its "
					"64 letters, = at the end only");
		}
		len = 0;
		if (*at)
			g_base64_decode_inplace((char *)at, &len);
		*bytes = (struct op_bytes){at, len};
		return 0;
	}
	if (!g_str_has_prefix(word, "hex:")) {
		*bytes = (struct op_bytes){at, strlen(word)};
		return 0;
	}
	at += strlen("hex:");
	for (len = 0; at[2 * len]; len++) {
		int high = hex_digit((char)at[2 * len]);
		int low = high < 0 ? -1 : hex_digit((char)at[2 * len + 1]);

		if (low < 0)
			return WRONG(p, "hex: wants pairs of digits");
		at[len] = (uint8_t)(high << 4 | low);
	}
	*bytes = (struct op_bytes){at, len};
	return 0;
}

static void
print_dec(const void *from, struct out *out)
{
	out_u64(out, *(const uint64_t *)from);
}

static void
print_int(const void *from, struct out *out)
{
	out_i64(out, *(const int64_t *)from);
}

static void
print_time(const void *from, struct out *out)
{
	print_dec(from, out);
	out_str(out, "ns");
}

static void
print_hex(const void *from, struct out *out)
{
	out_hex(out, *(const uint64_t *)from);
}

static void
print_gfp(const void *from, struct out *out)
{
	gfp_t gfp = (gfp_t) * (const uint64_t *)from;

	if (gfp)
		gfp_print(out, gfp);
	else
		out_str(out, "0x0");
}

static void
print_slabflags(const void *from, struct out *out)
{
	slab_flags_print(out, (slab_flags_t) * (const uint64_t *)from);
}

static void
print_node(const void *from, struct out *out)
{
	if (*(const int64_t *)from == NODE_LOCAL)
		out_str(out, "local");
	else
		print_int(from, out);
}

static void
print_bool(const void *from, struct out *out)
{
	out_str(out, *(const uint64_t *)from ? "yes" : "no");
}

static void
print_context(const void *from, struct out *out)
{
	out_str(out, contexts[*(const uint64_t *)from]);
}

static void
print_policy(const void *from, struct out *out)
{
	out_str(out, policies[*(const uint64_t *)from]);
}

static void
print_string(const void *from, struct out *out)
{
	out_str(out, *(const char *const *)from);
}

static void
print_bytes(const void *from, struct out *out)
{
	const struct op_bytes *bytes = from;
	char *text = g_base64_encode(bytes->data, bytes->len);

	out_str(out, "base64:");
	out_str(out, text);
	g_free(text);
}

static const struct {
	int (*read)(const struct reading *p, char *word, void *to);
	void (*print)(const void *from, struct out *out);
} kinds[NR_PARAM_TYPES] = {
	[PARAM_UINT] = {read_number,	     print_dec      },
	[PARAM_INT] = {read_int,	 print_int	  },
	[PARAM_SIZE] = {read_size,	   print_dec	    },
	[PARAM_TIME] = {read_time,	   print_time     },
	[PARAM_HEX] = {read_number,	    print_hex	     },
	[PARAM_GFP] = {read_gfp,	 print_gfp	  },
	[PARAM_ORDER] = {read_order,	     print_dec      },
	[PARAM_NODE] = {read_node,	   print_node     },
	[PARAM_CPU] = {read_cpu,	 print_dec	  },
	[PARAM_BOOL] = {read_bool,	   print_bool     },
	[PARAM_CONTEXT] = {read_context,	 print_context  },
	[PARAM_TASK] = {read_task,	   print_string   },
	[PARAM_MIGRATETYPE] = {read_migratetype, print_dec	  },
	[PARAM_POLICY] = {read_policy,      print_policy   },
	[PARAM_PAGE] = {read_page,	   print_string   },
	[PARAM_ADDRESS] = {read_address,	 print_string   },
	[PARAM_NAME] = {read_name,	   print_string   },
	[PARAM_NEWNAME] = {read_name,	      print_string	  },
	[PARAM_WORD] = {read_word,	   print_string   },
	[PARAM_TEXT] = {read_word,	   print_string   },
	[PARAM_BYTES] = {read_bytes,	     print_bytes	},
	[PARAM_CACHE] = {read_cache,	     print_string	 },
	[PARAM_SLABFLAGS] = {read_slabflags,   print_slabflags},
	[PARAM_CTOR] = {read_ctor,	   print_string   },
	[PARAM_ALLOCATOR] = {read_allocator,   print_string	 },
	[PARAM_SYMBOL] = {read_symbol,      print_string   },
};

static const struct {
	const char *name, *help;
} names[NR_PARAM_TYPES] = {
#define PARAM_NAME_HELP(id, name, type, help) {name, help},
	PARAM_TYPES(PARAM_NAME_HELP)
#undef PARAM_NAME_HELP
};

const char *
param_type_name(enum param_type type)
{
	return names[type].name;
}

const char *
param_type_help(enum param_type type)
{
	return names[type].help;
}

int
param_read(struct machine *m, const struct param *param, char *word, void *args,
	   size_t *bad_at, struct refusal *r)
{
	struct reading reading = {m, param, bad_at, r};

	*bad_at = 0;
	return kinds[param->type].read(&reading, word, slot(param, args));
}

void
param_print(const struct param *param, const void *args, struct out *out)
{
	kinds[param->type].print(slot_of(param, args), out);
}

bool
param_is_word(const struct param *param)
{
	return kinds[param->type].print == print_string;
}

bool
param_present(const struct param *param, const void *args)
{
	return !param_is_word(param) ||
	       *(const char *const *)slot_of(param, args);
}
