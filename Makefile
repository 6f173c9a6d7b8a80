# `make quickstart` runs FeedbackHub on this machine; `make test` runs its tests. See docs/developing.md.
.PHONY: help quickstart test lint format bench fresh lock environment messages
.DEFAULT_GOAL := help
export PYTHON
JOBS ?= 2

help:
	@echo "make quickstart   the whole app on this machine, with a demo project (ARGS=--reset starts anew)"
	@echo "make test         the whole suite, on a private PostgreSQL (TESTS=tests/capture for a part)"
	@echo "make lint         ruff, djade, missing migrations, system checks"
	@echo "make format       ruff and djade, changing files"
	@echo "make bench        prints the figures of DESIGN §6"
	@echo "make fresh        quickstart and test in a fresh clone with an empty cache, with times and sizes"
	@echo "make messages     compiles what reporters read in other languages"
	@echo "make lock         pins the requirements anew"

quickstart:
	@sh deploy/environment.sh
	@.venv/bin/python -m feedbackhub.quickstart $(if $(RESET),--reset) $(ARGS)

environment:
	@sh deploy/environment.sh dev

test: environment
	@.venv/bin/python -m pytest -n $(JOBS) --dist loadgroup $(TESTS) $(ARGS)

lint: environment
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/djade --check $$(git ls-files 'templates/*.html')
	.venv/bin/python -m tests.django_command makemigrations --check --dry-run  # runs the checks too

format: environment
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	-.venv/bin/djade $$(git ls-files 'templates/*.html')

# Needs gettext's msgfmt; the compiled catalogue is in the tree, so that nothing else does.
messages:
	msgfmt --check -o locale/de/LC_MESSAGES/django.mo locale/de/LC_MESSAGES/django.po

bench: environment
	@.venv/bin/python -m benchmarks $(ARGS)

fresh:
	@bash deploy/fresh.sh

# The files name no address of a package index; `--universal` serves every platform and Python.
lock:
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 \
		--extra server pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 \
		--extra server --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
