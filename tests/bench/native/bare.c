/* The functions as LuaJIT's FFI calls them: a library in C without Lua, the limit on that path. */
#include <stddef.h>

void bench_noop(void) {}

double bench_add(double a, double b) {
    return a + b;
}

int bench_increment(int n) {
    return n + 1;
}

int bench_length(const char *bytes, size_t size) {
    (void)bytes;
    return (int)size;
}

int bench_look(const char *bytes, size_t size) {
    return (int)size + (size == 0 ? 0 : (unsigned char)bytes[size / 2]);
}
