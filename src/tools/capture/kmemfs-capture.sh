#!/bin/sh
# SPDX-License-Identifier: MIT
# kmemfs-capture - a Linux host as a machine file
#
#   kmemfs-capture [--root DIR] [--rewind RECORDING] > FILE
#   ssh host sh -s < kmemfs-capture | kmemfs - mnt
#
# Reads files of /proc and /sys (below DIR) and nothing else; needs a shell, awk
# and od.  The machine that is printed has the host's zones, watermarks and
# sysctls, and where /proc/kpageflags can be read, which takes root, its free
# blocks.  What could not be known is said in remarks at the top.
#
# How it works: present memory comes from iomem; what of it is reserved from
# kpageflags, corrected until each zone has as many managed pages as zoneinfo
# says.  Free blocks are the runs of free pages in kpageflags, cut as the
# kernel cuts them, corrected until buddyinfo, read right after, agrees: the
# host does not stand still meanwhile.  A page on a per-cpu list has no flag at
# all, as few others have, and zoneinfo tells how many each list has; on whose
# list it is, and where, nothing tells.  Nothing tells the type of a pageblock
# or of a free block: those that look most like it (pages of the kernel's own
# among the used ones) get it, as many as pagetypeinfo counts.
#
# With --rewind the machine is the host as it was when the recording began: what
# a frame was then is told by its first event, and by its flags when it has none.

LC_ALL=C
export LC_ALL
root=${KMEMFS_CAPTURE_ROOT-}
rewind=

usage() { # STATUS
	echo "usage: kmemfs-capture [--root DIR] [--rewind RECORDING] > FILE" >&2
	exit "$1"
}

while [ $# -gt 0 ]; do
	case $1 in
	--root)
		[ $# -gt 1 ] || usage 2
		root=$2
		shift
		;;
	--root=*) root=${1#--root=} ;;
	--rewind)
		[ $# -gt 1 ] || usage 2
		rewind=$2
		shift
		;;
	--rewind=*) rewind=${1#--rewind=} ;;
	--help) usage 0 ;;
	*) usage 2 ;;
	esac
	shift
done

if [ ! -r "$root/proc/zoneinfo" ]; then
	echo "kmemfs-capture: $root/proc/zoneinfo cannot be read" >&2
	exit 1
fi

if [ -n "$rewind" ] && ! { [ -r "$rewind" ] &&
	[ -r "$root/proc/kpageflags" ]; }; then
	echo "kmemfs-capture: to rewind takes $rewind and" \
		"$root/proc/kpageflags" >&2
	exit 1
fi

# What a shell can tell and awk cannot: which names there are, who can be read.
facts() {
	[ -r "$root/proc/kpageflags" ] && echo "readable kpageflags"
	[ -r "$root/proc/pagetypeinfo" ] && echo "readable pagetypeinfo"
	for dir in "$root"/sys/devices/system/node/node[0-9]*; do
		[ -d "$dir" ] || continue
		node=${dir##*/node}
		echo "node $node"
		for block in "$dir"/memory[0-9]*; do
			[ -e "$block" ] && echo "block $node ${block##*/memory}"
		done
	done
	for dir in "$root"/sys/kernel/debug/cma/*; do
		[ -r "$dir/base_pfn" ] && echo "cma $dir"
	done
}

facts | awk -v root="$root" -v rewind="$rewind" '
@program@
'
