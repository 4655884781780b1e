// SPDX-License-Identifier: Apache-2.0
// Objects that whoever made the bundle left out and said so. The list is no evidence of anything:
// what it names is still what the campaign and the log name by digest, and is looked for there.
#include <stdio.h>

#include "auditor/audit.h"

static void refuse(struct rt_audit *audit, const char *path, const char *text)
{
    rt_checks_fail(&audit->checks, RT_CHECK_LAYOUT, path, "%s", text);
}

enum rt_status audit_redacted(struct rt_audit *audit)
{
    char path[RT_EVIDENCE_PATH_BYTES] = "", object[RT_EVIDENCE_PATH_BYTES];
    struct rt_digest digest;
    if (!rt_folder_find(&audit->folder, RT_EVIDENCE_REDACTED))
        return RT_OK;
    rt_buf_clear(&audit->second);
    enum rt_status status = rt_folder_read(&audit->folder, RT_EVIDENCE_REDACTED, &audit->second);
    if (status)
        return status == RT_NO_MEMORY ? status : RT_OK; // said for every file
    struct rt_bytes rest = rt_buf_bytes(&audit->second);
    while (!(status = rt_evidence_manifest_next(&rest, path, path, &digest))) {
        rt_evidence_object_path(&digest, object);
        if (rt_folder_find(&audit->folder, object))
            refuse(audit, object, "redacted.txt says it was left out, and it is here");
        status = rt_digest_map_put(&audit->redacted, &digest, 0);
        if (status == RT_NO_MEMORY)
            return status;
        audit->redacted_count += status == RT_OK;
    }
    if (status == RT_MALFORMED || !audit->redacted_count)
        refuse(audit, RT_EVIDENCE_REDACTED, "is not written as such a list is");
    return RT_OK;
}

bool audit_left_out(struct rt_audit *audit, const struct rt_digest *digest, const char *kind,
                    const char *name)
{
    struct rt_digest_entry *entry = rt_digest_map_find(&audit->redacted, digest);
    char place[RT_CHECK_PLACE_BYTES];
    if (!entry)
        return false;
    rt_checks_look(&audit->checks, RT_CHECK_WHOLE);
    snprintf(place, sizeof place, "%s/%s", kind, name);
    rt_checks_fail(&audit->checks, RT_CHECK_WHOLE, place,
                   "was left out of this bundle; its contents were not compared");
    entry->value = 1;
    return true;
}

void audit_redacted_end(struct rt_audit *audit)
{
    size_t used = 0;
    for (size_t i = 0; i < audit->redacted.count; i++)
        used += audit->redacted.entries[i].value != 0;
    if (used < audit->redacted_count)
        refuse(audit, RT_EVIDENCE_REDACTED,
               "lists what neither the campaign nor an incident of it names");
}
