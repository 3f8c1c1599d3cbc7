# SPDX-License-Identifier: MIT
# recording.awk - what a frame was when the recording began

# first_class[frame]: what it was when the recording began, by its first event.
# What leaves the buddy was free, what leaves a per-cpu list was there.
function read_recording(    line, n, c, at, order, class_of_event) {
	class_of_event["alloc: "] = class_of_event["pcpu_dr"] = "P"
	class_of_event["alloc_z"] = class_of_event["alloc_e"] = "F"
	class_of_event["free: p"] = class_of_event["free_ba"] = "M"
	while ((getline line < rewind) > 0) {
		n = index(line, ": mm_page_")
		if (!n)
			continue
		c = substr(line, n + 10, 7)
		if (!(c in class_of_event) || !match(line, /pfn=(0x)?[0-9a-f]+/))
			continue
		c = line ~ /mm_page_alloc_zone_locked|mm_page_alloc_extfrag/ ? \
			"F" : class_of_event[c]
		at = substr(line, RSTART + 4, RLENGTH - 4)
		at = at ~ /^0x/ ? hexnum(substr(at, 3)) : at + 0
		order = 0
		if (match(line, /[ _]order=[0-9]+/) && \
		    line !~ /mm_page_free_batched/)
			order = substr(line, RSTART + 7, RLENGTH - 7) + 0
		if (match(line, /fallback_order=[0-9]+/))
			order = substr(line, RSTART + 15, RLENGTH - 15) + 0
		if (c == "P" && order > 3)
			c = "K"
		for (n = at + two[order]; at && at < n; at++)
			if (!(at in first_class)) {
				first_class[at] = c
				shown[int(at / 512)] = 1
			}
	}
	close(rewind)
}
