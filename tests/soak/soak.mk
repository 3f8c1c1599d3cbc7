# soak.mk - many processes at one mount, for a bounded time
#
#   soak        SOAK_SECONDS (120) of load; SOAK_SEED makes the same choices
#   soak-all    the same, then half as long under ASan+UBSan and under TSan

SOAK_SECONDS ?= 120
SOAK_SEED ?=

.PHONY: soak soak-all
soak: all
	BUILD=$(BUILD) tests/soak/soak --seconds $(SOAK_SECONDS) $(if $(SOAK_SEED),--seed $(SOAK_SEED))
soak-all: soak
	$(MAKE) BUILD=$(BUILD)/asan SAN=address,undefined SOAK_SECONDS=$$(($(SOAK_SECONDS) / 2)) soak
	$(MAKE) BUILD=$(BUILD)/tsan SAN=thread SOAK_SECONDS=$$(($(SOAK_SECONDS) / 2)) soak
