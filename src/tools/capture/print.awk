# SPDX-License-Identifier: MIT
# print.awk - the machine file, group by group

function cpu_list(text,    n, i, part, ends, c, out) { # "0-2,5" as " 0 1 2 5"
	out = ""
	n = split(text, part, ",")
	for (i = 1; i <= n; i++) {
		if (split(part[i], ends, "-") < 2)
			ends[2] = ends[1]
		for (c = ends[1] + 0; c <= ends[2] + 0; c++)
			out = out " " c
	}
	return out
}

function find_cpus(    n, i, part, line, file) {
	line = read1("sys/devices/system/cpu/online")
	n = split(cpu_list(line), part, " ")
	for (i = 1; i <= n; i++)
		cpu_number[part[i]] = i - 1
	knows_cpus = n > 0
	if (n && part[n] != n - 1)
		remark("CPUs " line " of the host are numbered from 0 without gaps")
	if (!n) {
		file = root "/proc/stat"
		while ((getline line < file) > 0)
			if (line ~ /^cpu[0-9]/)
				n++
		close(file)
		n = max(n, pcp_n)
	}
	return max(n, 1)
}

function node_cpus(node,    n, i, part, out) {
	n = split(cpu_list(read1("sys/devices/system/node/node" node \
				 "/cpulist")), part, " ")
	out = ""
	for (i = 1; i <= n; i++)
		if (part[i] in cpu_number)
			out = out (out == "" ? "" : ",") cpu_number[part[i]]
	return out
}

# Arguments whose effect is in the memory map already, or is not modelled.
function kept_argument(word,    key) {
	key = word
	sub(/=.*/, "", key)
	gsub(/-/, "_", key)
	if (key ~ /^(mem|memmap|numa|cma|maxcpus|nr_cpus|possible_cpus|nosmp)$/ ||
	    key ~ /^(hugepages|hugepagesz|default_hugepagesz|hugetlb_cma)$/ ||
	    key ~ /^(hugetlb_free_vmemmap|cma_pernuma|crashkernel)$/ ||
	    key ~ /^(efi_fake_mem|page_alloc.shuffle|memhp_default_state)$/ ||
	    key ~ /^memory_hotplug\./)
		return 0
	if (key ~ /^(kernelcore|movablecore)$/)
		return word ~ /=[0-9]+[kKmMgGtT%]?$/
	if (key == "transparent_hugepage")
		return word ~ /=(always|madvise|never)$/
	return 1
}

function cmdline(    n, i, word, out, left) {
	n = split(read1("proc/cmdline"), word, " ")
	out = left = ""
	for (i = 1; i <= n; i++) {
		gsub(/[^ -~]/, "?", word[i])
		if (kept_argument(word[i]))
			out = out " " word[i]
		else
			left = left " " word[i]
	}
	if (cma_areas == 1)
		out = out " cma=" cma_count * page / 1024 "K"
	if (left != "")
		remark("left out of cmdline:" left)
	return out
}

function print_vm(    n, i, name, value, default_of) {
	default_of["watermark_scale_factor"] = "10"
	default_of["watermark_boost_factor"] = "15000"
	default_of["extfrag_threshold"] = "500"
	default_of["percpu_pagelist_high_fraction"] = "0"
	default_of["zone_reclaim_mode"] = "0"
	default_of["lowmem_reserve_ratio"] = arch == "x86-64" ? \
		ratios("256 256 32 0 0") : "256 32 0 0"
	print "\n[vm]"
	n = split("watermark_scale_factor watermark_boost_factor " \
		  "lowmem_reserve_ratio extfrag_threshold " \
		  "percpu_pagelist_high_fraction zone_reclaim_mode " \
		  "min_free_kbytes", name, " ")
	for (i = 1; i <= n; i++) {
		value = read1("proc/sys/vm/" name[i])
		if (name[i] == "min_free_kbytes" && own)
			continue
		if (value !~ /^-?[0-9][0-9 \t]*$/ ||
		    (name[i] == "zone_reclaim_mode" && arch != "x86-64"))
			continue
		if (name[i] == "lowmem_reserve_ratio") {
			value = ratios(value)
			if (value == "")
				continue
		}
		# to write the default would be to compute limits anew
		if (value == default_of[name[i]])
			continue
		print name[i] " = " value
	}
}

# A kernel without device memory has a number less.
function ratios(value,    f, n, i, most, out) {
	if (arch == "generic")
		return ""
	most = (arch == "x86-64" ? 5 : 4) - (arch == "x86-64" && cma_kernel)
	n = split(value, f, " ")
	out = f[1]
	for (i = 2; i <= n && i <= most; i++)
		out = out " " f[i]
	return out
}

function print_firmware(    i, before) {
	printf "\n[firmware]\nmap ="
	before = " "
	for (i = 1; i <= rams; i++) {
		printf "%s%s-%s usable", before, hex(ram_first[i]),
			hex(ram_last[i])
		before = "; "
	}
	for (i = 1; i <= others; i++)
		printf "; %s", other[i]
	print ""
}

function print_reserved(    p) {
	printf "\n[boot]\nreserved ="
	list_begin(" ", 1)
	for (p = 1; p <= parts; p++)
		if (part_class[p] == "R")
			list_add(part_from[p], part_to[p])
	list_done()
	print ""
	print_late()
	if (cma_areas == 1)
		print "cma = " bytes_text(cma_base, cma_base + cma_count)
}

# Unless nodes overlap, from its first frame to its last, whatever is between.
function print_node_memory(node,    p) {
	list_begin("memory = ", 1)
	for (p = 1; p <= pieces; p++)
		if (zn[piece_zone[p]] == node)
			list_add(!overlap && list_end >= 0 ? list_end : \
				 piece_start[p], piece_end[p])
	if (!list_done())
		printf "memory = "
	print ""
}

function print_nodes(    n, i, parts_, f, d) {
	knows_nodes = host_nodes > 0
	for (n = 1; n <= zones; n++) # where /sys is not to be read
		host_nodes = max(host_nodes, zn[n] + 1)
	if (host_nodes < 2)
		return
	for (n = 0; n < host_nodes; n++) {
		print "\n[node " n "]"
		print_node_memory(n)
		if (knows_nodes)
			print "cpus = " node_cpus(n)
		parts_ = split(read1("sys/devices/system/node/node" n \
				     "/distance"), f, " ")
		if (parts_ != host_nodes)
			continue
		d = f[1]
		for (i = 2; i <= parts_; i++)
			d = d "; " f[i]
		print "distances = " d
	}
}

# Ascending, as the parts are; blocks that touch are one range.  Blocks that
# were moved to make the sums right come last.
function print_free(    t, z, k, i, at, n) {
	print "\n[free]"
	split("", listed)
	n = 0
	for (z = 1; z <= zones; z++)
		for (k = 0; k <= 10; k++)
			for (i = 1; i <= blocks[z, k]; i++)
				listed[++n] = block_list[z, k, i]
	sort_numbers(n)
	types[5] = "cma"
	for (t = 1; t <= 5; t++) {
		list_begin(types[t] " = ", 0)
		for (i = 1; i <= n; i++) {
			at = listed[i]
			if (free_type["b" at] == types[t])
				list_add(at, at + two[free_at["b" at]])
		}
		if (list_done())
			print ""
	}
}

# listed[1..n], ascending: a heap.
function sort_numbers(n,    i, t) {
	for (i = int(n / 2); i >= 1; i--)
		sift(i, n)
	for (i = n; i > 1; i--) {
		t = listed[1]
		listed[1] = listed[i]
		listed[i] = t
		sift(1, i - 1)
	}
}

function sift(i, n,    j, t) {
	t = listed[i]
	while ((j = 2 * i) <= n) {
		if (j < n && listed[j + 1] > listed[j])
			j++
		if (listed[j] <= t)
			break
		listed[i] = listed[j]
		i = j
	}
	listed[i] = t
}

function print_pageblocks(    t, b, p, last) {
	print "\n[pageblocks]"
	for (t = 1; t <= 4; t++) {
		if (types[t] == "movable")
			continue
		list_begin(types[t] " = ", 0)
		last = -1
		for (p = 1; p <= parts; p++)
			for (b = int(part_from[p] / block_pages);
			     b * block_pages < part_to[p]; b++) {
				if (b == last)
					continue
				last = b
				if (b in block_type && block_type[b] == types[t])
					list_add(b * block_pages,
						 (b + 1) * block_pages)
			}
		if (list_done())
			print ""
	}
}
