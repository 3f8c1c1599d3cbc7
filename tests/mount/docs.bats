#!/usr/bin/env bats
# The sessions shown in the documents are what the commands print now.

@test "README.md shows what its commands print" {
	src/tools/transcribe "$BUILD" README.md > "$BATS_TEST_TMPDIR/new"
	diff README.md "$BATS_TEST_TMPDIR/new"
}

@test "docs/guide.md shows what its commands print" {
	src/tools/transcribe "$BUILD" docs/guide.md > "$BATS_TEST_TMPDIR/new"
	diff docs/guide.md "$BATS_TEST_TMPDIR/new"
}

@test "docs/what-if.md shows what its commands print" {
	src/tools/transcribe "$BUILD" docs/what-if.md > "$BATS_TEST_TMPDIR/new"
	diff docs/what-if.md "$BATS_TEST_TMPDIR/new"
}

@test "docs/reference.md is what fs-layout declares" {
	diff docs/reference.md "$BUILD/gen/reference.md"
}
