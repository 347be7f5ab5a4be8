# palimpsestd: build, test, install. GNU make.
#
#   make            ./palimpsestd
#   make demo       the main job, live, on a private Postgres; installs what is missing
#   make test       all tests; they start and stop their own Postgres
#   make test-alloc every allocation fails in turn, on the way of every kind of request
#   make test-pg17  the tests that need a Postgres, with the Postgres 17 of a Debian 13 root
#   make fuzz-sql   random statements against Postgres, SECONDS=3600; fuzz-sqlsmith: a foreign generator's
#   make fuzz       TARGET=request SECONDS=600: coverage-guided fuzzing of a parser; needs clang
#   make faults     faults at random under load, every view compared with Postgres, ROUNDS=200 SEED=n
#   make soak       MINUTES=60 of everything at once: do memory, descriptors and threads stay level?
#   make bench      measurements, as ratios; prints a table and writes bench-*.json
#   make bench-load 10,000 connections and 200,000 subscriptions: memory, storms, fan-out
#   make bench-tpch the 22 queries of TPC-H as live views, against Postgres answering them again
#   make install    PREFIX=/usr/local DESTDIR=
#   make deps       only installs the missing Debian packages
#   make format | lint
#   make V=1 …      shows the commands
#   make SAN=address,undefined …   or SAN=thread: the same, in a build directory of its own
#   make FAULTS=1 …  with what tests need to make the daemon's own state wrong; never to be installed
#
# Sources are found by folder; a new .c file needs no line here. The engine and the protocol are
# libraries that link neither libevent nor libpq: their unit tests prove it by linking without.

CC ?= cc
PKG_CONFIG ?= pkg-config
SAN ?=
FAULTS ?=
comma := ,
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(FAULTS),-faults)
PREFIX ?= /usr/local
DESTDIR ?=
PG_BINDIR ?= $(firstword $(wildcard /usr/lib/postgresql/15/bin) $(shell ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1))
export PG_BINDIR

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla \
       -Wwrite-strings -Wno-missing-field-initializers
HARDEN = -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=3 -fstack-clash-protection -fcf-protection)
OPT ?= -O2 -g
SANFLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) $(EXTRA)
CPPFLAGS += -D_GNU_SOURCE -I. $(if $(FAULTS),-DPALIMPSEST_FAULTS)
CFLAGS += -std=c11 $(OPT) $(WARN) $(HARDEN) $(SANFLAGS) -pthread -MMD -MP
LDFLAGS += -pie -Wl,-z,relro,-z,now $(SANFLAGS) -pthread

LIBS_ENGINE = -lgmp -licui18n -licuuc -lm
LIBS_PROTOCOL = -ljansson
LIBS_DAEMON = -levent_core -levent_pthreads -lpq
PQ_CFLAGS := $(shell $(PKG_CONFIG) --cflags libpq 2>/dev/null || echo -I/usr/include/postgresql)
CHECK_LIBS := $(shell $(PKG_CONFIG) --libs check 2>/dev/null || echo -lcheck)

ENGINE_SRC := $(sort $(wildcard engine/*/*.c))
PROTOCOL_SRC := $(sort $(wildcard protocol/*.c))
DAEMON_SRC := $(sort $(wildcard daemon/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
E2E_SRC := $(sort $(wildcard tests/e2e/test_*.c))
SUPPORT_SRC := $(sort $(wildcard tests/support/*.c))
E2E_SUPPORT_SRC := $(filter-out $(E2E_SRC),$(sort $(wildcard tests/e2e/*.c)))
BENCH_SRC := $(sort $(wildcard tests/bench/bench_*.c))
BENCH_SUPPORT_SRC := $(filter-out $(BENCH_SRC),$(sort $(wildcard tests/bench/*.c)))
DEMO_SRC := $(sort $(wildcard tests/demo/*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/*.c))
FUZZER_SRC := $(sort $(wildcard tests/fuzzers/fuzz_*.c))
FUZZER_SUPPORT_SRC = $(filter-out $(FUZZER_SRC) $(if $(LIBFUZZER),tests/fuzzers/driver.c),$(sort $(wildcard tests/fuzzers/*.c)))
FAULTS_SUPPORT_SRC := $(filter-out tests/faults/faults.c tests/faults/soak.c,$(sort $(wildcard tests/faults/*.c)))

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIBENGINE = $(BUILD)/libengine.a
LIBPROTOCOL = $(BUILD)/libprotocol.a
UNIT_BIN := $(patsubst %.c,$(BUILD)/%,$(UNIT_SRC))
E2E_BIN := $(patsubst %.c,$(BUILD)/%,$(E2E_SRC))
FUZZER_BIN := $(patsubst %.c,$(BUILD)/%,$(FUZZER_SRC))
BENCH_BIN := $(patsubst %.c,$(BUILD)/%,$(BENCH_SRC))

DAEMON = $(BUILD)/palimpsestd

# Shown is one word and the target instead of the command, unless V=1.
Q = $(if $(V),,@)
say = $(if $(V),,@echo "  $(1) $@")

# A build with sanitizers or faults stays in its own directory.
all: $(if $(SAN)$(FAULTS),$(DAEMON),palimpsestd)

palimpsestd: $(DAEMON)
	@cp -f $< $@

$(DAEMON): $(call obj,$(DAEMON_SRC)) $(LIBPROTOCOL) $(LIBENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_DAEMON) $(LIBS_PROTOCOL) $(LIBS_ENGINE)

# The daemon with what tests break on purpose: all of its objects, but for those that know of it.
FAULTY_SRC = daemon/apply.c daemon/faults.c daemon/live_plan.c
FAULTY_OBJ = $(patsubst %.c,$(BUILD)/faulty/%.o,$(FAULTY_SRC))
$(BUILD)/faulty/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) -DPALIMPSEST_FAULTS $(CFLAGS) -c -o $@ $<

$(DAEMON)-faults: $(FAULTY_OBJ) $(call obj,$(filter-out $(FAULTY_SRC),$(DAEMON_SRC))) $(LIBPROTOCOL) $(LIBENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_DAEMON) $(LIBS_PROTOCOL) $(LIBS_ENGINE)

$(LIBENGINE): $(call obj,$(ENGINE_SRC))
$(LIBPROTOCOL): $(call obj,$(PROTOCOL_SRC))
$(LIBENGINE) $(LIBPROTOCOL):
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $^

$(BUILD)/daemon/%.o $(BUILD)/tests/e2e/%.o $(BUILD)/tests/bench/%.o $(BUILD)/tests/demo/%.o $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/faults/%.o: CPPFLAGS += $(PQ_CFLAGS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# What of the daemon is pure logic, for tests/unit/daemon.
DAEMON_PURE_SRC := $(addprefix daemon/,ages.c apply.c feed.c feed_publish.c feed_read.c feed_rerun.c feed_seed.c \
                     feed_verdict.c feed_verify.c handover.c ingest.c leaf.c log_repeat.c outbox.c prefix.c relation.c ring.c rowslab.c step.c store.c)
LIBDAEMON = $(BUILD)/libdaemon.a
$(LIBDAEMON): $(call obj,$(DAEMON_PURE_SRC))
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $^
$(filter $(BUILD)/tests/unit/daemon/%,$(UNIT_BIN)): $(LIBDAEMON)

# Unit tests link the engine and the protocol and nothing that does I/O.
$(UNIT_BIN): $(BUILD)/%: $(BUILD)/%.o $(call obj,$(SUPPORT_SRC)) $(LIBPROTOCOL) $(LIBENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %/libdaemon.a,$^) $(LIBPROTOCOL) $(LIBENGINE) \
	    $(CHECK_LIBS) $(LIBS_PROTOCOL) $(LIBS_ENGINE)

$(E2E_BIN): $(BUILD)/%: $(BUILD)/%.o $(call obj,$(E2E_SUPPORT_SRC)) $(LIBPROTOCOL) $(LIBENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) -lpq $(LIBS_PROTOCOL) $(LIBS_ENGINE)

$(BUILD)/demo: $(call obj,$(DEMO_SRC) $(E2E_SUPPORT_SRC)) $(LIBPROTOCOL) $(LIBENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) -lpq $(LIBS_PROTOCOL) $(LIBS_ENGINE)

$(BUILD)/fuzz-sql: $(call obj,$(FUZZ_SRC) $(E2E_SUPPORT_SRC)) $(LIBPROTOCOL) $(LIBENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) -lpq $(LIBS_PROTOCOL) $(LIBS_ENGINE)

# Fuzz targets, with a driver of our own that replays and mutates their corpus; with LIBFUZZER=1,
# which is clang's, they are libFuzzer's (see below).
$(FUZZER_BIN): $(BUILD)/%: $(BUILD)/%.o $(call obj,$(FUZZER_SUPPORT_SRC) $(SUPPORT_SRC)) \
               $(LIBDAEMON) $(LIBPROTOCOL) $(LIBENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) $(if $(LIBFUZZER),-fsanitize=fuzzer) -o $@ $^ $(CHECK_LIBS) $(LIBS_PROTOCOL) $(LIBS_ENGINE)

$(BUILD)/faults $(BUILD)/soak: $(BUILD)/%: $(BUILD)/tests/faults/%.o $(call obj,$(FAULTS_SUPPORT_SRC) $(E2E_SUPPORT_SRC)) $(LIBPROTOCOL) $(LIBENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) -lpq $(LIBS_PROTOCOL) $(LIBS_ENGINE)

# ---- what is missing on a fresh Debian -------------------------------------------------------
DEPS_BUILD = gcc libc6-dev pkg-config libevent-dev libjansson-dev libpq-dev libgmp-dev libicu-dev libxxhash-dev
DEPS_TEST = $(DEPS_BUILD) check postgresql procps
DEPS_DEMO = $(DEPS_TEST) netcat-openbsd
DEPS_BENCH = $(DEPS_TEST) redis-server
DEPS_FUZZ = $(DEPS_TEST) clang libclang-rt-14-dev llvm
DEPS_LINT = clang-format cppcheck shellcheck

# A make of its own with all processors, unless this one was told how many to use.
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$$(nproc))

deps:
	@tests/deps.sh $(DEPS_DEMO)

# Packages first, then a second make, so that what the first one looked up is looked up again.
demo:
	@tests/deps.sh $(DEPS_DEMO)
	@$(SUBMAKE) all $(BUILD)/demo
	@PALIMPSESTD=$(DAEMON) $(BUILD)/demo

test:
	@tests/deps.sh $(DEPS_TEST)
	@$(SUBMAKE) all build-tests
	@$(MAKE) --no-print-directory run-tests

# Stands before malloc() in the daemon under test; a sanitizer does that itself.
ALLOC_SHIM = $(if $(SAN),,$(BUILD)/alloc-shim.so)
$(BUILD)/alloc-shim.so: tests/alloc/shim.c tests/alloc/shim.h
	$(call say,LD)
	$(Q)$(CC) $(CPPFLAGS) -std=c11 -O2 $(WARN) -fPIC -shared -o $@ $<

build-tests: $(DAEMON)-faults $(ALLOC_SHIM) $(UNIT_BIN) $(FUZZER_BIN) $(E2E_BIN) $(BUILD)/fuzz-sql $(BUILD)/faults $(BUILD)/soak $(BUILD)/demo

# Sanitizers make all slower.
run-tests: export FUZZ_SEED = 20261128000
run-tests: export FUZZ_ROUNDS = 25
run-tests e2e test-alloc: export ALLOC_SHIM_LIB = $(ALLOC_SHIM)
run-tests: export FAULTS_SEED = 20261128
run-tests: export FAULTS_ROUNDS = 0
run-tests unit e2e test-pg17: export CK_TIMEOUT_MULTIPLIER = $(if $(SAN),4,1)
run-tests:
	@PALIMPSESTD=$(DAEMON) tests/run tests/consistency.sh $(UNIT_BIN) $(FUZZER_BIN) $(E2E_BIN) $(BUILD)/fuzz-sql $(BUILD)/faults

unit: $(UNIT_BIN)
	@tests/run $(UNIT_BIN)

e2e: all $(ALLOC_SHIM) $(E2E_BIN)
	@PALIMPSESTD=$(DAEMON) tests/run $(E2E_BIN)

# Every allocation on the way of every kind of request fails once; make test takes a sample.
test-alloc: export ALLOC_STEP = 1
test-alloc: all $(ALLOC_SHIM) $(BUILD)/tests/e2e/test_alloc
	@PALIMPSESTD=$(DAEMON) TEST_TIMEOUT=7200 tests/run $(BUILD)/tests/e2e/test_alloc

# Random statements and changes against Postgres: SECONDS=3600, SEED=n; see tests/fuzz/fuzz_sql.c.
fuzz-sql: all $(BUILD)/fuzz-sql
	@PALIMPSESTD=$(DAEMON) $(BUILD)/fuzz-sql

# Coverage-guided fuzzing with libFuzzer and the sanitizers: what any client, the configuration or
# Postgres itself may send. Inputs that reach something new are kept in build-fuzz/corpus/TARGET, what
# a target dies of in build-fuzz/findings. See tests/fuzzers/input.h.
FUZZ_CC ?= clang
FUZZ_MAKE = $(SUBMAKE) CC="$(FUZZ_CC)" OPT="-O1 -g"
# NULL + 0 is undefined in C11 only on paper, and no longer in C2y.
FUZZ_EXTRA = -Wno-bitwise-instead-of-logical -fno-sanitize=pointer-overflow
fuzzers:
	@tests/deps.sh $(DEPS_FUZZ)
	@$(FUZZ_MAKE) BUILD=build-fuzz SAN=fuzzer-no-link,address,undefined LIBFUZZER=1 \
	    EXTRA="$(FUZZ_EXTRA)" build-fuzzers

build-fuzzers: $(FUZZER_BIN)

fuzz: export FUZZ_SECONDS = $(or $(SECONDS),600)
fuzz: fuzzers
	@tests/fuzzers/run.sh $(TARGET)

# Every target for SECONDS (60), and a table of executions, coverage and findings.
FUZZ_TARGETS = $(patsubst tests/fuzzers/fuzz_%.c,%,$(FUZZER_SRC))
fuzz-report: export FUZZ_SECONDS = $(or $(SECONDS),60)
fuzz-report: fuzzers
	@$(FUZZ_MAKE) BUILD=build-fuzz-cov \
	    EXTRA="-Wno-bitwise-instead-of-logical -fprofile-instr-generate -fcoverage-mapping" build-fuzzers
	@tests/fuzzers/report.sh $(FUZZ_TARGETS)

# The end-to-end and SQL tests with the Postgres 17 of a Debian 13 root; PG17_ROOT keeps it elsewhere.
PG17_ROOT ?= $(BUILD)/pg17
test-pg17:
	@tests/deps.sh $(DEPS_TEST) debootstrap
	@$(SUBMAKE) all build-tests
	@PALIMPSESTD=$(DAEMON) tests/pg17.sh $(PG17_ROOT) $(E2E_BIN)

# Faults under load, see tests/faults/faults.c: ROUNDS=200 SEED=n FAULT=text; bank: transfers only.
faults: all $(BUILD)/faults
	@PALIMPSESTD=$(DAEMON) $(BUILD)/faults

bank: export BANK = 1
bank: faults

# All of the changes in tests/e2e/test_schema.c, of which make test runs some.
ddl: export ALL = 1
ddl: all $(BUILD)/tests/e2e/test_schema
	@PALIMPSESTD=$(DAEMON) tests/run $(BUILD)/tests/e2e/test_schema

# MINUTES=60 of writes, clients that come and go and a fault now and then; soak.csv has the curve.
soak: all $(BUILD)/soak
	@PALIMPSESTD=$(DAEMON) $(BUILD)/soak

# Sessions from start to exit under valgrind: nothing lost.
test-valgrind:
	@tests/deps.sh $(DEPS_TEST) valgrind
	@$(SUBMAKE) all $(BUILD)/faults
	@tests/valgrind.sh $(DAEMON) $(BUILD)/faults

# As fuzz-sql, with the statements of Debian's sqlsmith.
fuzz-sqlsmith: export SMITH = 1
fuzz-sqlsmith:
	@tests/deps.sh sqlsmith
	@$(SUBMAKE) fuzz-sql

# ---- measuring -------------------------------------------------------------------------------
$(BUILD)/tests/bench/bench_engine: $(call obj,tests/bench/bench_engine.c tests/bench/bench.c) $(LIBENGINE)
	$(CC) $(LDFLAGS) -o $@ $^ -ljansson $(LIBS_ENGINE)

$(BUILD)/tests/bench/bench_live: $(call obj,tests/bench/bench_live.c $(BENCH_SUPPORT_SRC) $(E2E_SUPPORT_SRC)) $(LIBPROTOCOL) $(LIBENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) -lpq $(LIBS_PROTOCOL) $(LIBS_ENGINE)

$(BUILD)/tests/bench/bench_load: $(call obj,tests/bench/bench_load.c $(BENCH_SUPPORT_SRC) $(E2E_SUPPORT_SRC)) $(LIBPROTOCOL) $(LIBENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) -lpq $(LIBS_PROTOCOL) $(LIBS_ENGINE)

$(BUILD)/tests/bench/bench_tpch: $(call obj,tests/bench/bench_tpch.c tests/bench/bench.c $(E2E_SUPPORT_SRC)) $(LIBPROTOCOL) $(LIBENGINE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) -lpq $(LIBS_PROTOCOL) $(LIBS_ENGINE)

# BENCHFLAGS=--quick for a tenth of it; '--only ab' for some sections.
bench:
	@tests/deps.sh $(DEPS_BENCH)
	@$(SUBMAKE) all $(BENCH_BIN)
	@$(BUILD)/tests/bench/bench_engine --json bench-engine.json $(filter --quick,$(BENCHFLAGS))
	@PALIMPSESTD=$(DAEMON) $(BUILD)/tests/bench/bench_live --json bench-live.json $(BENCHFLAGS)

# 10,000 connections with 200,000 subscriptions; BENCHFLAGS=--quick for a tenth of it.
bench-load:
	@tests/deps.sh $(DEPS_TEST)
	@$(SUBMAKE) all $(BUILD)/tests/bench/bench_load
	@PALIMPSESTD=$(DAEMON) $(BUILD)/tests/bench/bench_load --json bench-load.json $(BENCHFLAGS)

# The queries of TPC-H as live views; BENCHFLAGS='--scale 0.01 --only 5'.
bench-tpch:
	@tests/deps.sh $(DEPS_TEST)
	@$(SUBMAKE) all $(BUILD)/tests/bench/bench_tpch
	@PALIMPSESTD=$(DAEMON) $(BUILD)/tests/bench/bench_tpch --json bench-tpch.json $(BENCHFLAGS)

# ---- installing, and keeping the house -------------------------------------------------------
install: palimpsestd
	install -D -m 755 palimpsestd $(DESTDIR)$(PREFIX)/bin/palimpsestd
	install -D -m 644 conf/palimpsestd.conf $(DESTDIR)$(PREFIX)/share/palimpsestd/palimpsestd.conf
	install -D -m 644 conf/schema.sql $(DESTDIR)$(PREFIX)/share/palimpsestd/schema.sql
	install -D -m 644 conf/palimpsestd.8 $(DESTDIR)$(PREFIX)/share/man/man8/palimpsestd.8
	install -D -m 644 conf/palimpsestd.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/palimpsestd.conf.5
	install -D -m 644 protocol/PROTOCOL.md $(DESTDIR)$(PREFIX)/share/doc/palimpsestd/PROTOCOL.md
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|g' palimpsestd.service \
	    > $(DESTDIR)$(PREFIX)/lib/systemd/system/palimpsestd.service

ALL_C = $(shell find daemon engine protocol tests -name '*.[ch]')

format:
	@tests/deps.sh $(DEPS_LINT)
	@clang-format -i $(ALL_C)

lint:
	@tests/deps.sh $(DEPS_LINT)
	@clang-format --dry-run -Werror $(ALL_C)
	cppcheck -q --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
	    --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -D_GNU_SOURCE -I. \
	    daemon engine protocol
	shellcheck $$(grep -lE '^#!/bin/(ba)?sh' -r tests .ci)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

clean:
	rm -rf build build-* palimpsestd

.PHONY: all deps demo test test-pg17 fuzz-sql fuzz-sqlsmith fuzzers build-fuzzers fuzz fuzz-report faults bank soak test-valgrind bench bench-load bench-tpch build-tests run-tests unit e2e install format lint clean ddl test-alloc
.SECONDARY:
.DELETE_ON_ERROR:
