# fidelity.mk - how much of real kernels' recordings the model foretells
#
#   make fidelity     a table of all recordings; fails when a rate falls below
#                     tests/real/fidelity.ratchet

.PHONY: fidelity
fidelity: all
	BUILD=$(BUILD) bash tests/real/check-fidelity --table
