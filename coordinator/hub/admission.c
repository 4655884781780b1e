// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/admission.h"

#include <stdio.h>
#include <stdlib.h>

void rt_admission_init(struct rt_admission *admission)
{
    *admission = (struct rt_admission){.labs = NULL};
    pthread_mutex_init(&admission->mutex, NULL);
}

void rt_admission_release(struct rt_admission *admission)
{
    free(admission->labs);
    pthread_mutex_destroy(&admission->mutex);
}

static int by_key(const void *a, const void *b)
{
    const struct rt_admitted *x = a, *y = b;
    return memcmp(x->curve, y->curve, RT_CURVE_KEY_BYTES);
}

enum rt_status rt_admission_replace(struct rt_admission *admission, const struct rt_roster *roster,
                                    int64_t wall_ms)
{
    struct rt_admitted *labs = calloc(roster->lab_count ? roster->lab_count : 1, sizeof *labs);
    if (!labs)
        return RT_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < roster->lab_count; i++) {
        uint32_t lab;
        const struct rt_signer *signer;
        const struct rt_roster_lab *entry = roster->labs[i];
        if (rt_roster_peer(roster, &entry->curve, wall_ms, &lab, &signer) || lab == RT_NONE)
            continue;
        memcpy(labs[count].curve, entry->curve.bytes, RT_CURVE_KEY_BYTES);
        snprintf(labs[count].lab, sizeof labs[count].lab, "%s", entry->id);
        count++;
    }
    qsort(labs, count, sizeof *labs, by_key);
    pthread_mutex_lock(&admission->mutex);
    struct rt_admitted *old = admission->labs;
    admission->labs = labs;
    admission->count = count;
    pthread_mutex_unlock(&admission->mutex);
    atomic_fetch_add(&admission->generation, 1);
    free(old);
    return RT_OK;
}

bool rt_admission_find(struct rt_admission *admission, const uint8_t curve[RT_CURVE_KEY_BYTES],
                       char *ret_lab)
{
    struct rt_admitted wanted;
    memcpy(wanted.curve, curve, RT_CURVE_KEY_BYTES);
    pthread_mutex_lock(&admission->mutex);
    const struct rt_admitted *found =
        admission->count
            ? bsearch(&wanted, admission->labs, admission->count, sizeof wanted, by_key)
            : NULL;
    if (found)
        memcpy(ret_lab, found->lab, sizeof found->lab);
    pthread_mutex_unlock(&admission->mutex);
    return found != NULL;
}

bool rt_admission_find_user(struct rt_admission *admission, const char *user_id, char *ret_lab)
{
    uint8_t curve[RT_CURVE_KEY_BYTES];
    if (!user_id || rt_hex_decode(user_id, strlen(user_id), curve, sizeof curve))
        return false;
    return rt_admission_find(admission, curve, ret_lab);
}
