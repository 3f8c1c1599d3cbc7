# bench.mk - speed: one table, each row against a reference measured beside it
#
#   bench          everything, a few minutes; BENCH="--quick" for fewer rounds
#   bench-docs     puts its rows into docs/performance.md, and draws the plot
#   bench-programs only builds
#
# What the rows mean: docs/performance.md.  Not part of check.

BENCH ?=
BENCH_SRC = $(sort $(wildcard tests/bench/*.c))
BENCH_BIN = $(patsubst tests/bench/%.c,$(BUILD)/%,$(filter-out \
	$(if $(filter yes,$(FUSE)),,%_server.c),$(BENCH_SRC)))
BENCH_LIB = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/bench/lib/*.c)))

$(BUILD)/tests/bench/%_server.o: CFLAGS += $(FUSE_CFLAGS)
$(BUILD)/null_server: $(BUILD)/tests/bench/null_server.o
	$(call say,LD,$@)$(CC) $(LDFLAGS) $^ $(FUSE_LIBS) -o $@
$(BUILD)/list_server: $(BUILD)/tests/bench/list_server.o $(BENCH_LIB) \
		$(filter-out %/main.o,$(FUSE_OBJ)) $(LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) $^ $(FUSE_LIBS) $(PKG_LIBS) -lm -o $@
$(BUILD)/bench_%: $(BUILD)/tests/bench/bench_%.o $(BENCH_LIB) $(LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) $^ $(PKG_LIBS) -lm -o $@

.PHONY: bench bench-docs bench-programs
bench-programs: all $(BENCH_BIN)
bench: bench-programs
	@BUILD=$(BUILD) bash tests/bench/run $(BENCH)
bench-docs: bench-programs
	@BUILD=$(BUILD) bash tests/bench/document
