# kmemfs - the only makefile: build, run, check, docs, bench
#
#   make run        install what is missing, build, mount at ./mnt, short tour
#   make check      install what is missing, build, pass all tests
#   make stop       unmount ./mnt
#
# Variables: BUILD (build), CC, DEBUG=1, SAN=address,undefined | thread,
# PREFIX, DESTDIR.

MAKEFLAGS += -rR

BUILD ?= build
PREFIX ?= /usr/local
CC = gcc
AR = gcc-ar
PYTHON = python3
MNT = mnt

# V=1 shows whole commands.
say = $(if $(V),,@echo "  $(1) $(2:$(BUILD)/%=%)";)

PACKAGES = glib-2.0 libzstd cairo
CFLAGS_WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wvla
CFLAGS_OPT = $(if $(SAN),-O1 -fsanitize=$(SAN) -fno-omit-frame-pointer,-O2 $(LTO))
CFLAGS += -std=gnu11 -D_GNU_SOURCE -g -pthread $(CFLAGS_OPT) $(CFLAGS_WARN) \
	$(if $(DEBUG),-DKM_DEBUG_BUILD) -Iinclude -I$(BUILD)/gen
# Link-time optimisation, for gcc without a sanitizer: hot paths cross files.
LTO = $(if $(findstring gcc,$(CC)),-flto=auto -ffat-lto-objects)
LDFLAGS += -pthread $(if $(SAN),-fsanitize=$(SAN))

PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
FUSE_CFLAGS := $(shell pkg-config --cflags fuse3 2>/dev/null)
FUSE_LIBS := $(shell pkg-config --libs fuse3 2>/dev/null)
CHECK_CFLAGS := $(shell pkg-config --cflags check 2>/dev/null)
CHECK_LIBS := $(shell pkg-config --libs check 2>/dev/null)
# The mount is left out where libfuse3 is absent, or with FUSE=no.
FUSE ?= $(if $(FUSE_LIBS),yes,no)

GEN = $(BUILD)/gen
LAYOUTS = $(sort $(wildcard fs-layout/*.layout))
GENERATED = $(GEN)/stamp

LIB_LAYERS = base hw phys slab vm machine view tree
LIB_SRC = $(foreach l,$(LIB_LAYERS),$(sort $(wildcard src/$(l)/*.c)))
LIB_OBJ = $(LIB_SRC:%.c=$(BUILD)/%.o) $(GEN)/ops_table.o $(GEN)/layout_table.o
LIB = $(BUILD)/libkmem.a
CLI_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard src/cli/*.c)))
FUSE_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard src/fuse/*.c)))
SCRIPTS = $(patsubst src/tools/%,$(BUILD)/%,$(wildcard src/tools/kmemfs-*)) \
	$(BUILD)/kmemfs-capture

PROGRAMS = $(BUILD)/kmem $(if $(filter yes,$(FUSE)),$(BUILD)/kmemfs) $(SCRIPTS)

.PHONY: all
all: $(PROGRAMS)

.DELETE_ON_ERROR:
.SECONDARY:

$(GENERATED): src/tools/layoutgen.py $(LAYOUTS)
	@mkdir -p $(GEN)
	$(PYTHON) src/tools/layoutgen.py $(GEN) $(LAYOUTS)
	@touch $@
$(GEN)/%.c: $(GENERATED)
	@:

$(BUILD)/src/fuse/%.o: CFLAGS += $(FUSE_CFLAGS)
$(BUILD)/tests/%.o: CFLAGS += $(CHECK_CFLAGS) -Itests
$(BUILD)/%.o: %.c $(GENERATED)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -c $< -o $@
$(GEN)/%.o: $(GEN)/%.c
	$(call say,CC,$@)$(CC) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -c $< -o $@

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $^

$(BUILD)/kmem: $(CLI_OBJ) $(LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) $^ $(PKG_LIBS) -o $@
$(BUILD)/kmemfs: $(FUSE_OBJ) $(LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) $^ $(PKG_LIBS) $(FUSE_LIBS) -o $@
$(BUILD)/kmemfs-%: src/tools/kmemfs-%
	@mkdir -p $(@D)
	$(call say,INSTALL,$@)install -m 755 $< $@

# One file, that a host without anything else can run: the awk program, cut into
# parts, stands quoted where the shell script has @program@.
CAPTURE = $(addprefix src/tools/capture/,kmemfs-capture.sh small.awk host.awk \
	ram.awk flags.awk recording.awk lists.awk reserved.awk free.awk pcp.awk \
	types.awk limits.awk print.awk main.awk)
$(BUILD)/kmemfs-capture: $(CAPTURE)
	@mkdir -p $(@D)
	$(call say,JOIN,$@)sed "s/'/'\\\\''/g" $(filter %.awk,$^) | \
	sed -e '/^@program@$$/{r /dev/stdin' -e 'd;}' $(filter %.sh,$^) > $@
	@chmod 755 $@

-include tests/tests.mk

# --- run -----------------------------------------------------------------------

.PHONY: deps deps-test run stop install
deps:
	@sh src/tools/deps run
deps-test:
	@sh src/tools/deps test

# Packages are looked up when a Makefile is read: read it anew after deps.
run: deps
	@$(MAKE) --no-print-directory all
	@mkdir -p $(MNT)
	@if mountpoint -q $(MNT) && ls $(MNT) > /dev/null 2>&1; then \
	echo "already mounted at ./$(MNT)"; \
	else $(BUILD)/kmemfs --realtime default $(MNT); fi
	@sh src/tools/tour $(MNT) $(BUILD)

stop:
	@if mountpoint -q $(MNT); then fusermount3 -u $(MNT) && \
	rmdir --ignore-fail-on-non-empty $(MNT); \
	else echo "nothing is mounted at ./$(MNT)"; fi

# --- docs ----------------------------------------------------------------------

# Run the sessions of the documents anew; copy the generated reference.
.PHONY: docs
docs: all
	for d in README.md docs/guide.md docs/what-if.md; do \
	src/tools/transcribe $(BUILD) $$d > $(BUILD)/new.md && \
	cp $(BUILD)/new.md $$d || exit 1; done
	cp $(GEN)/reference.md docs/reference.md
	src/tools/pictures $(BUILD)/kmem docs/pictures

# --- install -------------------------------------------------------------------

bindir = $(DESTDIR)$(PREFIX)/bin
datadir = $(DESTDIR)$(PREFIX)/share

install: all
	install -d $(bindir) $(datadir)/kmemfs/machines $(datadir)/man/man1 \
		$(datadir)/man/man5 $(datadir)/bash-completion/completions
	install -m 755 $(PROGRAMS) $(bindir)
	install -m 644 machines/*.ini $(datadir)/kmemfs/machines
	install -m 644 docs/man/*.1 $(datadir)/man/man1
	for p in kmem kmemfs kmemfs-do; do install -m 644 docs/completion/kmem.bash \
	$(datadir)/bash-completion/completions/$$p; done
	install -m 644 docs/man/*.5 $(GEN)/kmemfs-tree.5 $(datadir)/man/man5

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf $(BUILD)
