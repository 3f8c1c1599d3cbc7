#!/usr/bin/env bats
# What a debugged cache notices, as a user provokes it.

load common

setup() {
	new_mountpoint
}

address() { # NAME: its place in ram
	value physical "$mnt/allocations/$1/info"
}

offset_of() { # CACHE: of the free pointer
	cat "$mnt/slab/$1/offset"
}

poke() { # ADDRESS BYTES-AS-PRINTF
	# shellcheck disable=SC2059 # the bytes are escapes
	printf "$2" | dd of="$mnt/ram" bs=1 seek=$(($1)) conv=notrunc status=none
}

findings() { # CACHE: what validate answers
	kmemfs-do "$mnt" slab/validate "$1"
}

said() { # TEXT
	grep -qF "$1" "$mnt/dmesg" || {
		cat "$mnt/dmesg" >&2
		return 1
	}
}

# A machine like slub-debug, other kernels' arguments or versions.
mount_with() { # CMDLINE [SLAB-LINE]
	printf '[machine]\narch = x86-64\ncpus = 2\nmemory = 64M\ncmdline = %s\n[slab]\n%s\n' \
		"$1" "${2:-}" > "$BATS_TEST_TMPDIR/machine.ini"
	mount_machine "$BATS_TEST_TMPDIR/machine.ini"
}

# --- the session ---------------------------------------------------------------

@test "a byte written past an object is found by validate, and put right" {
	mount_machine slub-debug
	slab kmalloc 100 name=msg
	[ -s "$mnt/allocations/msg/why" ]
	printf X | dd of="$mnt/allocations/msg/data" bs=1 seek=128 status=none
	run grep BUG "$mnt/dmesg"
	[ "$status" -eq 1 ]
	echo 1 > "$mnt/sys/kernel/slab/kmalloc-128/validate"
	said "BUG kmalloc-128 (Not tainted): Right Redzone overwritten"
	said "First byte 0x58 instead of 0xcc"
	said "FIX kmalloc-128: Restoring Right Redzone 0x"
	said "Allocated in "
	[ "$(findings kmalloc-128)" = findings=0 ]
	# 28 bytes past the request are the object's own.
	printf X | dd of="$mnt/allocations/msg/data" bs=1 seek=127 status=none
	[ "$(findings kmalloc-128)" = findings=0 ]
}

@test "a second free is named and not done" {
	mount_machine slub-debug
	slab kmem_cache_create task 200 flags=SLAB_STORE_USER
	slab kmem_cache_alloc task name=a caller=fork
	slab kmem_cache_alloc task name=b
	at=$(value address "$mnt/allocations/a/info")
	slab kmem_cache_free task a caller=exit
	slab kmem_cache_free task "$at"
	said "BUG task (Not tainted): Object already free"
	grep -Eq 'Allocated in fork\+0x0/0x[0-9a-f]+ age=[0-9]+ cpu=0 pid=1$' \
		"$mnt/dmesg"
	grep -Eq 'Freed in exit\+0x0/0x[0-9a-f]+ age=[0-9]+ cpu=0 pid=1$' \
		"$mnt/dmesg"
	said "FIX task: Object at $at not freed"
	[ "$(findings task)" = findings=0 ]
}

@test "a write after free is noticed when the object would be given out" {
	mount_machine slub-debug
	slab kmalloc 100 name=keep
	slab kmalloc 100 name=gone
	at=$(address gone)
	slab kfree gone
	poke "$at" 'Z'
	slab kmalloc 100 name=next
	said "BUG kmalloc-128 (Not tainted): Poison overwritten"
	said "First byte 0x5a instead of 0x6b"
	said "FIX kmalloc-128: Marking all objects used"
	[ "$(address next)" != "$at" ]
}

@test "a cache that is destroyed while used tells whose objects are left" {
	mount_machine slub-debug
	slab kmem_cache_create task 200
	slab kmem_cache_alloc task name=a caller=leaker
	fails_with "busy" rmdir "$mnt/slab/task"
	said "Objects remaining in task on __kmem_cache_shutdown()"
	said "Allocated in leaker+0x0/"
	[ -d "$mnt/slab/task" ]
}

# --- slub_kunit ----------------------------------------------------------------

# A cache of 64 bytes with FLAGS, and its object "p".
scenario() { # CACHE FLAGS
	slab kmem_cache_create "$1" 64 "flags=$2,SLAB_NO_USER_FLAGS"
	slab kmem_cache_alloc "$1" name=p
	p=$(address p)
}

@test "the five scenarios of slub_kunit give its counts of errors" {
	mount_with ""
	s=TestSlub_RZ_alloc
	scenario $s SLAB_RED_ZONE
	poke $((p + 64)) '\x12'
	[ "$(findings $s)" = findings=2 ]
	slab kmem_cache_free $s p
	rmdir "$mnt/slab/$s"

	s=TestSlub_next_ptr_free
	scenario $s SLAB_POISON
	at=$((p + $(offset_of $s)))
	slab kmem_cache_free $s p
	word=$BATS_TEST_TMPDIR/word
	tail -c +$((at + 1)) "$mnt/ram" | head -c 8 > "$word"
	was=$(od -An -tu1 -N1 "$word")
	poke $at "\\x$(printf %02x $((was ^ 255)))"
	[ "$(findings $s)" = findings=3 ]
	dd if="$word" of="$mnt/ram" bs=8 count=1 oflag=seek_bytes seek=$at \
		conv=notrunc status=none
	[ "$(findings $s)" = findings=2 ]
	[ "$(findings $s)" = findings=0 ]
	rmdir "$mnt/slab/$s"

	s=TestSlub_1th_word_free
	scenario $s SLAB_POISON
	slab kmem_cache_free $s p
	poke "$p" '\x78'
	[ "$(findings $s)" = findings=2 ]
	rmdir "$mnt/slab/$s"

	s=TestSlub_50th_word_free
	scenario $s SLAB_POISON
	slab kmem_cache_free $s p
	poke $((p + 50)) '\x9a'
	[ "$(findings $s)" = findings=2 ]
	rmdir "$mnt/slab/$s"

	s=TestSlub_RZ_free
	scenario $s SLAB_RED_ZONE
	slab kmem_cache_free $s p
	poke $((p + 64)) '\xab'
	[ "$(findings $s)" = findings=2 ]
	rmdir "$mnt/slab/$s"
}

@test "kmalloc's own red zone is a later kernel's" {
	mount_with slub_debug=ZU "kernel = 6.2"
	slab kmalloc 18 name=p
	poke $(($(address p) + 18)) '\xab\xab'
	[ "$(findings kmalloc-32)" = findings=2 ]
	said "BUG kmalloc-32 (Not tainted): kmalloc Redzone overwritten"
	unmount_all
	mount_with slub_debug=ZU
	slab kmalloc 18 name=p
	poke $(($(address p) + 18)) '\xab\xab'
	[ "$(findings kmalloc-32)" = findings=0 ]
}

# --- slub_debug= ---------------------------------------------------------------

@test "slub_debug= can name the caches that it is for" {
	mount_with "slub_debug=P,kmalloc-64;Z,task*"
	[ "$(cat "$mnt/sys/kernel/slab/kmalloc-64/poison")" = 1 ]
	[ "$(cat "$mnt/sys/kernel/slab/kmalloc-64/red_zone")" = 0 ]
	slab kmem_cache_create task_struct 500
	[ "$(cat "$mnt/sys/kernel/slab/task_struct/red_zone")" = 1 ]
	slab kmalloc 50 name=p
	at=$(address p)
	# 0x6b is what a new object is full of.
	[ "$(head -c 3 "$mnt/allocations/p/data")" = kkk ]
	slab kfree p
	poke $((at + 1)) x
	[ "$(findings kmalloc-64)" = findings=2 ]
	slab kmalloc 200 name=other
	run kmemfs-do "$mnt" slab/validate kmalloc-256
	[ "$status" -eq 22 ]
}

@test "debugfs tells whose the objects are" {
	mount_with "slub_debug=U,kmalloc-128"
	slab kmalloc 100 name=p caller=reader
	slab kmalloc 100 name=q caller=reader
	slab kmalloc 128 name=r caller=writer
	[ "$(ls "$mnt/sys/kernel/debug/slab")" = kmalloc-128 ]
	run cat "$mnt/sys/kernel/debug/slab/kmalloc-128/alloc_traces"
	[[ "${lines[0]}" =~ ^\ +2\ reader\+0x0/0x[0-9a-f]+\ waste=56/28\ age=0\ pid=1 ]]
	[[ "$output" == *" 1 writer+0x0/"* ]]
	grep -q "<not-available>" \
		"$mnt/sys/kernel/debug/slab/kmalloc-128/free_traces"
}

@test "SLAB_TRACE tells of each use" {
	mount_with "slub_debug=T,kmalloc-64"
	slab kmalloc 50 name=p caller=reader
	slab kfree p
	grep -Eq 'TRACE kmalloc-64 alloc 0x[0-9a-f]{16} inuse=1 fp=0x' "$mnt/dmesg"
	grep -Eq 'TRACE kmalloc-64 free 0x[0-9a-f]{16} inuse=1 fp=0x' "$mnt/dmesg"
	said " reader+0x0/"
}
