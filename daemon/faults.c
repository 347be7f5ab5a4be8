/*
 * faults: see faults.h.
 */
#include "daemon/faults.h"

#ifdef PALIMPSEST_FAULTS

#include <stdlib.h>
#include <unistd.h>

int64_t faults_weight(int64_t weight)
{
    const char *file = getenv("PALIMPSEST_FAULT_WEIGHT");
    return weight > 0 && file && unlink(file) == 0 ? weight + 1 : weight;
}

#else

typedef int faults_are_not_built; /* C wants something in every file */

#endif
