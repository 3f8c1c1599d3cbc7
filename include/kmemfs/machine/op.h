// SPDX-License-Identifier: MIT
/*
 * op.h - every change of state is one op: parse, check, do, journal, answer
 *
 * An op is a line of text: its name, then words.  fs-layout/ declares each
 * one; the build makes from it the table of struct op_desc, a struct args_X
 * for each op and the prototype of its handler:
 *
 *     int op_page_alloc_pages(struct op *op, struct args_page_alloc_pages *a);
 *
 * A handler first checks everything and changes nothing: a fault found then is
 * returned through op_refuse().  Then it acts; if the modelled kernel fails, it
 * returns op_fail().  What the user left out and the handler chose (a made-up
 * name, the node that "local" meant) is stored back into @a: the journal is
 * written from it afterwards.
 */
#ifndef KMEMFS_MACHINE_OP_H
#define KMEMFS_MACHINE_OP_H

#include "kmemfs/machine/machine.h"

/*
 * How a parameter's word is read, stored and printed.
 * PARAM(id, layout name, C type, what help says)
 */
#define PARAM_TYPES(P)                                                         \
	P(UINT, "uint", uint64_t, "a number, 12 or 0xc")                       \
	P(INT, "int", int64_t, "a number, also negative")                      \
	P(SIZE, "size", uint64_t, "bytes: 4096, 4K, 2M, 0x1000")               \
	P(TIME, "time", uint64_t, "a time: 10ms, 1s, 2min")                    \
	P(HEX, "hex", uint64_t, "a number, printed as 0x")                     \
	P(GFP, "gfp", uint64_t, "gfp flags: GFP_KERNEL|__GFP_ZERO")            \
	P(ORDER, "order", uint64_t, "an order, 0 to 10")                       \
	P(NODE, "node", int64_t, "a node's number, or local")                  \
	P(CPU, "cpu", uint64_t, "a CPU's number")                              \
	P(BOOL, "bool", uint64_t, "yes or no, 1 or 0")                         \
	P(CONTEXT, "context", uint64_t,                                        \
	  "process, atomic, softirq, irq or spinlock")                         \
	P(TASK, "task", const char *, "a task's name or PID")                  \
	P(MIGRATETYPE, "migratetype", uint64_t, "a migrate type's number")     \
	P(POLICY, "policy", uint64_t, "model or mirror")                       \
	P(PAGE, "page", const char *, "an allocation's name, or a pfn")        \
	P(ADDRESS, "address", const char *,                                    \
	  "an allocation's name, or an address 0x...")                         \
	P(NAME, "name", const char *, "an allocation's name")                  \
	P(NEWNAME, "newname", const char *, "a name for what is made")         \
	P(WORD, "word", const char *, "a word")                                \
	P(TEXT, "text", const char *, "the rest of the line")                  \
	P(CACHE, "cache", const char *, "a slab cache's name")                 \
	P(SLABFLAGS, "slabflags", uint64_t,                                    \
	  "slab flags: SLAB_HWCACHE_ALIGN|SLAB_PANIC")                         \
	P(CTOR, "ctor", const char *, "what a constructor writes, by name")    \
	P(ALLOCATOR, "allocator", const char *, "slub, slab or slob")          \
	P(SYMBOL, "symbol", const char *, "a function's name")                 \
	P(BYTES, "bytes", struct op_bytes, "base64:..., hex:... or text")

enum param_type {
#define PARAM_ENUM(id, name, type, help) PARAM_##id,
	PARAM_TYPES(PARAM_ENUM)
#undef PARAM_ENUM
		NR_PARAM_TYPES
};

struct op_bytes {
	const uint8_t *data;
	size_t len;
};

struct param {
	const char *name;
	enum param_type type;
	uint16_t offset;      /* in struct args_X */
	const char *fallback; /* default's text; NULL: must be given */
	bool optional;	      /* may be absent: zero, NULL */
	const char *doc;
};

struct op;

enum op_flags {
	OP_CLOCK = 1 << 0,     /* moves time only; journal merges runs */
	OP_ALWAYS = 1 << 1,    /* allowed after a panic */
	OP_TRANSIENT = 1 << 2, /* changes no state: not journaled */
};

struct op_desc {
	const char *name; /* "page/alloc_pages" */
	const struct param *params;
	unsigned int nr_params;
	unsigned int args_size;
	unsigned int flags;
	int task; /* index of the first parameter that is a task, -1 */
	int (*run)(struct op *op, void *args);
	const char *doc, *gives, *fails, *example; /* help; fails: lines */
	const char *before; /* op lines to run before the example, NULL */
};

extern const struct op_desc op_table[]; /* sorted by name */
extern const unsigned int op_table_size;

#define OP_ARGS_MAX 192
#define OP_PARAMS_MAX 16

/* One op on its way. */
struct op {
	struct machine *m;
	const struct op_desc *desc;
	struct out *answer;		/* NULL: nobody reads it */
	bool want_why;			/* record the story of an allocation */
	struct task *task;		/* that the op is done by or for; PID 1
					   when no parameter says so */
	struct refusal *refusal;	/* filled in when it is not done */
	uint32_t column[OP_PARAMS_MAX]; /* byte of each word; UINT32_MAX: not
					   in the line */
	uint32_t given; /* bit per parameter that the line names */
	int result;	/* 0 or -errno, after the run */
	union {
		uint64_t align;
		uint8_t bytes[OP_ARGS_MAX];
	} args;
	char made_up[16]; /* room for a name the handler made up */
	uint8_t *owned;	  /* decoded bytes parameter, freed by op_fini */
};

/*
 * Parse @line (without newline; changed in place, must live until op_fini) as
 * an op of @m.  @name non-NULL: the line holds only the words of that op.
 * Returns 0, or -errno with @r filled in; nothing changes in either case.
 */
int op_parse(struct machine *m, const char *name, char *line, struct op *op,
	     struct refusal *r);
/* The same for the words of @desc. */
int op_parse_words(struct machine *m, const struct op_desc *desc, char *words,
		   struct op *op, struct refusal *r);
/*
 * Run a parsed op: time moves on by at least 1 ns, the journal gets its line
 * unless it is refused.  @answer may be NULL.  Returns 0 or -errno with @r.
 */
int op_run(struct machine *m, struct op *op, struct out *answer,
	   struct refusal *r);
void op_fini(struct op *op);
/* Make @op an op of @desc with every default filled in, for those who fill in
 * the arguments themselves instead of parsing a line. */
void op_begin(struct op *op, struct machine *m, const struct op_desc *desc);

/* Find an op by name; NULL. */
const struct op_desc *op_find(const char *name);
/* The op's canonical line, all parameters by name or place, no newline. */
void op_print(const struct op_desc *desc, const void *args, struct out *out);
/* How to use it: what a control file shows when read. */
void op_help(const struct op_desc *desc, struct out *out);

/*
 * Parse and run one line; logs a refusal to error_log and adds to answers.
 * Stories of allocations are recorded.  @line is copied.  For what people
 * type: control files, the command line tool, tests.  @answer may be NULL.
 */
int machine_do(struct machine *m, const char *line, struct out *answer,
	       struct refusal *r);
/* The same for the words of op @desc; NULL: the line names it. */
int machine_do_words(struct machine *m, const struct op_desc *desc,
		     const char *line, struct out *answer, struct refusal *r);
/* Log a refused or failed line as tracefs does: sentence, line, caret. */
void machine_log_refusal(struct machine *m, const char *op_name,
			 const char *line, const struct refusal *r);

/* Append "error ERRNO COLUMN SENTENCE", no newline: the answer of a line that
 * was not done. */
void op_answer_error(struct out *answer, const struct refusal *r);

/* --- for handlers ----------------------------------------------------------
 */

/*
 * Refuse: nothing was changed.  @param is the index of the parameter at fault
 * (generated ARG_<OP>_<PARAM>), or -1 for the line as a whole.  Returns -@err.
 */
int op_refuse(struct op *op, int param, int err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The op ran and the modelled kernel failed.  Returns -@err. */
int op_fail(struct op *op, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Refuse with EINVAL when @cpu, a CPU of the machine, is offline: 0 or -EINVAL.
 * @param as for op_refuse(). */
int op_check_cpu(struct op *op, int param, uint64_t cpu);
/* The task that @word, a name or a PID, stands for; stores it.  ESRCH. */
int op_find_task(struct op *op, int param, const char *word,
		 struct task **task);
/* Refuse with EEXIST a name of an allocation that is taken; NULL is not. */
int op_check_new_name(struct op *op, int param, const char *name);
/* Refuse with ENFILE when fewer than @nr more allocations can be entered. */
int op_check_allocations(struct op *op, uint64_t nr);
/* Append to the answer, if someone reads it. */
void op_answer(struct op *op, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
