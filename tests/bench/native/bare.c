/* The functions as LuaJIT's FFI calls them: a library in C without Lua, the limit on that path. */
#include <stddef.h>

void bench_noop(void) {}

double bench_add(double a, double b) {
    return a + b;
}

double bench_increment(double n) {
    return n + 1;
}

double bench_length(const char *bytes, size_t size) {
    (void)bytes;
    return (double)size;
}

double bench_look(const char *bytes, size_t size) {
    return (double)size + (size == 0 ? 0 : (unsigned char)bytes[size / 2]);
}
