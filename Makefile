# What there is to do with Atelier; `make help` prints the lines that begin
# with two hashes.  The work behind the longer targets is in scripts/.
#
# Paths are relative throughout, so that the folder may have any name.

PORT      ?= 8080
BUILD     ?= release
NGINX_SRC ?=
LINK      ?= dynamic
DESTDIR   ?=

ifeq ($(origin CC),default)
CC := gcc
endif

ifeq ($(filter $(BUILD),release debug sanitize),)
$(error BUILD=$(BUILD) is not known: use release, debug or sanitize)
endif

# Compiler commands are shown by V=1 only.
Q := $(if $(V),,@)

MAKEFLAGS += --no-builtin-rules

# Where everything is built, all processors do it, unless -j says otherwise.
ALL_CPUS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
SHELL     := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:


# Sanitizer reports of unit tests end the program; elsewhere the run-time
# options decide.
WARN          := -Wall -Wextra -Werror
DIALECT       := -std=c11 -D_GNU_SOURCE
OPT_release   := -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
                 -Wformat -Werror=format-security
OPT_debug     := -O0 -g3
OPT_sanitize  := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined
LINK_release  := -Wl,-z,relro -Wl,-z,now
LINK_debug    :=
LINK_sanitize := -fsanitize=address,undefined
OPT_unit      := -O1 -g -fno-omit-frame-pointer \
                 -fsanitize=address,undefined -fno-sanitize-recover=all

# gcc's two shared libraries of sanitizers do not agree on where reports go.
ifeq ($(findstring clang,$(CC)),)
LINK_sanitize += -static-libasan -static-libubsan
endif

# LINK=static: the module is a part of the nginx built from NGINX_SRC.  For
# tests: nothing but prove can do without the shared object.
ifeq ($(filter $(LINK),dynamic static),)
$(error LINK=$(LINK) is not known: use dynamic or static)
endif

# Where this build puts what it makes, and the nginx it belongs to.
OUT := build/$(BUILD)
ifeq ($(NGINX_SRC),)
NGX_OUT := $(OUT)
else
NGX_VERSION := $(shell sed -n \
    's/^.define NGINX_VERSION *"\([0-9.]*\)".*/\1/p' \
    '$(NGINX_SRC)/src/core/nginx.h' 2>/dev/null)
ifeq ($(NGX_VERSION),)
$(error NGINX_SRC=$(NGINX_SRC) holds no src/core/nginx.h: name the folder of \
    an nginx source tree)
endif
NGX_OUT := build/upstream-$(NGX_VERSION)-$(BUILD)$(patsubst %,-%,$(filter static,$(LINK)))
endif

MODULE  := $(NGX_OUT)/ngx_http_atelier_module.so
SANDBOX := $(OUT)/atelier-sandbox

CORE_SRCS    := $(wildcard core/*.c core/*/*.c)
CORE_LIBS    := -lyajl -lutf8proc -lsodium -lcrypto -lz -lxml2 -lm
UNIT_SRCS    := $(wildcard t/unit/test_*.c)
SANDBOX_SRCS := $(wildcard sandbox/*.c)

# What the workers share; an archive, so that a test is linked with no more of
# it than it uses.
COMMON_SRCS  := $(wildcard workers/common/*.c)
COMMON_LIBS  := -ljpeg -lpng -lwebp -lcurl -lhiredis -lpq -lmicrohttpd \
                -lpthread

# atelier-NAME is made of workers/NAME/.
WORKERS      := feed prices queue relay shop
WORKER_BINS  := $(WORKERS:%=$(OUT)/atelier-%)
WORKER_SRCS  := $(foreach w,$(WORKERS),$(wildcard workers/$(w)/*.c))
WORKER_OBJS  := $(WORKER_SRCS:%.c=$(OUT)/%.o)
WORKER_SHARED := $(CORE_SRCS:%.c=$(OUT)/%.o) $(COMMON_SRCS:%.c=$(OUT)/%.o)

INCLUDES     := -Icore -Iworkers/common -isystem /usr/include/postgresql \
                -isystem /usr/include/libxml2

CORE_OBJS    := $(CORE_SRCS:%.c=build/unit/%.o)
COMMON_OBJS  := $(COMMON_SRCS:%.c=build/unit/%.o)
UNIT_OBJS    := $(UNIT_SRCS:%.c=build/unit/%.o)
UNIT_BINS    := $(UNIT_SRCS:t/unit/%.c=build/unit/%)
SANDBOX_OBJS := $(SANDBOX_SRCS:%.c=$(OUT)/%.o)

# scripts/fuzz says which compiler and engine there is; see there.
FUZZ_ENGINE  ?= libfuzzer
FUZZ_CC      ?= clang
FUZZ_OUT     := build/fuzz/$(FUZZ_ENGINE)
FUZZ_SRCS    := $(wildcard t/fuzz/fuzz_*.c)
FUZZ_BINS    := $(FUZZ_SRCS:t/fuzz/%.c=$(FUZZ_OUT)/%)
FUZZ_SHARED  := $(CORE_SRCS:%.c=$(FUZZ_OUT)/%.o) \
                $(FUZZ_OUT)/workers/common/at_thumb.o \
                $(FUZZ_OUT)/workers/common/at_robots.o
FUZZ_OBJS    := $(FUZZ_SRCS:%.c=$(FUZZ_OUT)/%.o)
OPT_fuzz     := $(OPT_unit)
LINK_fuzz    := $(OPT_unit)
ifeq ($(FUZZ_ENGINE),libfuzzer)
OPT_fuzz     += -fsanitize=fuzzer-no-link
LINK_fuzz    += -fsanitize=fuzzer
else
FUZZ_SHARED  += $(FUZZ_OUT)/t/fuzz/driver.o
endif

export PORT BUILD NGINX_SRC LINK DESTDIR CC NGX_OUT OUT MODULE SANDBOX WORKERS

.PHONY: help run start stop status migrate test unit unit-web unit-programs \
        prove fuzz fuzz-programs lint bench install clean distclean build module \
        sandbox workers web setup logs

.DEFAULT_GOAL := help


## Everything on one machine, on PORT and PORT + 1, with stand-ins for the
## outside services:
##   run        build, start, show the logs; Ctrl-C stops it all
##   start      the same in the background; waits until it is ready
##   status     what of it is up, and where
##   logs       follow the logs of a stack started in the background
##   stop       stop it; the data stays for the next start
##
## A database elsewhere:
##   migrate    apply what it has not seen of db/, by psql; CONNINFO= says
##              which one, or PGHOST, PGDATABASE, ...
run start: build web
	@exec scripts/stack $@

status stop logs:
	@exec scripts/stack $@

migrate:
	@exec scripts/migrate $(if $(CONNINFO),'$(CONNINFO)')

##
## Checks:
##   test       unit, those of web/, fuzz for a few seconds, and prove twice:
##              as built, and with sanitizers in module, nginx, sandbox and
##              workers; closes with a count
##   unit       unit tests of core/ and workers/common/, with sanitizers
##   unit-web   unit tests of web/, by Vitest
##   prove      module, workers and the whole under nginx (t/)
##   fuzz       fuzzing of the parsers of core/
##   lint       static analysis and the rules of style
##   bench      the load programs of bench/
test:
	@scripts/setup test
	@$(MAKE) --no-print-directory $(ALL_CPUS) module sandbox workers \
	    unit-programs
	@UNIT_BINS='$(UNIT_BINS)' exec scripts/test

unit: $(UNIT_BINS)
	@exec scripts/unit $^

unit-web:
	@scripts/setup web
	@exec scripts/web test

prove: module sandbox workers
	@scripts/web build
	@exec scripts/prove

fuzz:
	@scripts/setup test
	@exec scripts/fuzz

lint:
	@scripts/setup lint
	@$(MAKE) --no-print-directory module
	@exec scripts/lint

bench:
	@if [ ! -x bench/run ]; then \
	    echo "bench: there are no load programs in bench/ yet" >&2; \
	    exit 1; \
	fi
	@$(MAKE) --no-print-directory build
	@exec bench/run

##
## Files:
##   build      install what is missing (apt), build module, sandbox, workers
##   module     the nginx module alone
##   sandbox    the stand-ins for outside services alone
##   workers    the processes beside nginx alone: atelier-feed,
##              atelier-prices, atelier-queue, atelier-relay, atelier-shop
##   web        the pages of the front end, by npm and Next.js, into web/out
##   setup      only install the Debian packages that are missing
##   install    module, workers, their configuration, db/ with migrate and
##              web/, below DESTDIR
##   clean      remove build/
##   distclean  clean, and remove the pages, npm's packages, and the data of
##              run and start as well
build:
	@scripts/setup run
	@$(MAKE) --no-print-directory $(ALL_CPUS) module sandbox workers

setup:
	@scripts/setup run

# Whether anything has to be compiled is found out by nginx's own makefile.
module:
	@exec scripts/build-module

sandbox: $(SANDBOX)
	@:

workers: $(WORKER_BINS)
	@:

web:
	@scripts/setup web
	@exec scripts/web build

install: module workers web
	@exec scripts/install

clean:
	rm -rf build

distclean:
	@scripts/stack reset
	rm -rf build web/{node_modules,.next,out,csp.conf}

##
## Variables:
##   PORT=8080            where nginx listens; the sandbox takes PORT + 1
##   BUILD=release        release, debug, or sanitize (ASan and UBSan)
##   FUZZ_SECONDS=60      how long each parser is fuzzed; in test 3
##   JOBS=                how many files of t/ are run at a time, in networks
##                        of their own; else twice the number of processors
##   NGINX_SRC=           an nginx source tree to build and run with, instead
##                        of Debian's nginx and nginx-dev
##   DESTDIR=             root of the tree that install writes to
##   TEST_NGINX_LIB=      lib folder of a Test::Nginx to use instead of ours
##   CONNINFO=            the database of migrate, as psql -d takes it
##   V=1                  show the commands of the compiler
help:
	@sed -n 's/^## \{0,1\}//p' Makefile


$(SANDBOX): $(SANDBOX_OBJS) Makefile
	@if [ -z "$(SANDBOX_SRCS)" ]; then \
	    echo "sandbox/ holds no C file" >&2; \
	    exit 1; \
	fi
	@echo "  LD  $@"
	$(Q)$(CC) $(LINK_$(BUILD)) -o $@ $(SANDBOX_OBJS) \
	    -lmicrohttpd -lgd -lyajl -lz -lm -lpthread

$(OUT)/sandbox/%.o: sandbox/%.c Makefile
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(DIALECT) $(WARN) $(OPT_$(BUILD)) -MMD -MP -c -o $@ $<

$(OUT)/atelier-feed: $(filter $(OUT)/workers/feed/%,$(WORKER_OBJS))
$(OUT)/atelier-prices: $(filter $(OUT)/workers/prices/%,$(WORKER_OBJS))
$(OUT)/atelier-queue: $(filter $(OUT)/workers/queue/%,$(WORKER_OBJS))
$(OUT)/atelier-relay: $(filter $(OUT)/workers/relay/%,$(WORKER_OBJS))
$(OUT)/atelier-shop: $(filter $(OUT)/workers/shop/%,$(WORKER_OBJS))

$(WORKER_BINS): $(WORKER_SHARED) Makefile
	@echo "  LD  $@"
	$(Q)$(CC) $(LINK_$(BUILD)) -o $@ $(filter %.o,$^) \
	    -Wl,--as-needed $(COMMON_LIBS) $(CORE_LIBS)

$(OUT)/workers/%.o: workers/%.c Makefile
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(DIALECT) $(WARN) $(OPT_$(BUILD)) $(INCLUDES) -MMD -MP -c -o $@ $<

$(OUT)/core/%.o: core/%.c Makefile
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(DIALECT) $(WARN) $(OPT_$(BUILD)) $(INCLUDES) -MMD -MP -c -o $@ $<

unit-programs: $(UNIT_BINS)
	@:

build/unit/test_%: build/unit/t/unit/test_%.o build/unit/common.a \
        $(CORE_OBJS) Makefile
	@echo "  LD  $@"
	$(Q)$(CC) $(OPT_unit) -o $@ $< build/unit/common.a $(CORE_OBJS) \
	    -Wl,--as-needed -lcmocka -lgd -lz $(COMMON_LIBS) $(CORE_LIBS)

build/unit/common.a: $(COMMON_OBJS)
	@rm -f $@
	$(Q)ar rcs $@ $^

build/unit/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(DIALECT) $(WARN) $(OPT_unit) $(INCLUDES) -MMD -MP -c -o $@ $<

fuzz-programs: $(FUZZ_BINS)
	@:

$(FUZZ_OUT)/fuzz_%: $(FUZZ_OUT)/t/fuzz/fuzz_%.o $(FUZZ_SHARED) Makefile
	@echo "  LD  $@"
	$(Q)$(FUZZ_CC) $(LINK_fuzz) -o $@ $< $(FUZZ_SHARED) -ljpeg -lpng \
	    -lwebp $(CORE_LIBS)

$(FUZZ_OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(FUZZ_CC) $(DIALECT) $(WARN) $(OPT_fuzz) $(INCLUDES) -MMD -MP -c -o $@ $<

# Objects are no intermediate files: keep them.
.SECONDARY: $(WORKER_OBJS) $(WORKER_SHARED) $(UNIT_OBJS) $(CORE_OBJS) $(COMMON_OBJS) $(FUZZ_OBJS) $(FUZZ_SHARED)

-include $(CORE_OBJS:.o=.d) $(COMMON_OBJS:.o=.d) $(UNIT_OBJS:.o=.d) $(SANDBOX_OBJS:.o=.d) \
    $(FUZZ_OBJS:.o=.d) $(FUZZ_SHARED:.o=.d) $(WORKER_OBJS:.o=.d) \
    $(WORKER_SHARED:.o=.d)
