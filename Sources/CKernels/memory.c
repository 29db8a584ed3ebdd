#include "CKernelsMemory.h"

#if defined(__GLIBC__) || defined(__linux__)
#include <malloc.h>
#endif

void tl_memory_configure(void) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 2);
    // Set by hand so that the threshold does not grow to 32 MiB with the first large buffer that is freed.
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
#endif
}

void tl_memory_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
