# Mamori: the two commands a newcomer needs are `make run` and `make test`.
PY := .venv/bin/python
SET_UP := sh firmware_config/install/set-up.sh

.PHONY: help run test timing unit check bench lock clean

help:
	@echo "make run    set up and start the appliance on a demonstration floor (http://127.0.0.1:8080)"
	@echo "make test   set up and run all checks and tests"
	@echo "make unit   only the quick tests"
	@echo "make check  only the style, type and import checks"
	@echo "make bench  measure; figures go to docs/performance.md"
	@echo "make lock   renew the lock files after changing pyproject.toml"
	@echo "make clean  remove the environment and what the demonstration floor has written"

run:
	@$(SET_UP) run
	@exec .venv/bin/mamori run --demo --data var

test: check
	@$(PY) -m pytest -m "not timing"

timing:
	@$(SET_UP) test
	@$(PY) -m pytest -m timing

unit:
	@$(SET_UP) test
	@$(PY) -m pytest -m "not journey"

check:
	@$(SET_UP) test
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

bench:
	@$(SET_UP) test
	@$(PY) -m tests.bench

lock:
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml --group dev -o requirements-dev.lock

clean:
	rm -rf .venv .venv-tools var dist
