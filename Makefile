# What a developer or an operator types. `make` alone lists it.

PREFIX  ?= /usr/local
DESTDIR ?=
# Without make's job slots, which are for make's own.
CARGO   ?= env -u MAKEFLAGS -u MFLAGS cargo

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# What is installed is the release build; the tests work with the dev one, which they are built with.
PROFILE ?= release
BINARY  := target/$(patsubst dev,debug,$(PROFILE))/localpuppet
SHARE   := $(DESTDIR)$(PREFIX)/share
# Every shell program of the tree, found by its first line.
SCRIPTS := $(shell find $(wildcard .ci examples tests benches templates) -type f | xargs -d '\n' awk 'FNR == 1 && /^\#!(\/bin\/sh|\/usr\/bin\/env bash)/ { print FILENAME } { nextfile }')

.DEFAULT_GOAL := help

.PHONY: help
help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

.PHONY: build
build: ## the release binary, target/release/localpuppet
	$(CARGO) build --profile $(PROFILE) --locked

.PHONY: demo
demo: ## bundle, publish, install and apply the examples, visibly, in target/demo
	tests/setup demo
	$(CARGO) build --profile $(PROFILE) --locked
	BINARY=$(BINARY) examples/demo

# What waits and what computes goes on at the same time.
.PHONY: test
test: ## formatting and lints, unit tests, and every command with the real parts
	tests/setup tools
	$(MAKE) --no-print-directory --jobs=2 setup lint
	$(CARGO) test --locked --no-run
	$(MAKE) --no-print-directory --jobs=4 --keep-going --output-sync $(PARTS)

# Cargo runs one test program after another: those that take or wait longest go beside the others.
TESTS := $(basename $(notdir $(wildcard tests/*.rs))) $(patsubst tests/%/main.rs,%,$(wildcard tests/*/main.rs))
# In the order of how long they take in such company; what does one thing after another is not the last.
LONG  := apply cli readme preview publish call
PARTS := test-apply test-cli scenarios test-others $(filter-out test-apply test-cli,$(LONG:%=test-%)) check-scripts
# A publisher waits for the disk after each file; here nobody needs them after: into memory, where
# there is plenty. Not where Puppet runs, which makes no directory below /dev.
test-publish: export TMPDIR := $(shell df --output=avail,target /dev/shm 2>/dev/null | awk '$$1 > 1048576 { at = $$2 } END { print at ? at : "/tmp" }')

.PHONY: $(LONG:%=test-%)
$(LONG:%=test-%): test-%: # one of the long ones; they wait as long as they compute
	CALLS=40 RUST_TEST_THREADS=$$((2 * $$(nproc))) $(CARGO) test --locked --test $*

.PHONY: test-others
test-others: # all the others
	$(CARGO) test --locked --no-fail-fast --lib --bins $(addprefix --test ,$(filter-out $(LONG),$(TESTS)))

.PHONY: scenarios
scenarios: # whole nodes, as shell programs
	tests/real/run

.PHONY: check lint check-scripts check-examples
check: lint check-scripts check-examples ## formatting, clippy, shellcheck, and the examples through Puppet's parser
lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
check-scripts:
	shellcheck --external-sources $(SCRIPTS) tests/real/*.sh
check-examples:
	$(CARGO) test --locked --test interface the_examples_are_puppet_code

.PHONY: compare
compare: ## beside slow peers: the linters, 520 calls compiled by Puppet, octocatalog-diff; all made-up cases
	tests/setup
	BREADTH=all tests/real/run lint-modules reproducible
	$(CARGO) test --locked --no-fail-fast --test call --test preview -- --include-ignored
	DAMAGED=4800 BREADTH=all $(CARGO) test --locked --no-fail-fast --test damaged --test psych --test subtype --test versions

.PHONY: faults
faults: ## kills, power cuts, full disks and crowds, at some points; FAULTS=all: at 630, half an hour
	tests/setup
	$(CARGO) test --locked --no-run
	tests/real/run faults full power systemd
	$(if $(filter all,$(FAULTS)),KILLS=200 FILES=100000) $(CARGO) test --locked --no-fail-fast --test apply --test publish --test sources -- --ignored

.PHONY: bench
bench: build ## time and memory beside those of other packagers
	tests/setup bench
	benches/run

# Made in target/ first: a pipe into install would hide that the program failed.
.PHONY: documents
documents: build
	mkdir -p target/documents
	for shell in bash zsh fish; do $(BINARY) completions $$shell > target/documents/$$shell || exit; done
	rm -f target/documents/*.1
	$(BINARY) man > target/documents/localpuppet.1
	for command in $$($(BINARY) man --list); do \
	  $(BINARY) man $$command > target/documents/localpuppet-$$command.1 || exit; \
	done

.PHONY: install
install: documents ## the binary, completions and manual pages, below DESTDIR and PREFIX
	install -D -m 0755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/localpuppet
	install -D -m 0644 target/documents/bash $(SHARE)/bash-completion/completions/localpuppet
	install -D -m 0644 target/documents/zsh $(SHARE)/zsh/site-functions/_localpuppet
	install -D -m 0644 target/documents/fish $(SHARE)/fish/vendor_completions.d/localpuppet.fish
	install -d $(SHARE)/man/man1
	install -m 0644 target/documents/*.1 $(SHARE)/man/man1

.PHONY: dist
dist: build ## target/dist: a source archive of HEAD and the release binary
	mkdir -p target/dist
	git archive --prefix=localpuppet-$(VERSION)/ --output=target/dist/localpuppet-$(VERSION).tar.gz HEAD
	install -m 0755 $(BINARY) target/dist/localpuppet-$(VERSION)-$$(uname -m)-linux
	cd target/dist && sha256sum localpuppet-$(VERSION).tar.gz localpuppet-$(VERSION)-*-linux > SHA256SUMS

.PHONY: setup
setup: ## install what demo and test need (Debian, root)
	tests/setup

.PHONY: clean
clean: ## remove target/
	rm -rf target
