// The process's heap. Unlike the other kernels these change state that all threads share.
#ifndef TIMBERLINE_CKERNELS_MEMORY_H
#define TIMBERLINE_CKERNELS_MEMORY_H

#ifdef __cplusplus
extern "C" {
#endif

/// Sets the allocator up for a server that handles large short-lived buffers on a few threads: two arenas instead of
/// eight a core, and large buffers mapped by themselves, so that freeing them gives their memory back. To be called
/// once, before other threads run. Does nothing where the C library is not glibc.
void tl_memory_configure(void);

/// Gives free pages of all arenas back to the system, and the pages of the program that stand unchanged in its file.
/// Costs about a millisecond for each 100 MiB of heap.
void tl_memory_trim(void);

#ifdef __cplusplus
}
#endif
#endif
