# SPDX-License-Identifier: MIT
# small.awk - numbers, first lines, ranges

function read1(name,    line) { # the first line of a file, "" when it has none
	line = ""
	if ((getline line < (root "/" name)) < 0)
		line = ""
	close(root "/" name)
	return line
}

function hexnum(s,    i, n) {
	n = 0
	s = tolower(s)
	for (i = 1; i <= length(s); i++)
		n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return n
}

function hex(n,    high) { # awks disagree on %x of large numbers
	high = int(n / 16777216)
	if (high)
		return sprintf("0x%x%06x", high, n - high * 16777216)
	return sprintf("0x%x", n)
}

function min(a, b) { return a < b ? a : b }
function max(a, b) { return a > b ? a : b }
function up(n, to) { return int((n + to - 1) / to) * to }
function down(n, to) { return int(n / to) * to }

function frames_text(start, end) {
	if (end > start + 1)
		return sprintf("%.0f-%.0f", start, end - 1)
	return sprintf("%.0f", start)
}

function bytes_text(start, end) { # of frames
	return hex(start * page) "-" hex(end * page - 1)
}

# A list of ranges of frames, printed as it comes: ranges that touch are one.
# @before stands before the first; with @bytes they are addresses.
function list_begin(before, bytes) {
	list_before = before
	list_bytes = bytes
	list_end = -1
}

function list_add(start, end) {
	if (start != list_end) {
		list_done()
		list_start = start
	}
	list_end = end
}

function list_done() { # whether there was any
	if (list_end < 0)
		return 0
	printf "%s%s", list_before, list_bytes ? \
		bytes_text(list_start, list_end) : \
		frames_text(list_start, list_end)
	list_before = "; "
	return 1
}

function remark(text) { remarks = remarks "# " text "\n" }
