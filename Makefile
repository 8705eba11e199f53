# Mamori: the two commands a newcomer needs are `make run` and `make test`.
PY := .venv/bin/python
SET_UP := sh firmware_config/install/set-up.sh

.PHONY: help run test test-qemu test-qemu-cards test-soak chaos soak timing unit check bench evaluate speech-model lock clean

help:
	@echo "make run    set up and start the appliance on a demonstration floor (https://127.0.0.1:8443)"
	@echo "make test   set up and run all checks and tests"
	@echo "make test-qemu  buttons on a real kernel, in an emulated guest (needs qemu-system-x86 and mmdebstrap)"
	@echo "make test-qemu-cards  sound cards on a real kernel: overrun, a driver that goes and comes back"
	@echo "make chaos  1,000 alerts while agent, writer, broker and network die at random (ALERTS=N; needs root and iproute2)"
	@echo "make soak   30 lines in call for 4 hours: memory and alerts (MINUTES=N, LINES=N; goes on where it was stopped)"
	@echo "make test-soak  the same for 10 minutes, as a test"
	@echo "make unit   only the quick tests"
	@echo "make check  only the style, type and import checks"
	@echo "make bench  measure; figures go to docs/performance.md"
	@echo "make evaluate  measure how well calls are judged; figures go to models/quality.json (DATA=DIR: open dialogue too)"
	@echo "make speech-model  make the starter speech model anew (DATA=DIR: open data; WORK=DIR: scratch, 10 GB; about 4 hours)"
	@echo "make lock   renew the lock files after changing pyproject.toml"
	@echo "make clean  remove the environment and what the demonstration floor has written"

run:
	@$(SET_UP) run
	@exec .venv/bin/mamori run --demo --data var

# Two at a time, a file of tests never split; then, with nothing beside them, those that play or send sound in real time.
SUITE := not timing and not qemu and not soak
WORKERS := 2
test: check
	@failed=; \
	$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "$(SUITE) and not alone" || failed="$$failed side-by-side"; \
	$(PY) -m pytest -m "$(SUITE) and alone" || failed="$$failed alone"; \
	if [ "$$failed" ]; then echo "make test: FAILED in the part(s):$$failed" >&2; exit 1; fi; \
	echo "make test: passed, side by side and alone"

# A guest's kernel has what most machines lack: simulated pins, USB devices that come and go. Made once, outside the checkout.
QEMU_FOLDER := $(or $(MAMORI_QEMU),$(HOME)/.cache/mamori/qemu)
test-qemu: TESTS := tests/qemu/test_buttons_in_a_guest.py
test-qemu-cards: TESTS := tests/qemu/test_cards_in_a_guest.py
test-qemu test-qemu-cards:
	@$(SET_UP) test
	@for program in qemu-system-x86_64 mmdebstrap mke2fs; do command -v $$program >/dev/null || \
		{ echo "$@ needs: apt-get install qemu-system-x86 mmdebstrap e2fsprogs" >&2; exit 2; }; done
	@[ -f $(QEMU_FOLDER)/disk ] || sh tests/qemu/rootfs.sh $(QEMU_FOLDER)
	@MAMORI_QEMU=$(QEMU_FOLDER) $(PY) -m pytest -m qemu -rs -s $(TESTS)

chaos:
	@$(SET_UP) test
	@MAMORI_CHAOS=$(or $(ALERTS),1000) $(PY) -m pytest -s tests/journeys/test_chaos.py

soak:
	@$(SET_UP) test
	@$(PY) -m tests.bench.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(LINES),--lines $(LINES))

test-soak:
	@$(SET_UP) test
	@$(PY) -m pytest -m soak -s tests/bench

timing:
	@$(SET_UP) test
	@$(PY) -m pytest -m timing

unit:
	@$(SET_UP) test
	@$(PY) -m pytest -m "not journey and not real and not soak"

check:
	@$(SET_UP) test
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

bench:
	@$(SET_UP) test
	@$(PY) -m tests.bench

HELDOUT := models/harassment/heldout
evaluate:
	@$(SET_UP) test
	@mkdir -p var
	@$(PY) -m models.harassment.recipe.held_out $(if $(DATA),--data $(DATA) --dialogue var/open-dialogue.tsv)
	@.venv/bin/mamori quality measure --lines $(HELDOUT)/split.tsv --lines $(HELDOUT)/other-hand.tsv \
		--calls models/harassment/calls --audio models/harassment/calls/audio \
		$(if $(DATA),--dialogue var/open-dialogue.tsv) --out models/quality.json

SPEECH := models/speech/recipe
speech-model:
	@test -n "$(DATA)" -a -n "$(WORK)" || { echo "make speech-model DATA=DIR WORK=DIR (see $(SPEECH)/README.md)"; exit 2; }
	@sh $(SPEECH)/set-up.sh $(WORK)/env
	@$(WORK)/env/bin/python $(SPEECH)/build.py --data $(DATA) --work $(WORK) --out models/speech/ja-starter

lock:
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml --group dev -o requirements-dev.lock

clean:
	rm -rf .venv .venv-tools var dist
