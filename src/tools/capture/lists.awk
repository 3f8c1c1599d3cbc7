# SPDX-License-Identifier: MIT
# lists.awk - free and per-cpu lists, as the host counts them

# want[z, order]
function read_buddyinfo(    file, line, f, n, i, z, k) {
	file = root "/proc/buddyinfo"
	buddy_text = ""
	split("", want)
	while ((getline line < file) > 0) {
		n = split(line, f, " ")
		buddy_text = buddy_text "# buddyinfo: " line "\n"
		z = zone_of[f[2] + 0, f[4]]
		for (i = 5; i <= n && z; i++) {
			k = min(i - 5, 10)
			want[z, k] += f[i] * two[i - 5 - k]
		}
	}
	close(file)
	return buddy_text != ""
}

# want_type[z, type, order], blocks_of[z, type]
function read_types(    file, line, f, n, i, z, k, head) {
	file = root "/proc/pagetypeinfo"
	split("", want_type)
	split("", blocks_of)
	head = 0
	while ((getline line < file) > 0) {
		gsub(/[,>]/, " ", line)
		n = split(line, f, " ")
		if (line ~ /^Page block order/) {
			block_order = f[4]
		} else if (line ~ /^Number of blocks type/) {
			head = n
			for (i = 5; i <= n; i++)
				type_name[i] = tolower(f[i])
		} else if (f[1] == "Node" && f[5] == "type") {
			z = zone_of[f[2] + 0, f[4]]
			for (i = 7; i <= n && z; i++) {
				k = min(i - 7, 10)
				want_type[z, tolower(f[6]), k] += \
					f[i] * two[i - 7 - k]
			}
		} else if (f[1] == "Node" && head) {
			z = zone_of[f[2] + 0, f[4]]
			for (i = 5; i <= n && z; i++)
				blocks_of[z, type_name[i]] = f[i]
		}
	}
	close(file)
	return head > 0
}

# pcp_count[z, cpu]: pages on the list of the host cpu, pcp_cpus[1..pcp_n]
function read_pagesets(    file, line, f, z, cpu) {
	file = root "/proc/zoneinfo"
	z = 0
	pcp_text_read = ""
	split("", pcp_count)
	while ((getline line < file) > 0) {
		split(line, f, " ")
		if (f[1] == "Node") {
			z = zone_of[f[2] + 0, f[4]]
		} else if (f[1] == "cpu:") {
			cpu = f[2] + 0
			if (!(cpu in pcp_seen))
				pcp_cpus[++pcp_n] = cpu
			pcp_seen[cpu] = 1
		} else if (f[1] == "count:" && z) {
			pcp_count[z, cpu] = f[2]
			if (f[2] > 0)
				pcp_text_read = pcp_text_read "# pageset: node " \
					zn[z] " " zname[z] " cpu " cpu " " \
					f[2] "\n"
		}
	}
	close(file)
}

# All at one moment, if that can be had.
function read_lists(    tries, same, i, part, sum) {
	has_types = readable["pagetypeinfo"] && read_types()
	has_buddy = read_buddyinfo()
	for (tries = 0; has_types && tries < 5; tries++) {
		split("", sum)
		for (i in want_type) {
			split(i, part, SUBSEP)
			sum[part[1], part[3]] += want_type[i]
		}
		same = 1
		for (i in want)
			if (want[i] != sum[i])
				same = 0
		if (same)
			break
		read_types()
		read_buddyinfo()
	}
	read_pagesets()
}
