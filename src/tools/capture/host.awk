# SPDX-License-Identifier: MIT
# host.awk - what the host says of zones, nodes and CPUs

# zone z: node zn, name zname, start zs, spanned zspan, present zp, managed zm,
# watermarks zmin zlow zhigh, protection against zones up to the i-th zprot[z, i],
# place among the zones of its node zi
function read_zones(    file, line, f, n, z, i, name, node, mark, place) {
	file = root "/proc/zoneinfo"
	z = 0
	last_node = -1
	while ((getline line < file) > 0) {
		n = split(line, f, " ")
		if (f[1] == "Node") {
			node = f[2] + 0
			name = f[4]
			zone_name[name] = 1
			span = 0
			place = node == last_node ? place + 1 : 0
			last_node = node
			split("", mark)
		} else if (f[1] ~ /^(min|low|high)$/) {
			mark[f[1]] = f[2]
		} else if (f[1] == "spanned") {
			span = f[2]
		} else if (f[1] == "present" && f[2] > 0) {
			z = ++zones
			zn[z] = node
			zname[z] = name
			zspan[z] = span
			zp[z] = f[2]
			zi[z] = place
			zmin[z] = mark["min"]
			zlow[z] = mark["low"]
			zhigh[z] = mark["high"]
			zone_of[node, name] = z
		} else if (f[1] == "present") {
			z = 0
		} else if (f[1] == "managed" && z) {
			zm[z] = f[2]
		} else if (f[1] == "cma" && z) {
			cma_pages += f[2]
		} else if (f[1] == "protection:" && z) {
			gsub(/[(),]/, " ", line)
			n = split(line, f, " ")
			for (i = 2; i <= n; i++)
				zprot[z, i - 2] = f[i]
		} else if (f[1] == "high:") {
			pcp_high = max(pcp_high, f[2])
		} else if (f[1] == "start_pfn:" && z) {
			zs[z] = f[2]
		}
	}
	close(file)
}

function read_facts(    line, f) {
	while ((getline line) > 0) {
		split(line, f, " ")
		if (f[1] == "readable")
			readable[f[2]] = 1
		else if (f[1] == "node")
			host_nodes = max(host_nodes, f[2] + 1)
		else if (f[1] == "block")
			block_node[f[3] + 0] = f[2] + 0
		else if (f[1] == "cma")
			cma_area(substr(line, 5))
	}
}

function cma_area(dir,    base, count) {
	getline base < (dir "/base_pfn")
	getline count < (dir "/count")
	close(dir "/base_pfn")
	close(dir "/count")
	if (count > 0) {
		cma_areas++
		cma_base = base + 0
		cma_count = count + 0
	}
}

function read_machine(    line, file, f) {
	version = read1("proc/version")
	file = root "/proc/cpuinfo"
	while ((getline line < file) > 0) {
		if (line ~ /^(vendor_id|flags)/)
			x86 = 1
		else if (line ~ /^(CPU implementer|isa|cpu[ \t]*:)/)
			other_cpu = 1
	}
	close(file)
	file = root "/proc/meminfo"
	while ((getline line < file) > 0)
		if (line ~ /^CmaTotal/)
			cma_kernel = 1
	close(file)
	page = 4096
	file = root "/proc/self/smaps"
	while ((getline line < file) > 0)
		if (line ~ /^KernelPageSize:/) {
			split(line, f, " ")
			page = f[2] * 1024
			break
		}
	close(file)
	block_bytes = hexnum(read1("sys/devices/system/memory/block_size_bytes"))
}

function find_arch() {
	if (other_cpu && !x86)
		return "generic"
	if ("DMA32" in zone_name)
		return "x86-64"
	if (!("DMA" in zone_name) || (!x86 && !("HighMem" in zone_name)))
		return "generic"
	if (has_types)
		return block_order == 9 ? "i386-pae" : "i386"
	return version ~ /pae/ || end_pfn > 1048576 ? "i386-pae" : "i386"
}
