# tests.mk - every test, each kind by its own target; included by Makefile
#
#   unit law layout real mount    one kind; check: all of them
#   asan tsan fuzz                the same under sanitizers, fuzzing
#   check-long                    what takes longer than minutes
#
# LAW_OPS and FUZZ_SECONDS make random runs longer or shorter.

LAW_OPS ?= 3000
FUZZ_SECONDS ?= 20
RUN = BUILD=$(BUILD) bash tests/run

UNIT_SRC = $(sort $(wildcard tests/unit/*/*.c))
UNIT_OBJ = $(UNIT_SRC:%.c=$(BUILD)/%.o) $(BUILD)/gen/suites.o $(BUILD)/tests/unit/main.o
LAW_PROGRAMS = $(patsubst tests/law/%.c,$(BUILD)/%,$(sort $(wildcard tests/law/law_*.c)))
LAW_SHARED = $(BUILD)/tests/law/args.o $(BUILD)/tests/law/driver.o
REAL_PROGRAMS = $(patsubst tests/real/%.c,$(BUILD)/%,$(sort $(wildcard tests/real/*.c)))
FUZZ_PROGRAMS = $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

# The list of suites: every tests/unit/LAYER/test_X.c defines suite_X().
$(BUILD)/gen/suites.c: $(UNIT_SRC)
	@mkdir -p $(@D)
	@{ echo '/* Made by tests/tests.mk from the names of tests/unit. */'; \
	echo '#include "unit/suites.h"'; \
	for f in $(notdir $(filter %.c,$(UNIT_SRC))); do \
	case $$f in test_*) n=$${f#test_}; echo "Suite *suite_$${n%.c}(void);";; esac; done; \
	echo 'Suite *(*const suites[])(void) = {'; \
	for f in $(notdir $(filter %.c,$(UNIT_SRC))); do \
	case $$f in test_*) n=$${f#test_}; echo "	suite_$${n%.c},";; esac; done; \
	echo '	NULL,'; echo '};'; } > $@
$(BUILD)/gen/suites.o: CFLAGS += $(CHECK_CFLAGS) -Itests

$(BUILD)/unit: $(UNIT_OBJ) $(LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -fno-lto $^ $(PKG_LIBS) $(CHECK_LIBS) -o $@
$(LAW_PROGRAMS): $(BUILD)/%: $(BUILD)/tests/law/%.o $(LAW_SHARED) $(LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -fno-lto $^ $(PKG_LIBS) -o $@
$(BUILD)/layout: $(BUILD)/tests/layout/layout.o $(LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -fno-lto $^ $(PKG_LIBS) -o $@
$(REAL_PROGRAMS): $(BUILD)/%: $(BUILD)/tests/real/%.o $(LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -fno-lto $^ $(PKG_LIBS) -o $@
# With FUZZ=1 (clang) a target is libFuzzer's; without, it has a main that runs
# its seeds or some hundred made-up inputs.
ifdef FUZZ
CFLAGS += -DFUZZ -fsanitize=fuzzer-no-link
FUZZ_LDFLAGS = -fsanitize=fuzzer
endif
$(BUILD)/tests/fuzz/fuzz_fuse.o: CFLAGS += $(FUSE_CFLAGS)
$(BUILD)/fuzz_fuse: $(BUILD)/tests/fuzz/fuzz_fuse.o $(filter-out %/main.o,$(FUSE_OBJ)) $(LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -fno-lto $(FUZZ_LDFLAGS) $^ $(PKG_LIBS) $(FUSE_LIBS) -o $@
$(filter-out %fuzz_fuse,$(FUZZ_PROGRAMS)): $(BUILD)/%: $(BUILD)/tests/fuzz/%.o $(LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -fno-lto $(FUZZ_LDFLAGS) $^ $(PKG_LIBS) -o $@

TEST_PROGRAMS = $(BUILD)/unit $(LAW_PROGRAMS) $(BUILD)/layout $(REAL_PROGRAMS) \
	$(filter-out $(if $(filter yes,$(FUSE)),,%fuzz_fuse),$(FUZZ_PROGRAMS))

.PHONY: programs unit law layout real mount fuzz check check-tests check-long layers style asan tsan no-fuse
programs: all $(TEST_PROGRAMS)

unit: $(BUILD)/unit
	$(RUN) unit
law: $(LAW_PROGRAMS)
	LAW_OPS=$(LAW_OPS) $(RUN) law
layout: $(BUILD)/layout
	$(RUN) layout
real: all $(REAL_PROGRAMS)
	$(RUN) real
mount: all
	$(RUN) mount
layers:
	awk -f src/tools/check-layers.awk src/LAYERS $$(find src include -name '*.[ch]')
style:
	sh src/tools/check-style
check-tests: layers programs
	LAW_OPS=$(LAW_OPS) $(RUN) unit law seeds layout real $(if $(filter yes,$(FUSE)),mount)
check: deps-test style
	$(MAKE) check-tests
check-long: deps-test
	$(MAKE) check-tests LAW_OPS=100000
	$(MAKE) fuzz FUZZ_SECONDS=600
	$(MAKE) soak-all

# Sanitizers build apart; a tenth of the random steps.
asan:
	$(MAKE) BUILD=$(BUILD)/asan SAN=address,undefined LAW_OPS=300 check-tests
tsan:
	$(MAKE) BUILD=$(BUILD)/tsan SAN=thread programs
	BUILD=$(BUILD)/tsan CK_FORK=no bash tests/run tsan
# All but src/fuse, as where libfuse3 is absent.
no-fuse:
	$(MAKE) BUILD=$(BUILD)/no-fuse FUSE=no check-tests
fuzz:
	$(MAKE) BUILD=$(BUILD)/fuzz CC=clang SAN=address,undefined FUZZ=1 fuzz-programs
	BUILD=$(BUILD)/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) bash tests/run fuzz
.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)

-include tests/bench/bench.mk tests/soak/soak.mk tests/real/fidelity.mk
