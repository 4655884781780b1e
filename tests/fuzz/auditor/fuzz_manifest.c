// SPDX-License-Identifier: Apache-2.0
// A manifest from outside: whatever is read can be written again to the same bytes, its lines
// ascend, and each path has one meaning.
#include <stdlib.h>

#include "proto/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void path_has_one_meaning(const char *path)
{
    struct rt_digest digest;
    uint64_t version;
    char again[RT_EVIDENCE_PATH_BYTES];
    struct rt_bytes bytes = rt_bytes_str(path);
    require(rt_evidence_path_valid(bytes));
    bool object = rt_evidence_object_parse(bytes, &digest) == RT_OK;
    if (object) {
        rt_evidence_object_path(&digest, again);
        require(rt_bytes_equal_str(bytes, again));
    }
    if (rt_evidence_roster_parse(bytes, &version) == RT_OK) {
        rt_evidence_roster_path(version, again);
        require(rt_bytes_equal_str(bytes, again) && !object);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_bytes rest = rt_bytes(data, size);
    char path[RT_EVIDENCE_PATH_BYTES] = "", before[RT_EVIDENCE_PATH_BYTES];
    struct rt_digest digest;
    struct rt_buf again;
    rt_buf_init(&again, size + 1);
    for (;;) {
        memcpy(before, path, sizeof before);
        enum rt_status status = rt_evidence_manifest_next(&rest, path, path, &digest);
        if (status) {
            require(status == RT_MALFORMED || (status == RT_NOT_FOUND && rest.size == 0));
            break;
        }
        require(strcmp(before, path) < 0);
        path_has_one_meaning(path);
        rt_evidence_manifest_add(path, &digest, &again);
    }
    require(rt_buf_ok(&again) == RT_OK && again.size == size - rest.size);
    require(again.size == 0 || memcmp(again.data, data, again.size) == 0);
    rt_buf_release(&again);
    return 0;
}
