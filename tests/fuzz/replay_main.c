// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: every file of its corpus, then --mutate N seeded random
// mutations of them, so that each parser is exercised in every build. Longer campaigns use the
// `fuzz` preset.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

// Flip, overwrite, cut, repeat: the mutations that find most decoder faults.
static size_t mutate(uint8_t *data, size_t size, size_t capacity)
{
    for (uint64_t edits = next() % 4 + 1; edits; edits--) {
        size_t at = size ? next() % size : 0;
        switch (next() % 5) {
        case 0:
            if (size)
                data[at] ^= (uint8_t)(1u << next() % 8);
            break;
        case 1:
            if (size)
                data[at] = (uint8_t)next();
            break;
        case 2:
            size = size ? next() % size : 0;
            break;
        case 3: {
            size_t run = size ? next() % (size - at < 32 ? size - at + 1 : 32) : 0;
            if (size + run <= capacity) {
                memmove(data + at + run, data + at, size - at);
                size += run;
            }
            break;
        }
        default:
            if (size < capacity) {
                memmove(data + at + 1, data + at, size - at);
                data[at] = (uint8_t)next();
                size++;
            }
        }
    }
    return size;
}

int main(int argc, char **argv)
{
    uint64_t mutations = 0;
    const char *folder = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--mutate") == 0 && i + 1 < argc)
            mutations = strtoull(argv[++i], NULL, 10);
        else
            folder = argv[i];
    }
    char **names = NULL;
    size_t count = 0;
    struct rt_error err = {RT_OK, ""};
    if (!folder || rt_file_list(folder, 100000, &names, &count, &err) || count == 0) {
        fprintf(stderr, "no corpus in %s: %s\n", folder ? folder : "(none)", err.text);
        return 1;
    }
    uint64_t runs = 0;
    for (size_t i = 0; i < count; i++) {
        char path[4096];
        struct rt_buf seed;
        rt_buf_init(&seed, 1 << 24);
        if (rt_path_join(path, sizeof path, folder, names[i]) || rt_file_read(path, &seed, &err))
            return 1;
        LLVMFuzzerTestOneInput(seed.data, seed.size);
        runs++;
        size_t capacity = seed.size + 4096;
        uint8_t *data = malloc(capacity);
        for (uint64_t m = 0; data && m < mutations / count + 1; m++) {
            memcpy(data, rt_buf_str(&seed), seed.size);
            size_t size = mutate(data, seed.size, capacity);
            // An exact-size copy lets ASan see a read past the end.
            uint8_t *exact = malloc(size ? size : 1);
            memcpy(exact, data, size);
            LLVMFuzzerTestOneInput(exact, size);
            free(exact);
            runs++;
        }
        free(data);
        rt_buf_release(&seed);
    }
    rt_file_list_free(names, count);
    printf("%" PRIu64 " inputs\n", runs);
    return 0;
}
