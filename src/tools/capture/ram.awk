# SPDX-License-Identifier: MIT
# ram.awk - present memory, and which zone has it

# ram_first, ram_last[1..rams]: bytes, both included; other_*: what else the
# firmware has told of
function read_iomem(    file, line) {
	firmware_type["Reserved"] = firmware_type["reserved"] = "reserved"
	firmware_type["ACPI Tables"] = "acpi"
	firmware_type["ACPI Non-volatile Storage"] = "nvs"
	firmware_type["Unusable memory"] = "unusable"
	firmware_type["Persistent Memory"] = "pmem"
	firmware_type["Persistent Memory (legacy)"] = "pmem"
	file = root "/proc/iomem"
	while ((getline line < file) > 0) {
		iomem_line(line)
		if (io_name ~ /^System RAM/)
			ram_range(io_first, io_last)
		else if (line !~ /^ / && io_name in firmware_type && \
			 io_last && others < 200)
			other[++others] = hex(io_first) "-" hex(io_last) " " \
				firmware_type[io_name]
	}
	close(file)
}

# io_name, io_first, io_last: of a line of iomem, "  100000-1fffff : NAME"
function iomem_line(line,    at, ends) {
	at = index(line, " : ")
	io_name = substr(line, at + 3)
	line = substr(line, 1, at - 1)
	sub(/^ */, "", line)
	split(line, ends, "-")
	io_first = hexnum(ends[1])
	io_last = hexnum(ends[2])
}

function ram_range(first, last) {
	if (!last || up(first, page) > last)
		return
	rams++
	ram_first[rams] = first
	ram_last[rams] = last
}

function ram_frames(start, end) {
	if (start < end)
		ram_range(start * page, end * page - 1)
}

# Without addresses in iomem: the memory blocks of each zone, and as much of a
# hole as zoneinfo says, where such holes are.
function ram_from_zones(    z, a, hole, n, i, at, frames) {
	frames = block_bytes / page
	for (z = 1; z <= zones; z++) {
		n = 0
		for (a = zs[z]; a < zs[z] + zspan[z]; a = at) {
			at = zs[z] + zspan[z]
			if (frames) {
				at = min(at, down(a, frames) + frames)
				if (!(int(a / frames) in block_node) ||
				    block_node[int(a / frames)] != zn[z])
					continue
			}
			if (n && part_end[n] == a) {
				part_end[n] = at
				continue
			}
			n++
			part_start[n] = a
			part_end[n] = at
		}
		hole = -zp[z]
		for (i = 1; i <= n; i++)
			hole += part_end[i] - part_start[i]
		for (i = n; i >= 1; i--)
			hole = ram_part(z, part_start[i], part_end[i], hole)
	}
	sort_ram()
}

# The RAM of one part of a zone, but for @hole frames; returns what is left of
# the hole.  Below 1 MiB it ends there; of the last zone of a node the end
# stays, because it is where the node ends.
function ram_part(z, start, end, hole,    cut, at) {
	if (hole <= 0) {
		ram_frames(start, end)
		return 0
	}
	cut = min(hole, end - start - 2)
	at = end - cut
	if (start < 256 && end > 256)
		at = max(start + 1, 256 - (cut = min(hole, 255 - start)))
	else if (is_last_zone(z))
		at = min(start + 512, end - cut - 1)
	ram_frames(start, at)
	ram_frames(at + cut, end)
	return hole - cut
}

function is_last_zone(z,    i) {
	for (i = 1; i <= zones; i++)
		if (zn[i] == zn[z] && zs[i] > zs[z])
			return 0
	return 1
}

function sort_ram(    i, j, a, b) {
	for (i = 2; i <= rams; i++) {
		a = ram_first[i]
		b = ram_last[i]
		for (j = i; j > 1 && ram_first[j - 1] > a; j--) {
			ram_first[j] = ram_first[j - 1]
			ram_last[j] = ram_last[j - 1]
		}
		ram_first[j] = a
		ram_last[j] = b
	}
	for (i = j = 1; i < rams; i++)
		if (ram_first[i + 1] == ram_last[j] + 1) {
			ram_last[j] = ram_last[i + 1]
		} else {
			ram_first[++j] = ram_first[i + 1]
			ram_last[j] = ram_last[i + 1]
		}
	rams = min(rams, j)
}

# piece_*[1..pieces]: whole frames of RAM, cut at the ends of zones, ascending
function find_pieces(    i, z, b, from, to) {
	for (i = 1; i <= rams; i++) {
		from = up(ram_first[i], page) / page
		to = down(ram_last[i] + 1, page) / page
		while (from < to) {
			z = zone_at(from)
			b = z ? min(to, piece_limit(z, from)) : next_zone(from, to)
			if (z) {
				pieces++
				piece_start[pieces] = from
				piece_end[pieces] = b
				piece_zone[pieces] = z
				ram_pages[z] += b - from
				end_pfn = max(end_pfn, b)
			}
			from = b
		}
	}
}

function in_node(z, pfn) { # spans of nodes may overlap: ask the memory blocks
	if (!overlap || !block_bytes)
		return 1
	pfn = int(pfn * page / block_bytes)
	return pfn in block_node && block_node[pfn] == zn[z]
}

function zone_at(pfn,    z) {
	for (z = 1; z <= zones; z++)
		if (pfn >= zs[z] && pfn < zs[z] + zspan[z] && in_node(z, pfn))
			return z
	return 0
}

function piece_limit(z, from,    end, i) {
	end = zs[z] + zspan[z]
	if (overlap && block_bytes)
		end = min(end, down(from, block_bytes / page) + \
			  block_bytes / page)
	for (i = 1; i <= zones; i++) # a zone inside, as Movable may be
		if (i != z && zn[i] == zn[z] && zs[i] > from && zs[i] < end)
			end = zs[i]
	return end
}

function next_zone(from, to,    z) {
	for (z = 1; z <= zones; z++)
		if (zs[z] > from && zs[z] < to)
			to = zs[z]
	return overlap && block_bytes ? \
		min(to, down(from, block_bytes / page) + block_bytes / page) : to
}

function find_overlap(    a, b) {
	for (a = 1; a <= zones; a++)
		for (b = 1; b <= zones; b++)
			if (zn[a] != zn[b] && zs[a] < zs[b] + zspan[b] &&
			    zs[b] < zs[a] + zspan[a])
				overlap = 1
}
