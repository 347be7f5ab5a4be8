/*
 * shim: see shim.h. Stands before the C library's malloc() and its like; freeing is theirs.
 */
#include "tests/alloc/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static struct shim *shim;

__attribute__((constructor)) static void join(void)
{
    const char *path = getenv("ALLOC_SHIM");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof *shim, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED)
        shim = p;
}

static bool fails(size_t size)
{
    if (!shim || size < atomic_load(&shim->least))
        return false;
    uint64_t n = atomic_fetch_add(&shim->seen, 1);
    if (n < atomic_load(&shim->fail_at) || n >= atomic_load(&shim->fail_to))
        return false;
    atomic_fetch_add(&shim->failed, 1);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails(n * size) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return fails(size) ? NULL : __libc_realloc(p, size);
}
