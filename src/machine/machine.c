// SPDX-License-Identifier: MIT
/*
 * machine.c - a machine from its file to its end, and what it says
 *
 * How it works: memory is booted first (phys.h), with no time passing; then
 * the machine file's [vm] settings are made as an init script would make them;
 * then what a state directory kept is done again.  All three are functions of
 * the machine file and the journal alone.
 */
#include "kmemfs/machine/machine.h"

#include "kmemfs/base/check.h"
#include "kmemfs/base/kernel_args.h"
#include "kmemfs/base/random.h"
#include "kmemfs/machine/journal.h"
#include "kmemfs/machine/replay.h"
#include "kmemfs/phys/sysctl.h"
#include "kmemfs/vm/sysctl.h"

#include "kernel_glue_impl.h"

#include "mmu_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TRACE_RECORDS (1U << 16)
/* Where the kernel's text lies, and what each function takes of it. */
#define TEXT_64 0xffffffff81000000
#define TEXT_32 0xc1000000
#define FUNCTION_SIZE 0x40
#define ERROR_LOG_ENTRIES 64
#define ANSWERS 100

/* --- what it says -------------------------------------------------------- */

static void
log_line(struct machine *m, const char *format, va_list ap)
{
	struct out *log = &m->dmesg;
	uint64_t us = m->now_ns / 1000;

	if (log->len > MACHINE_LOG_MAX) {
		const char *half = log->text + log->len / 2;
		const char *end = log->text + log->len;
		const char *line = memchr(half, '\n', (size_t)(end - half));

		/* Every line ends in a newline, so there is one. */
		log->len = (size_t)(end - line - 1);
		memmove(log->text, line + 1, log->len);
	}
	out_printf(log, "[%5llu.%06llu] ", (unsigned long long)(us / 1000000),
		   (unsigned long long)(us % 1000000));
	out_vprintf(log, format, ap);
	out_char(log, '\n');
}

void
machine_printk(struct machine *m, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_line(m, format, ap);
	va_end(ap);
}

void
machine_panic(struct machine *m, const char *format, ...)
{
	char *what;
	va_list ap;

	va_start(ap, format);
	what = g_strdup_vprintf(format, ap);
	va_end(ap);
	machine_printk(m, "Kernel panic - not syncing: %s", what);
	machine_printk(m, "---[ end Kernel panic - not syncing: %s ]---", what);
	m->state = MACHINE_PANIC;
	g_free(what);
}

static void
phys_says(void *user, const char *line)
{
	machine_printk(user, "%s", line);
}

void
line_ring_add(struct line_ring *ring, const char *line)
{
	size_t len = strlen(line) + 1;
	GList *link;

	if (ring->lines.length < ring->most) {
		g_queue_push_tail(&ring->lines, g_memdup2(line, len));
		return;
	}
	/* Lines of one kind are of one length: their room mostly fits. */
	link = g_queue_pop_head_link(&ring->lines);
	if (strlen(link->data) + 1 < len)
		link->data = g_realloc(link->data, len);
	memcpy(link->data, line, len);
	g_queue_push_tail_link(&ring->lines, link);
	ring->dropped++;
}

void
machine_tell_entry(struct machine *m, enum entry_kind kind,
		   const uint64_t *above, const char *name)
{
	m->entries_ns[kind] = m->now_ns;
	if (m->entry_changed)
		m->entry_changed(m->entry_changed_user, kind, above, name);
}

uint64_t
machine_random(struct machine *m)
{
	return random_next(&m->random);
}

/* --- what it is ---------------------------------------------------------- */

void
machine_hash(const struct machine *m, char text[65])
{
	struct out config = OUT_INIT;
	char *hash;

	config_print(m->config, &config);
	hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256,
					   (const guchar *)out_text(&config),
					   config.len);
	memcpy(text, hash, 65);
	g_free(hash);
	out_fini(&config);
}

bool
machine_is_ram(const struct machine *m, pa_t at, uint64_t len)
{
	return phys_is_ram(m->phys, at, len, ram_end(m->ram));
}

/* --- boot ---------------------------------------------------------------- */

/* Those of tasks' memory, or those of pages. */
static bool
boot_sysctls(struct machine *m, bool tasks, char **error)
{
	const GArray *settings = m->config->sysctls;

	for (unsigned int i = 0; settings && i < settings->len; i++) {
		const struct sysctl_setting *s =
			&g_array_index(settings, struct sysctl_setting, i);
		struct refusal r;
		int err = tasks ? vm_sysctl_write(m->vm, s->name, s->value, &r)
				: sysctl_write(m->phys, s->name, s->value, &r);

		if (err && err != -ENOENT) {
			*error = g_strdup_printf("%s: [vm] %s: %s",
						 m->config->source, s->name,
						 r.sentence);
			return false;
		}
	}
	return true;
}

/* Where bytes end: memory that mem= keeps from the kernel is there too, for
 * those who ioremap it. */
static pa_t
bytes_end(const struct phys *phys)
{
	const GArray *map = phys->config->firmware;
	pfn_t end = phys->max_pfn;

	for (guint i = 0; i < map->len; i++) {
		const struct firmware_range *f =
			&g_array_index(map, struct firmware_range, i);
		pfn_t pfn = f->range.end >> phys->page_shift;

		if (f->type == E820_USABLE && pfn <= phys->arch->pfn_limit)
			end = MAX_OF(end, pfn);
	}
	return end << phys->page_shift;
}

static bool
boot_phys(struct machine *m, char **error)
{
	char why[256] = "";

	m->phys = phys_boot(&m->config->phys, &m->trace, &m->now_ns, phys_says,
			    m, why, sizeof(why));
	if (!m->phys) {
		*error = g_strdup_printf("%s: %s", m->config->source, why);
		return false;
	}
	m->phys->fail_page_alloc.random = m->config->seed;
	m->ram = ram_new(bytes_end(m->phys), m->config->ram_limit);
	return true;
}

static void
boot_slab(struct machine *m)
{
	enum arch_id arch = m->config->phys.arch;
	bool small = arch == ARCH_I386 || arch == ARCH_I386_PAE;

	m->symbols = symbols_new(small ? TEXT_32 : TEXT_64, FUNCTION_SIZE);
	m->slab = slab_boot(&m->config->slab, m->phys, m->ram, m->symbols);
	m->caches = cache_table_new(m->slab);
	m->mempools = mempools_new(m->slab);
	m->percpu = percpu_boot(&m->config->percpu, m->phys, m->ram);
	m->runners = runners_new();
}

/* A task's record is made, or goes: its directories too. */
static void
task_changed(void *user, struct task *t, bool gone)
{
	char pid[16];

	(void)gone;
	g_snprintf(pid, sizeof(pid), "%d", t->pid);
	machine_tell_entry(user, ENTRY_TASK, NULL, pid);
	machine_tell_entry(user, ENTRY_PROC, NULL, pid);
	/* It stands among the threads of each of its group; the first thread
	 * comes first and goes last. */
	for (const struct task *o = t->tgid == t->pid ? t : task_next(t->vm, 0);
	     o; o = t->tgid == t->pid ? NULL : task_next(t->vm, o->pid))
		if (o->tgid == t->tgid)
			machine_tell_entry(user, ENTRY_THREAD,
					   &(uint64_t){(uint64_t)o->pid}, pid);
	if (t->name)
		machine_tell_entry(user, ENTRY_TASKNAME, NULL, t->name);
}

static void
vm_panics(void *user, const char *why)
{
	machine_panic(user, "%s", why);
}

static void
boot_vm(struct machine *m)
{
	struct vm_config config = m->config->vm;

	config.printk = phys_says;
	config.printk_user = m;
	config.kernel = &m->config->kernel;
	m->vm = vm_boot(m->phys, m->ram, m->symbols, &config);
	m->vm->hooks.user = m;
	mmu_reports_attach(m);
	m->vm->hooks.task_changed = task_changed;
	m->vm->hooks.panic = vm_panics;
	kernel_glue_percpu(m);
	m->areas = area_table_new(m);
}

/* The machine file stands beside the journal, to be mounted again by. */
static bool
keep_config(const struct machine *m, const char *dir, char **error)
{
	char *path = g_build_filename(dir, STATE_MACHINE, NULL);
	struct out config = OUT_INIT;
	GError *failure = NULL;
	bool ok = true;

	config_print(m->config, &config);
	if (!g_file_test(path, G_FILE_TEST_EXISTS) &&
	    !g_file_set_contents(path, out_text(&config), (gssize)config.len,
				 &failure)) {
		*error = g_strdup(failure->message);
		g_error_free(failure);
		ok = false;
	}
	out_fini(&config);
	g_free(path);
	return ok;
}

/* trace_event= of the kernel's arguments: @names, with commas between. */
static void
boot_trace_events(struct machine *m, const char *names)
{
	char **all = g_strsplit(names, ",", -1);

	for (char **name = all; *name; name++) {
		uint32_t events = trace_events(*name);

		m->trace.enabled |= events;
		if (!events && **name)
			machine_printk(m, "Failed to enable trace event: %s",
				       *name);
	}
	g_strfreev(all);
}

/* As in the kernel the last argument counts alone: setup_trace_event() keeps
 * one text. */
static void
boot_trace(struct machine *m)
{
	const char *at = m->config->cmdline, *start;
	char *names = NULL, *word;

	trace_init(&m->trace, TRACE_RECORDS);
	while ((word = kernel_args_next(&at, &start))) {
		const char *value = kernel_args_behind(word, "trace_event=");

		if (value) {
			g_free(names);
			names = g_strdup(value);
		}
		g_free(word);
	}
	if (names)
		boot_trace_events(m, names);
	g_free(names);
}

static bool
boot_journal(struct machine *m, const char *dir, char **error)
{
	char hash[65];

	machine_hash(m, hash);
	m->journal = journal_open(dir, hash, error);
	if (!m->journal)
		return false;
	if (!dir)
		return true;
	return keep_config(m, dir, error) && !journal_replay_own(m, error);
}

struct machine *
machine_boot(struct machine_config *config, const char *state_dir, char **error)
{
	struct machine *m = g_new0(struct machine, 1);

	m->config = config;
	m->random = config->seed;
	g_queue_init(&m->error_log.lines);
	m->error_log.most = ERROR_LOG_ENTRIES;
	g_queue_init(&m->answers.lines);
	m->answers.most = ANSWERS;
	m->allocations = allocation_table_new();
	machine_printk(m, "Command line: %s", config->cmdline);
	boot_trace(m);
	if (!boot_phys(m, error) || !boot_sysctls(m, false, error)) {
		machine_free(m);
		return NULL;
	}
	boot_slab(m);
	boot_vm(m);
	if (!boot_sysctls(m, true, error)) {
		machine_free(m);
		return NULL;
	}
	machine_printk(m, "smp: Brought up %u node%s, %u CPU%s",
		       m->phys->nr_nodes, m->phys->nr_nodes > 1 ? "s" : "",
		       m->phys->nr_cpus, m->phys->nr_cpus > 1 ? "s" : "");
	if (!boot_journal(m, state_dir, error)) {
		machine_free(m);
		return NULL;
	}
	return m;
}

void
machine_free(struct machine *m)
{
	if (!m)
		return;
	journal_close(m->journal);
	replay_free(m->replay, m->phys ? m->phys->nr_cpus : 0);
	allocation_table_free(m->allocations);
	cache_table_free(m->caches);
	g_free(m->slab_lab);
	g_free(m->cost_lab);
	g_free(m->meltdown_lab);
	runners_free(m->runners);
	area_table_free(m->areas);
	if (m->percpu)
		m->percpu->space = (struct percpu_space){0};
	vm_free(m->vm);
	percpu_free(m->percpu);
	mempools_free(m->mempools);
	slab_common_free(m->slab);
	symbols_free(m->symbols);
	if (m->phys)
		phys_free(m->phys);
	ram_free(m->ram);
	trace_fini(&m->trace);
	g_queue_clear_full(&m->error_log.lines, g_free);
	g_queue_clear_full(&m->answers.lines, g_free);
	out_fini(&m->dmesg);
	g_free(m->story);
	config_free(m->config);
	g_free(m);
}
