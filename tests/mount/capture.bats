#!/usr/bin/env bats
# A host, and hosts that are models themselves, become machines and stay what
# they are.

load common

setup() {
	root=$BATS_TEST_TMPDIR/root
}

capture() { # ROOT: machine.ini of what is below it
	sh "$bin/kmemfs-capture" --root "$1" \
		> "$BATS_TEST_TMPDIR/machine.ini"
	machine=$BATS_TEST_TMPDIR/machine.ini
}

# Put /proc and /sys of machine $1, after the lines of a script on standard
# input, below $root, which is new.
export_machine() {
	mkdir -p "$root"
	{
		cat
		echo "export $root"
	} | kmem --machine "$1" > /dev/null
}

# Make $root what an ordinary user sees.
hide_from_users() {
	rm "$root/proc/kpageflags" "$root/proc/pagetypeinfo"
	sed -i 's/^\( *\)[0-9a-f]*-[0-9a-f]* :/\100000000-00000000 :/' \
		"$root/proc/iomem"
}

# Zones, their sizes and limits; not what moves or differs between kernels.
limits() {
	awk '$1 == "Node" { zone = $2 $4 }
		$1 ~ /^(min|low|high|spanned|start_pfn:)$/ ||
		/protection/ { text[zone] = text[zone] " " $0 }
		$1 ~ /^(present|managed)$/ {
			text[zone] = text[zone] " " $0
			if ($2) used[zone] = 1
		}
		END { for (z in used) print z text[z] }' | sort
}

same_limits() { # FILE: as the machine's
	limits < "$1" > "$BATS_TEST_TMPDIR/want"
	kmem --machine "$machine" cat proc/zoneinfo | limits |
		diff "$BATS_TEST_TMPDIR/want" -
}

# Ditto of this host, whose limits may have been made by what cannot be known;
# then the capture says so, and only sizes are compared.
same_as_host() {
	if grep -qE '^# (watermarks|protection) ' "$machine"; then
		limits() {
			grep -E '^Node|spanned|present|managed|start_pfn' |
				sed '/^Node.*\(Movable\|Device\)$/,$d'
		}
	fi
	same_limits /proc/zoneinfo
}

obeys_laws() {
	kmem --machine "$machine" verify
	kmem --machine "$machine" cat machine/config > "$machine.again"
	kmem --machine "$machine.again" cat machine/config |
		cmp - "$machine.again"
}

# What a capture says it has read is what its model has.
as_read() {
	sed -n 's/^# buddyinfo: //p' "$machine" > "$BATS_TEST_TMPDIR/read"
	[ -s "$BATS_TEST_TMPDIR/read" ]
	kmem --machine "$machine" cat proc/buddyinfo |
		diff "$BATS_TEST_TMPDIR/read" -
	! grep -q 'pages fewer are on per-cpu lists' "$machine" || return 0
	sed -n 's/^# pageset: //p' "$machine" > "$BATS_TEST_TMPDIR/read"
	kmem --machine "$machine" cat proc/zoneinfo | pagesets |
		diff "$BATS_TEST_TMPDIR/read" -
}

# How many pages are on per-cpu lists.
pagesets() {
	awk '$1 == "Node" { zone = "node " ($2 + 0) " " $4 }
		$1 == "cpu:" { cpu = $2 }
		$1 == "count:" && $2 { print zone, "cpu", cpu, $2 }'
}

some_work() {
	cat <<-'END'
	do page/alloc_pages GFP_KERNEL 3 name=a1
	do page/alloc_pages GFP_KERNEL 0 name=a2
	do page/alloc_pages GFP_HIGHUSER_MOVABLE 5 name=a3
	do page/alloc_pages GFP_KERNEL|__GFP_RECLAIMABLE 4 name=a4
	do page/alloc_pages GFP_HIGHUSER_MOVABLE 9 name=a5
	do page/free_pages a3
	do page/free_pages a2
	END
}

@test "this host becomes a machine with its zones, limits and free blocks" {
	capture ""
	# A host that gives back or takes memory meanwhile is asked again.
	same_as_host || {
		capture ""
		same_as_host
	}
	as_read
	obeys_laws
}

@test "this host's free blocks are in the places that its page flags show" {
	[ -r /proc/kpageflags ] || skip "takes root"
	capture ""
	moved=$(sed -n 's/^# \([0-9]*\) free blocks changed.*/\1/p' "$machine")
	blocks=$(awk '/^# buddyinfo/ { for (i = 7; i <= NF; i++) n += $i }
		END { print n }' "$machine")
	# The host moves on while it is read, but most of it stays.
	[ "${moved:-0}" -lt "$blocks" ]
	grep -q '^\[pageblocks\]' "$machine"
	for flags in /proc/kpageflags \
		<(kmem --machine "$machine" cat proc/kpageflags); do
		# one frame of each pageblock: free or not (bit 10)
		od -A n -v -t x8 -w4096 "$flags" |
			awk '{ print $1 ~ /[4567cdef]..$/ }' \
				> "$BATS_TEST_TMPDIR/free.$((++n))"
	done
	paste "$BATS_TEST_TMPDIR"/free.[12] | awk 'NF == 2 { all++ }
		NF == 2 && $1 == $2 { same++ }
		END { print same, all; exit same < 0.9 * all }'
}

@test "an ordinary user gets a machine too, and is told what is missing" {
	[ "$(id -u)" -eq 0 ] || skip "takes root to become somebody else"
	command -v setpriv > /dev/null || skip "setpriv is not installed"
	machine=$BATS_TEST_TMPDIR/machine.ini
	setpriv --reuid 65534 --regid 65534 --clear-groups sh -s \
		< "$bin/kmemfs-capture" > "$machine"
	grep -q '^# proc/iomem shows no addresses' "$machine"
	grep -q '^# proc/kpageflags cannot be read' "$machine"
	grep -q '^# proc/pagetypeinfo cannot be read' "$machine"
	same_as_host
	as_read
	obeys_laws
}

@test "captured models have the same zones, free blocks, types and limits" {
	for m in default numa-4 uma-small i386-highmem i386-pae embedded; do
		some_work | export_machine "$m"
		capture "$root"
		same_limits "$root/proc/zoneinfo"
		for file in buddyinfo pagetypeinfo; do
			kmem --machine "$machine" cat "proc/$file" |
				diff "$root/proc/$file" -
		done
		obeys_laws
		rm -r "$root"
	done
}

# Every other used frame of $root is reserved, the others are marked as nothing.
scatter_reserved() {
	od -An -v -tx8 -w8 "$root/proc/kpageflags" | awk '
		{
			free = index("4567cdef", substr($1, 14, 1))
			hole = index("13579bdf", substr($1, 11, 1))
			if (free || hole)
				for (i = 15; i > 0; i -= 2)
					printf "\\x%s", substr($1, i, 2)
			else
				printf "%s%s", "\\0\\0\\0\\0",
					(NR % 2 ? "\\1" : "\\0") "\\0\\0\\0"
		}' > "$BATS_TEST_TMPDIR/bytes"
	printf "$(< "$BATS_TEST_TMPDIR/bytes")" > "$root/proc/kpageflags"
}

@test "a host whose reserved frames lie scattered is captured in seconds" {
	config=$BATS_TEST_TMPDIR/wide.ini
	printf '[machine]\narch = x86-64\nmemory = 320M\n' > "$config"
	{
		for i in {1..64}; do
			echo "do page/alloc_pages GFP_KERNEL 10"
		done
	} | export_machine "$config"
	scatter_reserved
	[ "$(stat -c %s "$root/proc/kpageflags")" -ge $((80 * 1024 * 8)) ]
	export -f capture
	export root bin BATS_TEST_TMPDIR
	timeout 60 bash -c 'capture "$root"'
	machine=$BATS_TEST_TMPDIR/machine.ini
	same_limits "$root/proc/zoneinfo"
	# What had to be reserved is still in single frames.
	[ "$(sed -n 's/^reserved = //p' "$machine" | tr ';' '\n' | wc -l)" \
		-gt 1000 ]
}

@test "pageblocks of another order are captured" {
	printf '[machine]\narch = x86-64\nmemory = 512M\npageblock-order = 7\n' \
		> "$BATS_TEST_TMPDIR/host.ini"
	some_work | export_machine "$BATS_TEST_TMPDIR/host.ini"
	capture "$root"
	grep -q '^pageblock-order = 7$' "$machine"
	same_limits "$root/proc/zoneinfo"
	kmem --machine "$machine" cat proc/pagetypeinfo |
		diff "$root/proc/pagetypeinfo" -
	obeys_laws
}

@test "captured models have as many pages on each CPU's lists" {
	for m in default numa-4 i386-highmem; do
		some_work | export_machine "$m"
		pagesets < "$root/proc/zoneinfo" > "$BATS_TEST_TMPDIR/pagesets"
		[ -s "$BATS_TEST_TMPDIR/pagesets" ]
		capture "$root"
		kmem --machine "$machine" cat proc/zoneinfo | pagesets |
			diff "$BATS_TEST_TMPDIR/pagesets" -
		hide_from_users
		capture "$root"
		kmem --machine "$machine" cat proc/zoneinfo | pagesets |
			diff "$BATS_TEST_TMPDIR/pagesets" -
		rm -r "$root"
	done
}

@test "a capture rewound through a recording is what was before it" {
	local before=$BATS_TEST_TMPDIR/before.ini

	some_work | export_machine default
	capture "$root"
	mv "$machine" "$before"
	rm -r "$root"
	{
		cat <<-'END'
		write trace/events/kmem/enable 1
		do page/alloc_pages GFP_KERNEL 4 name=b1
		do page/alloc_pages GFP_HIGHUSER_MOVABLE 2 name=b2 cpu=2
		do page/alloc_pages GFP_HIGHUSER_MOVABLE 0 name=b3
		do page/alloc_pages GFP_HIGHUSER_MOVABLE 9 name=b4
		do page/free_pages b2
		do page/free_pages b1
		END
	} | export_machine "$before"
	cp "$root/trace/trace" "$BATS_TEST_TMPDIR/recording"
	capture "$root"
	if same_lists "$before"; then false; fi
	sh "$bin/kmemfs-capture" --root "$root" \
		--rewind "$BATS_TEST_TMPDIR/recording" > "$machine"
	same_lists "$before"
	obeys_laws
	kmem --machine "$machine" replay "$BATS_TEST_TMPDIR/recording" mirror \
		> "$BATS_TEST_TMPDIR/progress"
	grep -x 'not_free 0' "$BATS_TEST_TMPDIR/progress"
	grep -x 'not_managed 0' "$BATS_TEST_TMPDIR/progress"
	grep -x 'unknown_free 0' "$BATS_TEST_TMPDIR/progress"
}

same_lists() { # MACHINE: as the one that was captured last
	kmem --machine "$1" cat proc/buddyinfo > "$BATS_TEST_TMPDIR/want"
	kmem --machine "$machine" cat proc/buddyinfo |
		diff "$BATS_TEST_TMPDIR/want" -
}

# A buffer of our own in the host's tracefs, which may not be mounted.
new_tracing() {
	[ "$(id -u)" -eq 0 ] || skip "takes root"
	tracefs=$BATS_TEST_TMPDIR/tracefs
	mkdir "$tracefs"
	mount -t tracefs none "$tracefs" 2> /dev/null || skip "no tracefs here"
	tracing=$tracefs/instances/kmemfs.$$
	mkdir "$tracing" || skip "tracefs has no instances"
	echo 50000 > "$tracing/buffer_size_kb"
}

teardown() {
	[ -z "${tracing-}" ] || rmdir "$tracing" || true
	[ -z "${tracefs-}" ] || umount "$tracefs" || true
}

@test "this host's recording is mirrored from its own start" {
	new_tracing
	local event progress=$BATS_TEST_TMPDIR/progress

	echo 0 > "$tracing/tracing_on" # until all kinds of events are on
	for event in "$tracing"/events/kmem/mm_page_*/enable; do
		echo 1 > "$event"
	done
	echo 1 > "$tracing/tracing_on"
	for i in 1 2 3; do
		sh -c 'head -c 4000000 /dev/zero | tr "\\0" x | wc -c'
	done
	echo 0 > "$tracing/tracing_on"
	cat "$tracing/trace" > "$BATS_TEST_TMPDIR/trace.txt"
	machine=$BATS_TEST_TMPDIR/machine.ini
	sh "$bin/kmemfs-capture" --rewind "$BATS_TEST_TMPDIR/trace.txt" \
		> "$machine"
	kmem --machine "$machine" replay "$BATS_TEST_TMPDIR/trace.txt" mirror \
		> "$progress"
	obeys_laws
	# What is taken was free, or on a per-cpu list, nearly always.
	awk '{ n[$1] = $2 } END {
		print n["allocated"], n["not_free"], n["not_managed"]
		exit !(n["allocated"] > 100 && n["not_managed"] == 0 &&
		       n["not_free"] < n["allocated"] / 10) }' "$progress"
}

@test "fidelity begins with the capture that is in a recording's folder" {
	local folder=$BATS_TEST_TMPDIR/rec

	mkdir "$folder"
	some_work | export_machine default
	capture "$root"
	cp "$machine" "$folder/before.machine.ini"
	{
		echo write trace/events/kmem/enable 1
		echo do page/alloc_pages GFP_KERNEL 0 name=b1 cpu=0
		echo do page/alloc_pages GFP_KERNEL 0 name=b2 cpu=0
	} | {
		root=$root.2
		export_machine "$machine"
		cp "$root/trace/trace" "$folder/trace.txt"
		cp "$root/proc/buddyinfo" "$folder/after.buddyinfo.txt"
	}
	BUILD=$bin tests/real/fidelity "$folder" | tee "$BATS_TEST_TMPDIR/line"
	grep -q 'pcp_predicted=100.00' "$BATS_TEST_TMPDIR/line"
	grep -q 'end_blocks_different=0$' "$BATS_TEST_TMPDIR/line"
	# Without it, flags of that moment will do.
	rm "$folder/before.machine.ini"
	cp machines/default.ini "$folder/machine.ini"
	cp "$root/proc/kpageflags" "$folder/before.kpageflags"
	cp "$root/proc/zoneinfo" "$folder/before.zoneinfo.txt"
	BUILD=$bin tests/real/fidelity "$folder" | tee "$BATS_TEST_TMPDIR/line"
	grep -q 'end_blocks_different=0$' "$BATS_TEST_TMPDIR/line"
}

@test "captured by a user they have the same zones, counts and limits" {
	for m in default numa-4 uma-small i386-highmem i386-pae; do
		some_work | export_machine "$m"
		hide_from_users
		capture "$root"
		same_limits "$root/proc/zoneinfo"
		kmem --machine "$machine" cat proc/buddyinfo |
			diff "$root/proc/buddyinfo" -
		obeys_laws
		rm -r "$root"
	done
}

@test "after a recording was replayed the lists are the same" {
	echo "replay tests/data/traces/host-compile-raw/trace.txt.zst" |
		export_machine numa-4
	capture "$root"
	for file in buddyinfo pagetypeinfo; do
		kmem --machine "$machine" cat "proc/$file" |
			diff "$root/proc/$file" -
	done
	obeys_laws
}

@test "limits that were computed before late frees are kept" {
	for name in x64-1g-2cpu x64-8g-4cpu i386pae-4g-2cpu; do
		tests/real/shape-to-machine "tests/data/shapes/$name" \
			> "$BATS_TEST_TMPDIR/host.ini"
		some_work | export_machine "$BATS_TEST_TMPDIR/host.ini"
		capture "$root"
		grep -q '^freed-late = ' "$machine"
		same_limits "$root/proc/zoneinfo"
		rm -r "$root"
	done
}

@test "recorded files of real kernels give their zones and free blocks" {
	for dir in tests/data/formats/x64-* tests/data/formats/i386*; do
		mkdir -p "$root/proc"
		for file in iomem zoneinfo buddyinfo pagetypeinfo meminfo; do
			cp "$dir/$file.txt" "$root/proc/$file"
		done
		capture "$root"
		for key in present managed spanned start_pfn:; do
			awk -v key="$key" '$1 == key && $2 { print $2 }' \
				"$root/proc/zoneinfo" > "$BATS_TEST_TMPDIR/want"
			kmem --machine "$machine" cat proc/zoneinfo |
				awk -v key="$key" '$1 == key && $2 { print $2 }' |
				sort -n | diff <(sort -n "$BATS_TEST_TMPDIR/want") -
		done
		as_read
		obeys_laws
		rm -r "$root"
	done
}

# A host does not stand still: as many single pages as lie scattered already
# come free between the readings of kpageflags and buddyinfo.
@test "a host that changes much while it is read is captured in seconds" {
	printf '[machine]\narch = x86-64\nmemory = 512M\n' \
		> "$BATS_TEST_TMPDIR/host.ini"
	{
		printf 'do page/alloc_page name=p%d\n' $(seq 40000)
		printf 'rmdir allocations/p%d\n' $(seq 1 2 40000)
		printf 'do page/alloc_pages order=10 name=b%d\n' $(seq 50)
		echo "do page/drain_all_pages"
	} | export_machine "$BATS_TEST_TMPDIR/host.ini"
	rm "$root/proc/pagetypeinfo"
	sed -i '/DMA32/s/ 20000 / 40000 /' "$root/proc/buddyinfo"
	timeout 60 sh "$bin/kmemfs-capture" --root "$root" \
		> "$BATS_TEST_TMPDIR/machine.ini"
	kmem --machine "$BATS_TEST_TMPDIR/machine.ini" cat proc/buddyinfo |
		diff "$root/proc/buddyinfo" -
	grep -c DMA32.*40000 "$root/proc/buddyinfo"
}

@test "what cannot be captured is said" {
	fails_with "zoneinfo cannot be read" sh "$bin/kmemfs-capture" \
		--root "$BATS_TEST_TMPDIR"
	fails_with "usage:" sh "$bin/kmemfs-capture" --rot /
	for option in --root --rewind; do
		fails_with "usage:" sh "$bin/kmemfs-capture" $option
	done
	fails_with "to rewind takes" sh "$bin/kmemfs-capture" --root / \
		--rewind "$BATS_TEST_TMPDIR/no-such-recording"
}
