"""Cases for tests/lupa.sh: `lupa_cases.py CASE [ARGS]`, each run in a process of its own.

lupa carries several Lua runtimes, each in an extension module that Python opens with RTLD_LOCAL,
so the dynamic linker finds none of their symbols for a C module. Nothing here changes that.
"""

import ctypes
import gc
import importlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "build"

# The build for each runtime. LuaJIT runs the one for Lua 5.1 as well.
BUILDS = {
    "lua51": ["lua51"],
    "lua52": ["lua52"],
    "lua53": ["lua53"],
    "lua54": ["lua54"],
    "lua55": ["lua55"],
    "luajit20": ["luajit", "lua51"],
    "luajit21": ["luajit", "lua51"],
}

LIFE = Path(__file__).with_name("life.lua").read_text()


def runtime(name):
    return importlib.import_module("lupa." + name).LuaRuntime(unpack_returned_tuples=True)


def close(lua):
    """lupa closes the state when the last reference goes."""
    del lua
    gc.collect()


def live(lua, build, folder=None):
    """Loads, calls, fails, unloads and loads again; leaves a plugin loaded."""
    return lua.execute(LIFE, str(folder or BUILD / build), 5)


def refusal(lua, folder):
    """The message with which a runtime is refused a module, and the proof that it goes on."""
    code = """
      package.cpath = (...) .. "/?.so"
      local ok, message = pcall(require, "cygnixy")
      assert(not ok, "it was not refused")
      package.loaded.cygnixy = nil  -- Lua 5.1 would take the failed one for loaded
      return message"""
    message = lua.execute(code, str(folder))
    assert isinstance(message, str), message
    assert lua.eval("1 + 1") == 2
    return message


def life(name, build):
    """A runtime of lupa with the build that fits."""
    lua = runtime(name)
    abi = live(lua, build)
    assert abi == name.rstrip("012") if name.startswith("luajit") else abi == name, abi
    # An error that no Lua code catches is Python's, with the message as text.
    error_type = importlib.import_module("lupa." + name).LuaError
    try:
        lua.execute("probe.fail()")
        raise SystemExit("no error")
    except error_type as error:
        assert "the probe failed: no signal" in str(error), error
    close(lua)


def all_at_once():
    """Every runtime in one process, each with its own build; all are used in turn."""
    states = {name: runtime(name) for name in BUILDS if name != "luajit20"}
    for name, lua in states.items():
        live(lua, BUILDS[name][0])
    for _ in range(10):
        for name, lua in states.items():
            lua.execute("probe.count() assert(not pcall(probe.fail))")
    for name, lua in states.items():
        assert lua.eval("probe.count()") == 12, name
    while states:
        close(states.popitem()[1])


def two_states(name):
    """Two states of one runtime do not see each other, whichever is closed first."""
    build = BUILDS[name][0]
    first, second = runtime(name), runtime(name)
    live(first, build)
    live(second, build)
    assert first.eval("probe.count()") == 2 and second.eval("probe.count()") == 2
    first = close(first)
    assert second.eval("probe.count()") == 3
    close(second)


def threads(name):
    """A state for each thread, loaded at the same time."""
    problems = []
    barrier = threading.Barrier(4)

    def work():
        try:
            lua = runtime(name)
            barrier.wait()
            live(lua, BUILDS[name][0])
            for call in range(2, 50):
                assert lua.eval("probe.count()") == call
        except BaseException as error:
            problems.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not problems, problems


def standard_error(work):
    """What is written to standard error meanwhile."""
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            work()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        file.seek(0)
        return file.read().decode()


def logs(name):
    """Events go to the log function of the state that the plugin runs in, on that state's thread."""
    build = BUILD / BUILDS[name][0]
    open_state = """
      local build, listens = ...
      package.cpath = build .. "/?.so"
      cygnixy = require "cygnixy"
      p = cygnixy.load(build .. "/fixtures/logging.so")
      got = {}
      function listen() cygnixy.on_log(function(record) got[#got + 1] = record.message end) end
      function told() local all = table.concat(got, ",") got = {} return all end
      if listens then listen() end"""

    def state(listens):
        lua = runtime(name)
        lua.execute(open_state, str(build), listens)
        return lua

    def warn(lua, text):
        return lambda: lua.eval("p").log("warn", text)

    first, second, silent = state(True), state(True), state(False)
    for lua, text in [(first, "one"), (second, "two")]:
        assert standard_error(warn(lua, text)) == ""
    assert first.eval("told()") == "one" and second.eval("told()") == "two"
    assert ": three" in standard_error(warn(silent, "three"))
    assert first.eval("told()") == "" and second.eval("told()") == ""
    first.execute("coroutine.wrap(function() p.log('warn', 'in a coroutine') end)()")
    assert first.eval("told()") == "in a coroutine" and second.eval("told()") == ""

    # A thread of the plugin may be of any state that has it: all are told, each on its own thread.
    first.execute("p.in_thread(1, 'thread')")
    first.execute("cygnixy.flush_log()")
    second.execute("cygnixy.flush_log()")
    assert first.eval("told()") == "thread" and second.eval("told()") == "thread"

    # A state that is used by another thread is told when it calls the loader there, and at once from
    # then on.
    def elsewhere(work):
        worker = threading.Thread(target=work)
        worker.start()
        worker.join()

    seen = []

    def move():
        first.execute("p.log('warn', 'moved')")
        seen.append(first.eval("told()"))
        first.execute("cygnixy.flush_log()")
        seen.append(first.eval("told()"))
        first.execute("p.log('warn', 'settled')")
        seen.append(first.eval("told()"))

    second.execute("cygnixy.on_log(nil)")
    elsewhere(move)
    assert seen == ["", "moved", "settled"], seen
    first = close(first)
    assert ": four" in standard_error(warn(second, "four"))
    second.execute("listen()")
    warn(second, "five")()
    assert second.eval("told()") == "five"
    close(second)


def other_abi(name, build):
    """A build for another Lua is refused before any of Lua is called."""
    lua = runtime(name)
    message = refusal(lua, BUILD / build)
    for part in ["'" + build + "'", "'" + name + "'"]:
        assert part in message, message
    live(lua, BUILDS[name][0])


def other_runtime(first, second, build):
    """A second runtime that requires the same file is refused, and served by a copy."""
    one, two = runtime(first), runtime(second)
    live(one, build)
    message = refusal(two, BUILD / build)
    assert "another Lua runtime" in message and "copy" in message, message
    assert one.eval("probe.count()") == 2
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(BUILD / build, Path(folder) / "copy", ignore=shutil.ignore_patterns("fixtures"))
        # The copy maps the plugins of the first for itself.
        shutil.copy(BUILD / build / "cygnixy.so", folder)
        code = """
            package.cpath = ...
            local cygnixy = require 'cygnixy'
            local probe = cygnixy.load(select(2, ...))
            local count = probe.count()
            cygnixy.unload(probe)
            return count
        """
        count = two.execute(code, folder + "/copy/?.so", str(BUILD / build / "probe.so"))
        assert count == 1, count
        live(two, build, Path(folder) / "copy")
        for _ in range(5):
            one.execute("probe.count() assert(not pcall(probe.fail))")
            two.execute("probe.count() assert(not pcall(probe.fail))")
        one = close(one)
        assert two.eval("probe.count()") == 7
        close(two)


def other_library(name, library):
    """The same with a stock Lua library, which is called through its C API."""
    one = runtime(name)
    live(one, name)
    lua = ctypes.CDLL(library)
    lua.luaL_newstate.restype = ctypes.c_void_p
    lua.lua_tolstring.restype = ctypes.c_char_p
    state = ctypes.c_void_p(lua.luaL_newstate())
    lua.luaL_openlibs(state)
    code = f"package.cpath = '{BUILD / name}/?.so' require 'cygnixy'"
    assert lua.luaL_loadstring(state, code.encode()) == 0
    assert lua.lua_pcallk(state, 0, 0, 0, ctypes.c_ssize_t(0), None) != 0, "it was not refused"
    message = lua.lua_tolstring(state, -1, None).decode()
    assert "another Lua runtime" in message and library.split("/")[-1].split(".so")[0] in message, message
    lua.lua_close(state)
    assert one.eval("probe.count()") == 2


def fork(name):
    """A process that forks after loading; both go on, and end in different ways."""
    lua = runtime(name)
    live(lua, BUILDS[name][0])
    for how in ["exit", "_exit", "os.exit"]:
        child = os.fork()
        if child == 0:
            works = lua.eval("probe.count()") == 2 and not lua.eval("pcall(probe.panic)")[0]
            if how == "os.exit":
                lua.execute("os.exit(...)", 0 if works else 1)
            if how == "_exit":
                os._exit(0 if works else 1)
            sys.exit(0 if works else 1)
        assert os.waitpid(child, 0)[1] == 0, how
    assert lua.eval("probe.count()") == 2


def fork_watching(name):
    """A watch that was begun before a fork goes on in both processes, and can be begun anew in the child."""
    lua = runtime(name)
    build = BUILD / BUILDS[name][0]
    with tempfile.TemporaryDirectory() as folder:
        content = (build / "plugins" / "greet.so").read_bytes()
        file = Path(folder, "greet.so")
        file.write_bytes(content)
        lua.execute(
            """
            local folder, file = ...
            package.cpath = folder .. "/?.so"
            cygnixy = require "cygnixy"
            greet = cygnixy.load(file)
            cygnixy.watch(greet, { quiet = 0 })
            cygnixy.poll()  -- looks at once for what changed before the watch""",
            str(build),
            str(file),
        )
        for watches_anew in [False, True]:
            # The same library with another content.
            content += b"\0"
            child = os.fork()
            if child == 0:
                signal.alarm(60)
                if watches_anew:
                    lua.execute("cygnixy.watch(greet, { quiet = 0 })")
                await_reload(lua)
                os._exit(0)
            Path(folder, "new").write_bytes(content)
            os.replace(Path(folder, "new"), file)
            assert os.waitpid(child, 0)[1] == 0, watches_anew
            await_reload(lua)
        # One that never polls ends in order.
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            del lua
            gc.collect()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0


def watch_without_threads(name):
    """Where no thread may be started, as in HAProxy, a watch is refused, and the plugin goes on."""
    lua = runtime(name)
    build = BUILD / BUILDS[name][0]
    lua.execute(
        """
        local folder = ...
        package.cpath = folder .. "/?.so"
        cygnixy = require "cygnixy"
        greet = cygnixy.load(folder .. "/plugins/greet.so")""",
        str(build),
    )
    if os.getuid() == 0:
        os.setuid(65534)  # root has no such limit
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    for _ in range(2):
        ok, message = lua.eval("pcall(cygnixy.watch, greet)")
        assert not ok and "the watcher's thread cannot be started" in message, message
    assert lua.eval("#cygnixy.poll()") == 0
    assert lua.eval("greet.hello('you')") == "Hello, you!"
    assert not lua.eval("cygnixy.unwatch(greet)")
    assert lua.eval("cygnixy.unload(greet).unmapped")


def await_reload(lua):
    while lua.eval("#cygnixy.poll()") == 0:
        time.sleep(0.01)
    assert lua.eval("greet.hello('you')") == "Hello, you!"


def abandon(name):
    """A process that ends with the state open."""
    lua = runtime(name)
    live(lua, BUILDS[name][0])
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
