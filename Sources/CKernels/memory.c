#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CKernelsMemory.h"

#ifdef __linux__
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

void tl_memory_configure(void) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 2);
    // Set by hand so that the threshold does not grow to 32 MiB with the first large buffer that is freed.
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
#endif
}

#ifdef __linux__
// Lets go of the program's own pages that are as they stand in its file: code and constants, the embedding model above
// all. They stay in the system's cache, and come back when they are next touched.
static int release_constant_pages(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    (void)context;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[index];
        // Only what never was writable: pages that the dynamic linker has changed would come back unchanged.
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
        uintptr_t start = (uintptr_t)info->dlpi_addr + segment->p_vaddr;
        uintptr_t end = (start + segment->p_memsz) & ~(page - 1);
        start = (start + page - 1) & ~(page - 1);
        if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 1;  // The program is the first that is listed; libraries are shared with others anyway.
}
#endif

void tl_memory_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
#ifdef __linux__
    dl_iterate_phdr(release_constant_pages, 0);
#endif
}
