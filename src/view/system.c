// SPDX-License-Identifier: MIT
/*
 * system.c - files of /proc that say what the system as a whole is and does
 *
 * What it models: /proc/stat, uptime, loadavg, version, swaps, filesystems,
 * mounts, pressure and sys/kernel of Linux 6.1, as far as tools demand them.
 * Always true: time passes between ops and not in tasks, so all of it was idle,
 * on each CPU that is online, and load averages stay 0.
 */
#include "kmemfs/phys/sysctl.h"
#include "kmemfs/show.h"

#include "kmemfs/base/epoch.h"
#include "kmemfs/view/kernel.h"
#include "kmemfs/view/sums.h"
#include "kmemfs/vm/sysctl.h"

#define NS_PER_SECOND 1000000000ULL
#define NS_PER_TICK 10000000ULL /* USER_HZ is 100 */
#define STAT_COLUMNS 10
#define NR_SOFTIRQS 10

static uint64_t
cpus_online(const struct phys *phys)
{
	uint64_t nr = 0;

	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++)
		nr += phys->cpu_online[cpu];
	return nr;
}

/* Tasks in @state; NR_TASK_STATES: in any but a zombie's. */
static uint64_t
tasks_in(const struct vm *vm, enum task_state state)
{
	uint64_t nr = 0;

	for (const struct task *t = task_next(vm, 0); t;
	     t = task_next(vm, t->pid))
		nr += state == NR_TASK_STATES ? t->state != TASK_ZOMBIE
					      : t->state == state;
	return nr;
}

static uint64_t
switches(const struct vm *vm)
{
	uint64_t nr = 0;

	for (unsigned int cpu = 0; cpu < vm->nr_cpus; cpu++)
		nr += vm->cpu[cpu].switches;
	return nr;
}

/* user nice system idle iowait irq softirq steal guest guest_nice */
static void
put_cpu(struct out *out, uint64_t idle)
{
	for (int column = 0; column < STAT_COLUMNS; column++) {
		out_char(out, ' ');
		out_u64(out, column == 3 ? idle : 0);
	}
	out_char(out, '\n');
}

void
show_proc_stat(const struct view *v, struct out *out)
{
	const struct phys *phys = v->m->phys;
	uint64_t ticks = v->m->now_ns / NS_PER_TICK;

	out_str(out, "cpu ");
	put_cpu(out, ticks * cpus_online(phys));
	for (unsigned int cpu = 0; cpu < phys->nr_cpus; cpu++) {
		if (!phys->cpu_online[cpu])
			continue;
		out_str(out, "cpu");
		out_u64(out, cpu);
		put_cpu(out, ticks);
	}
	put_counter(out, "intr", 0);
	put_counter(out, "ctxt", switches(v->m->vm));
	put_counter(out, "btime", EPOCH_SECONDS);
	put_counter(out, "processes", 1 + v->m->vm->forks);
	put_counter(out, "procs_running", tasks_in(v->m->vm, TASK_RUNNING));
	put_counter(out, "procs_blocked", 0);
	out_str(out, "softirq 0");
	for (int i = 0; i < NR_SOFTIRQS; i++)
		out_str(out, " 0");
	out_char(out, '\n');
}

static void
put_seconds(struct out *out, uint64_t ns)
{
	uint64_t hundredths = ns / NS_PER_TICK;

	out_u64(out, hundredths / 100);
	out_char(out, '.');
	out_char(out, (char)('0' + hundredths / 10 % 10));
	out_char(out, (char)('0' + hundredths % 10));
}

void
show_uptime(const struct view *v, struct out *out)
{
	put_seconds(out, v->m->now_ns);
	out_char(out, ' ');
	put_seconds(out, v->m->now_ns / NS_PER_TICK * NS_PER_TICK *
				 cpus_online(v->m->phys));
	out_char(out, '\n');
}

void
show_loadavg(const struct view *v, struct out *out)
{
	const struct vm *vm = v->m->vm;

	out_printf(out, "0.00 0.00 0.00 %llu/%llu %d\n",
		   (unsigned long long)tasks_in(vm, TASK_RUNNING),
		   (unsigned long long)tasks_in(vm, NR_TASK_STATES),
		   vm->last_pid);
}

void
show_proc_version(const struct view *v, struct out *out)
{
	out_printf(out, "Linux version %s (kmemfs@%s) (%s) #1 SMP\n",
		   KERNEL_RELEASE, v->m->config->hostname,
		   v->m->phys->arch->name);
}

void
show_swaps(const struct view *v, struct out *out)
{
	(void)v;
	out_str(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
}

static const struct {
	const char *type;
	const char *at;
	const char *options;
} mounted[] = {
	{"proc",	 "/proc",		  "rw,relatime"},
	{"sysfs",	  "/sys",		  "rw,relatime"},
	{"debugfs", "/sys/kernel/debug", "rw,relatime"},
};

void
show_filesystems(const struct view *v, struct out *out)
{
	(void)v;
	for (size_t i = 0; i < ARRAY_SIZE(mounted); i++) {
		out_str(out, "nodev\t");
		out_str(out, mounted[i].type);
		out_char(out, '\n');
	}
}

void
show_mounts(const struct view *v, struct out *out)
{
	(void)v;
	for (size_t i = 0; i < ARRAY_SIZE(mounted); i++)
		out_printf(out, "%s %s %s %s 0 0\n", mounted[i].type,
			   mounted[i].at, mounted[i].type, mounted[i].options);
}

void
show_pressure(const struct view *v, struct out *out)
{
	(void)v;
	out_str(out, "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
		     "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
}

/* --- sys/kernel --- */

void
show_kernel_osrelease(const struct view *v, struct out *out)
{
	(void)v;
	out_str(out, KERNEL_RELEASE "\n");
}

void
show_kernel_ostype(const struct view *v, struct out *out)
{
	(void)v;
	out_str(out, "Linux\n");
}

void
show_kernel_hostname(const struct view *v, struct out *out)
{
	out_str(out, v->m->config->hostname);
	out_char(out, '\n');
}

/* kernel/pid.c:pid_idr_init: 1024 PIDs for each CPU, but 32768 at least. */
void
show_kernel_pid_max(const struct view *v, struct out *out)
{
	uint64_t wish = 1024ULL * v->m->phys->nr_cpus;

	put_value(out, MIN_OF(MAX_OF(wish, 32768), 4ULL << 20));
}

/* kernel/fork.c:set_max_threads: stacks may take an eighth of memory. */
void
show_kernel_threads_max(const struct view *v, struct out *out)
{
	const struct phys *phys = v->m->phys;
	uint64_t stack = phys->arch->struct_page_size < 64 ? KIB(8) : KIB(16);
	uint64_t bytes = sum_managed(phys, NULL) << phys->page_shift;

	put_value(out, MIN_OF(MAX_OF(bytes / (stack * 8), 20), 0x3fffffff));
}

/* --- sys/vm --- */

void
show_sysctl(const struct view *v, struct out *out)
{
	if (!sysctl_show(v->m->phys, v->name, out))
		vm_sysctl_show(v->m->vm, v->name, out);
}
