# SPDX-License-Identifier: MIT
# main.awk - all of it, in order

function remarks_of_sources() {
	if (!has_iomem)
		remark("proc/iomem shows no addresses (that takes root): " \
		       "holes are where zoneinfo and memory blocks leave room")
	if (!runs)
		remark("proc/kpageflags cannot be read (that takes root): " \
		       (has_buddy ? "as many free blocks as buddyinfo counts, " \
			"in made-up places" : "all memory is free") \
		       "; what is reserved is made up too")
	else if (moved)
		remark(moved " free blocks changed between kpageflags and " \
		       "buddyinfo: they are in made-up places")
	if (!has_types)
		remark("proc/pagetypeinfo cannot be read (that takes root): " \
		       "all free blocks are movable")
	if (cma_pages && cma_areas != 1)
		remark("the " cma_pages " pages of CMA areas are ordinary " \
		       "memory here: where they are is not to be read")
}

BEGIN {
	# mawk would write numbers of more than 31 bits with six digits.
	CONVFMT = OFMT = "%.15g"
	two[0] = 1 # some awks cannot raise to powers
	for (i = 1; i <= 40; i++)
		two[i] = 2 * two[i - 1]
	split("unmovable movable reclaimable highatomic", types, " ")
	read_facts()
	read_zones()
	read_machine()
	block_order = 9
	if (readable["pagetypeinfo"])
		read_types()
	block_pages = two[block_order]
	if (rewind)
		read_recording()
	has_flags = readable["kpageflags"] && read_flags()
	read_lists()
	if (rewind) { # the counts are those of now, not of then
		has_buddy = 0
		split("", want_type)
	}
	find_overlap()
	read_iomem()
	has_iomem = rams > 0
	if (!has_iomem)
		ram_from_zones()
	find_pieces()
	find_parts()
	fit_reserved()
	arch = find_arch()
	if (runs)
		cut_free()
	for (z = 1; z <= zones; z++) {
		if (has_buddy)
			fit_blocks(z)
		if (!runs)
			reserve_rest(z)
	}
	for (z = 1; z <= zones; z++) {
		if (has_types)
			type_blocks(z)
		type_free(z)
		if (ram_pages[z] != zp[z])
			remark("node " zn[z] " " zname[z] ": the map has " \
			       ram_pages[z] + 0 " pages, the host " zp[z])
	}
	if (runs || has_buddy)
		fill_pagesets()
	remarks_of_sources()
	if (rewind) {
		remark("rewound to the first event of " rewind)
		buddy_text = pcp_text_read = ""
	}
	cpus = find_cpus()
	arguments = cmdline()
	find_late()
	print "# " version
	printf "%s%s%s", remarks, buddy_text, pcp_text_read
	print "[machine]\narch = " arch "\ncpus = " cpus
	if (page != 4096)
		print "page-size = " page / 1024 "K"
	if (has_types && block_order >= 4 && block_order != \
	    (arch == "i386" || arch == "generic" ? 10 : 9))
		print "pageblock-order = " block_order
	if (arch == "generic" && !pcp_high)
		print "mmu = no"
	print "cmdline =" arguments
	name = read1("proc/sys/kernel/hostname")
	if (name ~ /^[A-Za-z_][A-Za-z0-9_.-]*$/)
		print "hostname = " name
	if (arch != "generic")
		print "cma = " (cma_kernel ? "yes" : "no")
	print_firmware()
	print_reserved()
	print_nodes()
	print_vm()
	if (runs || has_buddy)
		print_free()
	if (has_types)
		print_pageblocks()
	if (pcp_n && (runs || has_buddy))
		print_pagesets()
}
