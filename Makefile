# The project's commands. What they do is in tests/*.sh, a script each.
#
#   make build [ABI=lua54]       the module and the example plugins, into build/ABI
#   make fixtures [ABI=lua54]    the plugins that only tests load, into build/ABI/fixtures and zoo
#   make demo                    a real job, on whatever Lua this machine has
#   make test [ABIS="lua51 …"]   everything, against installed rocks
#   make bench [ABIS="lua54 …"]  speed, memory and size next to C and to plain mlua: tables, JSON and plots
#   make soak [ABIS="lua54 …"]   long runs: what is loaded and unloaded leaves nothing behind
#   make test-hosts [HOSTS="nginx …"]  the rock in programs that embed Lua, from their Debian packages
#   make lint                    formatting, clippy, luacheck
#   make docs                    docs/api.md, the reference of the Lua API, from the annotations
#   make clean

ABI ?= lua54
ABIS ?= lua51 luajit lua52 lua53 lua54 lua55

.PHONY: build fixtures demo test test-hosts bench soak lint docs clean

build:
	sh tests/build.sh $(ABI) module plugins

fixtures:
	sh tests/build.sh $(ABI) fixtures zoo

demo:
	@sh tests/demo.sh

test:
	sh tests/setup.sh
	@sh tests/run.sh $(ABIS)

test-hosts:
	sh tests/setup.sh
	@sh tests/hosts.sh $(HOSTS)

bench:
	sh tests/setup.sh bench
	@sh tests/bench.sh $(ABIS)

soak:
	sh tests/setup.sh
	@sh tests/soak.sh $(ABIS)

lint:
	sh tests/setup.sh
	sh tests/lint.sh

docs:
	sh tests/setup.sh
	lua5.4 docs/api.lua <lua/meta/cygnixy.lua >docs/api.md

clean:
	cargo clean
	rm -rf build
