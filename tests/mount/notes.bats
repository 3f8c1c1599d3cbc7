#!/usr/bin/env bats
# docs/notes-map.md: each of its lines does what it says.

# The blocks of the page as scripts of kmem, one file each, named by number
# and machine.
blocks() {
	awk -v dir="$1" '
	function done_block() { if (n && lines) close(file); lines = 0 }
	/^### / { done_block(); n++; machine = "default" }
	/^machine: / { machine = $2 }
	/^    / {
		file = sprintf("%s/%02d.%s", dir, n, machine)
		print substr($0, 5) > file
		lines++
	}' docs/notes-map.md
}

@test "every line of the map from the notes to commands runs" {
	local dir=$BATS_TEST_TMPDIR wrong=0 number=0 script machine
	blocks "$dir"
	for script in "$dir"/*.*; do
		machine=${script##*.}
		number=$((number + 1))
		# Lines behind "!" fail, all others do not.
		sed 's/^! //' "$script" |
			"$BUILD/kmem" -m "$machine" -k > "$dir/out" 2> "$dir/err" || true
		if [ "$(grep -c '^! ' "$script")" -ne \
			"$(grep -c '^error\|^kmem: ' "$dir/out" "$dir/err" |
				awk -F: '{ n += $NF } END { print n }')" ]; then
			echo "$(basename "$script"):"
			cat "$script" "$dir/out" "$dir/err"
			wrong=1
		fi
	done
	[ "$number" -ge 25 ]
	[ "$wrong" -eq 0 ]
}
