# A thin front over CMake and CTest. "make help" lists the targets.

BUILD   := build
PREFIX  ?= /usr/local
SECONDS ?= 300
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)

export VMALLOC_BUILD := $(CURDIR)/$(BUILD)
export VMALLOC_SOURCE := $(CURDIR)

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := all
.PHONY: all pages demo check check-all sanitize asan tsan valgrind pages16 pages64 ports bench page cdt soak install uninstall clean dist reference abi help

all: ## build the libraries and the command into build/
	@cmake/deps.sh build
	@test -f $(BUILD)/Makefile || cmake --preset release
	@cmake --build $(BUILD) --target artefacts -j $(JOBS)

demo: all ## the main job, on real programs
	@cmake/deps.sh demo
	@demo/run

# Configures again each time: what a test needs may have been installed just now.
check: ## all tests, or with ONLY='a|b' those whose names have a or b in them
	@cmake/deps.sh build test
	@cmake --preset release
	@cmake --build $(BUILD) -j $(JOBS)
	@cd $(BUILD) && ctest --output-on-failure -j2 $(if $(ONLY),-R '$(ONLY)')

check-all: check sanitize ## all tests, and again under the sanitizers and valgrind

sanitize: asan tsan valgrind ## the tests that make sense there, under the sanitizers and valgrind

asan tsan valgrind pages16 pages64:
	@cmake/deps.sh build test $@
	@cmake --preset $@
	@cmake --build --preset $@ -j $(JOBS)
	@ctest --preset $@ -j2

pages: pages16 pages64 ## the tests, as on systems with pages of 16 and 64 KiB

ports: ## the tests on other machines and libcs: PORT=name for one of cmake/toolchains/
	@cmake/deps.sh build ports
	@JOBS=$(JOBS) cmake/ports.sh $(PORT)

bench: all ## the benchmarks
	@cmake/deps.sh bench
	@bench/run

page: all ## make the page of reports anew, which needs npm, and try it in a browser
	@cmake/deps.sh build page
	@cd tools/web && npm ci --ignore-scripts --no-audit --no-fund && npm run build
	@cmake --build $(BUILD) --target artefacts -j $(JOBS)
	@cd $(BUILD) && ctest --output-on-failure -R 'report_(html|template)'

cdt: ## the example and test of Cdt in an image; installs Graphviz, which make check does not
	@cmake/deps.sh build test $@
	@cmake --preset release
	@cmake --build $(BUILD) -j $(JOBS) --target artefacts hook_cdt
	@cd $(BUILD) && ctest --output-on-failure -R cdt

soak: ## the long tests, SECONDS=300 of them and on until images had their kills and power cuts
	@cmake/deps.sh build test
	@cmake --preset release
	@cmake --build $(BUILD) -j $(JOBS)
	@test/soak/run $(SECONDS)

install: all ## install to PREFIX=/usr/local, below DESTDIR=
	@DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix "$(PREFIX)"

# What it would install now; nothing is remembered, so it goes for any PREFIX and DESTDIR. What was not built is built
# first: it cannot be listed.
uninstall: ## remove what make install with the same PREFIX and DESTDIR installs
	@test -e "$(BUILD)/libvmalloc.a" || $(MAKE) all
	@list=$$(mktemp -d) && trap 'rm -rf "$$list"' EXIT && \
	DESTDIR="$$list" cmake --install $(BUILD) --prefix "$(PREFIX)" >/dev/null && \
	if cd "$(DESTDIR)/" 2>/dev/null; then \
	(cd "$$list" && find . ! -type d -print0) | xargs -0 rm -f -- && \
	(cd "$$list" && find . -depth -type d -path '*vmalloc*' -print0) | (xargs -0 rmdir 2>/dev/null; true); fi

clean: ## remove build/
	rm -rf $(BUILD)

# Times, owners and permissions in it are those of the commit: the same bytes each time and everywhere.
dist: ## pack the last commit as a tar file
	@version=$$(sed -n 's/^project(vmalloc VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt) && mkdir -p $(BUILD) && \
	git -c tar.umask=0022 -c core.attributesFile=/dev/null -c core.autocrlf=false -c core.eol=lf \
		archive --format=tar --prefix=vmalloc-$$version/ HEAD | gzip -9n >$(BUILD)/vmalloc-$$version.tar.gz && echo $(BUILD)/vmalloc-$$version.tar.gz

reference: ## the reference of the C and C++ interface, made of the headers, into build/reference/
	@cmake/deps.sh reference
	@cmake/reference.py $(BUILD)/reference && echo $(BUILD)/reference/index.html

abi: all ## store the binary interface that a test compares with
	@cmake/deps.sh test
	@cmake/abi.sh write $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12
