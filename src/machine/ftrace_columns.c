// SPDX-License-Identifier: MIT
/*
 * ftrace_columns.c - the columns in front of an event's name
 *
 * What it models: trace_print_context and trace_print_lat_fmt of
 * kernel/trace/trace_output.c, trace-cmd report and perf script:
 *
 *            TASK-PID     (TGID)  CPU#  FLAGS    TIMESTAMP  FUNCTION
 *     "             cat-17775   [001] ...2.  1557.955069: mm_page_free: "
 *     "     kworker/0:0-9       [000]   1558.074029: kmem:mm_page_free: "
 *     "Web Content  4711 [000]  1558.074029:   kmem:mm_page_free: "
 *
 * How it works: a task's name may hold anything, blanks, dashes and brackets
 * too.  The kernel right-aligns it in 16 columns and its names have at most 15
 * bytes, so a dash and a digit in column 16 settle it.  Elsewhere each "[" is
 * tried from the left: it counts when a pid stands before it and a CPU, flags
 * and a time stamp behind it.  A line that begins with the same bytes as the
 * last of the first kind, up to the point of the stamp, says the same.
 */
#include "ftrace_impl.h"

#include <string.h>

#define COMM_COLUMNS 16
#define FLAGS_MAX 8
#define GROUP_MAX 16
#define NS_PER_S 1000000000ULL
#define NS_DIGITS 9

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* --- behind the bracket: cpu, flags, time --------------------------------- */

static const char flag_letters[] = ".dDbXNnpPBLlhHsSzZ0123456789acef";

/*
 * .  irqs off  need-resched  hardirq/softirq  depth  migrate-disable
 *    d D       N n p         h H s z Z        hex    hex
 */
static bool
columns_flags(struct ftrace_text *t, struct ftrace_event *e)
{
	const char *from = t->at;
	size_t len;

	while (t->at < t->end && !blank(*t->at) && t->at - from < FLAGS_MAX) {
		if (!memchr(flag_letters, *t->at, sizeof(flag_letters) - 1))
			return false;
		t->at++;
	}
	len = (size_t)(t->at - from);
	if (len < 4 || t->at == t->end || !blank(*t->at))
		return false;
	e->flags = FTRACE_HAS_FLAGS;
	if (from[0] == 'd' || from[0] == 'D')
		e->flags |= FTRACE_IRQS_OFF;
	if (from[2] == 'h' || from[2] == 'H' || from[2] == 'z' ||
	    from[2] == 'Z')
		e->flags |= FTRACE_HARDIRQ;
	if (from[2] == 's' || from[2] == 'H')
		e->flags |= FTRACE_SOFTIRQ;
	if (ftrace_is_digit(from[3]))
		e->preempt = (uint8_t)(from[3] - '0');
	else if (from[3] >= 'a' && from[3] <= 'f')
		e->preempt = (uint8_t)(from[3] - 'a' + 10);
	if (len > 4 && ftrace_is_digit(from[4]))
		e->preempt |= (uint8_t)((from[4] - '0') << 4);
	ftrace_blanks(t);
	return true;
}

static const uint32_t tens[] = {1,	   10,	      100,     1000,
				10000,	   100000,    1000000, 10000000,
				100000000, 1000000000};

/* The six digits and the colon at @at, as microseconds in nanoseconds; false:
 * it is something else.  Eight bytes may be read.  All digits are made numbers
 * at once: of ones tens, of these hundreds, of these ten thousands. */
static inline bool
columns_micro(const char *at, uint64_t *ns)
{
	const uint64_t high = 0xf0f0f0f0f0f0f0f0, sixes = 0x0606060606060606;
	const uint64_t zeros = 0x3030303030303030;
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	v = GUINT64_FROM_LE(v);
	if ((v >> 48 & 0xff) != ':')
		return false;
	v = v << 16 | (zeros & 0xffff);
	if ((v & high) != zeros || ((v + sixes) & high) != zeros)
		return false;
	v -= zeros;
	v = v * 10 + (v >> 8);
	v = ((v & 0xff000000ff) * (100 + (1000000ULL << 32)) +
	     (v >> 16 & 0xff000000ff) * (1 + (10000ULL << 32))) >>
	    32;
	*ns = v * 1000;
	return true;
}

/* @t stands behind the point of a stamp of @seconds. */
static bool
columns_fraction(struct ftrace_text *t, uint64_t seconds,
		 struct ftrace_event *e)
{
	const char *from = t->at, *at = from, *end = t->end;
	uint64_t ns = 0;

	if (end - from >= 8 && columns_micro(from, &ns)) {
		end = from + 6;
	} else {
		if (end - from > NS_DIGITS)
			end = from + NS_DIGITS;
		for (; at < end && ftrace_is_digit(*at); at++)
			ns = ns * 10 + (uint64_t)(*at - '0');
		for (end = at; end < t->end && ftrace_is_digit(*end); end++)
			;
		if (at == from || end == t->end || *end != ':')
			return false;
		ns *= tens[NS_DIGITS - (at - from)];
	}
	e->ts_ns = seconds * NS_PER_S + ns;
	t->at = end + 1;
	ftrace_blanks(t);
	return t->at < t->end;
}

/* @t stands at the stamp; *@point: behind its point, NULL: it has none. */
static bool
columns_time(struct ftrace_text *t, struct ftrace_event *e, const char **point)
{
	uint64_t seconds;

	*point = NULL;
	if (!ftrace_decimal(t, &seconds) || t->at == t->end)
		return false;
	if (*t->at == '.') {
		*point = ++t->at;
		return seconds <= UINT64_MAX / NS_PER_S - 1 &&
		       columns_fraction(t, seconds, e);
	}
	e->ts_ns = seconds;
	if (*t->at != ':')
		return false;
	t->at++;
	ftrace_blanks(t);
	return t->at < t->end;
}

/* @t stands behind the "["; *@point as columns_time(). */
static bool
columns_right(struct ftrace_text *t, struct ftrace_event *e, const char **point)
{
	uint64_t cpu;

	if (!ftrace_decimal(t, &cpu) || cpu > UINT32_MAX || t->at == t->end ||
	    *t->at != ']')
		return false;
	t->at++;
	if (t->at == t->end || !blank(*t->at))
		return false;
	e->cpu = (uint32_t)cpu;
	ftrace_blanks(t);
	if (t->at == t->end)
		return false;
	if (!ftrace_is_digit(*t->at) && !columns_flags(t, e))
		return false;
	return columns_time(t, e, point);
}

/* --- before the bracket: name and pid --------------------------------------
 */

/* Step back over "(  123)" or "(-------)", the thread group. */
static const char *
columns_skip_group(const char *start, const char *at)
{
	const char *open = at;

	if (at == start || at[-1] != ')')
		return at;
	while (open > start && *open != '(' && at - open < GROUP_MAX)
		open--;
	if (*open != '(')
		return at;
	while (open > start && blank(open[-1]))
		open--;
	return open;
}

static const char *
columns_back_digits(const char *start, const char *at)
{
	while (at > start && ftrace_is_digit(at[-1]))
		at--;
	return at;
}

/* [start, bracket) as "name-pid " or "name pid " or "name pid/tid ". */
static bool
columns_left(const char *start, const char *bracket, struct ftrace_event *e)
{
	const char *end = bracket, *digits;
	struct ftrace_text number;
	uint64_t pid;

	while (end > start && blank(end[-1]))
		end--;
	if (end == bracket)
		return false;
	end = columns_skip_group(start, end);
	digits = columns_back_digits(start, end);
	number = (struct ftrace_text){digits, end};
	if (digits == start || !ftrace_decimal(&number, &pid) ||
	    pid > INT32_MAX)
		return false;
	if (digits[-1] == '/') {
		const char *group = columns_back_digits(start, digits - 1);

		if (group < digits - 1 && group > start && blank(group[-1]))
			digits = group;
	}
	if (digits[-1] != '-' && !blank(digits[-1]))
		return false;
	end = digits - 1;
	if (*end != '-')
		while (end > start && blank(end[-1]))
			end--;
	while (start < end && blank(*start))
		start++;
	e->pid = (int32_t)pid;
	e->comm = start;
	e->comm_len = (uint32_t)(end - start);
	return true;
}

/* The "[" that follows the pid when the name ends in column 16; NULL. */
static const char *
columns_native(const struct ftrace_text *t)
{
	const char *at = t->at + COMM_COLUMNS;

	if (t->end - t->at < COMM_COLUMNS + 4 || *at != '-' ||
	    !ftrace_is_digit(at[1]))
		return NULL;
	at++;
	while (at < t->end && ftrace_is_digit(*at))
		at++;
	while (at < t->end && *at != '[' &&
	       (blank(*at) || ftrace_is_digit(*at) || *at == '(' ||
		*at == ')' || *at == '-'))
		at++;
	return at < t->end && *at == '[' ? at : NULL;
}

/* --- whole lines ----------------------------------------------------------
 */

bool
ftrace_columns_again(const struct ftrace *f, struct ftrace_text *t,
		     struct ftrace_event *e)
{
	struct ftrace_text right = {t->at + f->columns.len, t->end};

	if (!f->columns.len || (size_t)(t->end - t->at) <= f->columns.len ||
	    memcmp(t->at, f->columns.text, f->columns.len) ||
	    !columns_fraction(&right, f->columns.seconds, e))
		return false;
	e->comm = t->at + f->columns.comm;
	e->comm_len = f->columns.comm_len;
	e->cpu = f->columns.cpu;
	e->pid = f->columns.pid;
	e->flags = f->columns.flags;
	e->preempt = f->columns.preempt;
	t->at = right.at;
	return true;
}

static void
columns_remember(struct ftrace *f, const char *line, const char *point,
		 const struct ftrace_event *e)
{
	size_t len = point ? (size_t)(point - line) : 0;

	f->columns.len = 0;
	if (!len || len > sizeof(f->columns.text))
		return;
	memcpy(f->columns.text, line, len);
	f->columns.len = (uint32_t)len;
	f->columns.comm = (uint32_t)(e->comm - line);
	f->columns.comm_len = e->comm_len;
	f->columns.cpu = e->cpu;
	f->columns.pid = e->pid;
	f->columns.flags = e->flags;
	f->columns.preempt = e->preempt;
	f->columns.seconds = e->ts_ns / NS_PER_S;
}

static bool
columns_at(struct ftrace_text *t, const char *bracket, struct ftrace_event *e,
	   const char **point)
{
	struct ftrace_text right = {bracket + 1, t->end};

	e->flags = 0;
	e->preempt = 0;
	if (!columns_left(t->at, bracket, e) ||
	    !columns_right(&right, e, point))
		return false;
	t->at = right.at;
	return true;
}

bool
ftrace_columns(struct ftrace *f, struct ftrace_text *t, struct ftrace_event *e)
{
	const char *bracket, *point, *line = t->at;

	bracket = columns_native(t);
	if (bracket && columns_at(t, bracket, e, &point)) {
		columns_remember(f, line, point, e);
		return true;
	}
	for (bracket = t->at; bracket < t->end; bracket++) {
		bracket = memchr(bracket, '[', (size_t)(t->end - bracket));
		if (!bracket)
			return false;
		if (columns_at(t, bracket, e, &point))
			return true;
	}
	return false;
}
