// SPDX-License-Identifier: Apache-2.0
#include "coordinator/cosigned.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"

#define KEYS_MOST 1024
#define FILE_MOST 65536
#define LINE_MOST 72 // of a cosignature: the time and the signature

struct gathering {
    struct rt_vkey *keys;
    size_t key_count;
    struct rt_note own, other;
    uint8_t (*signatures)[LINE_MOST]; // of each key
    bool *has;
};

size_t rt_cosigners(const struct rt_roster *roster, struct rt_vkey *ret_keys, size_t most)
{
    size_t count = 0;
    for (size_t o = 0; o < roster->org_count; o++) {
        const struct rt_org *org = &roster->orgs[o];
        for (size_t l = 0; l < org->lab_count && count < most; l++)
            count += rt_vkey_parse(rt_bytes_str(org->labs[l].cosign), &ret_keys[count]) == RT_OK;
        for (size_t p = 0; p < org->person_count && count < most; p++)
            count += rt_vkey_parse(rt_bytes_str(org->people[p].witness), &ret_keys[count]) == RT_OK;
    }
    return count;
}

// The line of one key in the other note, if it verifies.
static void take(struct gathering *gathering, size_t key)
{
    const struct rt_vkey *vkey = &gathering->keys[key];
    if (gathering->has[key] || vkey->type != RT_NOTE_COSIGNATURE ||
        rt_note_verify(&gathering->other, vkey, NULL))
        return;
    for (size_t i = 0; i < gathering->other.count && !gathering->has[key]; i++) {
        const struct rt_note_line *line = &gathering->other.lines[i];
        if (!rt_bytes_equal_str(line->name, vkey->name) || line->signature_size != LINE_MOST ||
            memcmp(line->id, vkey->id, RT_NOTE_ID_BYTES) != 0)
            continue;
        memcpy(gathering->signatures[key], line->signature, LINE_MOST);
        gathering->has[key] = true;
    }
}

static void read_one(struct gathering *gathering, const char *folder, const char *name)
{
    char path[4096];
    struct rt_buf file;
    rt_buf_init(&file, FILE_MOST);
    // What is no note, or of another checkpoint, is none of ours.
    if (!rt_path_join(path, sizeof path, folder, name) && !rt_file_read(path, &file, NULL) &&
        !rt_note_parse(rt_buf_bytes(&file), &gathering->other) &&
        rt_bytes_equal(gathering->other.text, gathering->own.text))
        for (size_t key = 0; key < gathering->key_count; key++)
            take(gathering, key);
    rt_buf_release(&file);
}

static size_t append(const struct gathering *gathering, struct rt_buf *note)
{
    size_t count = 0;
    uint8_t line[RT_NOTE_ID_BYTES + LINE_MOST];
    for (size_t key = 0; key < gathering->key_count; key++) {
        if (!gathering->has[key])
            continue;
        memcpy(line, gathering->keys[key].id, RT_NOTE_ID_BYTES);
        memcpy(line + RT_NOTE_ID_BYTES, gathering->signatures[key], LINE_MOST);
        rt_buf_printf(note, "\xe2\x80\x94 %s ", gathering->keys[key].name);
        rt_base64_add(note, line, sizeof line);
        rt_buf_add_u8(note, '\n');
        count++;
    }
    return count;
}

static int by_name(const void *a, const void *b)
{
    const struct rt_vkey *one = a, *two = b;
    int order = strcmp(one->name, two->name);
    return order ? order : memcmp(one->id, two->id, RT_NOTE_ID_BYTES);
}

enum rt_status rt_cosigned_append(const char *folder, const struct rt_roster *roster,
                                  struct rt_buf *note, size_t *ret_count)
{
    char **names = NULL;
    size_t count = 0, appended = 0;
    if (ret_count)
        *ret_count = 0;
    if (!rt_file_exists(folder) || rt_file_list(folder, RT_COSIGNED_MOST, &names, &count, NULL))
        return RT_OK;
    struct gathering *gathering = calloc(1, sizeof *gathering);
    enum rt_status status = gathering ? RT_OK : RT_NO_MEMORY;
    if (!status) {
        gathering->keys = calloc(KEYS_MOST, sizeof *gathering->keys);
        gathering->signatures = calloc(KEYS_MOST, sizeof *gathering->signatures);
        gathering->has = calloc(KEYS_MOST, sizeof *gathering->has);
        if (!gathering->keys || !gathering->signatures || !gathering->has)
            status = RT_NO_MEMORY;
    }
    if (!status)
        status = rt_note_parse(rt_buf_bytes(note), &gathering->own);
    if (!status) {
        gathering->key_count = rt_cosigners(roster, gathering->keys, KEYS_MOST);
        qsort(gathering->keys, gathering->key_count, sizeof *gathering->keys, by_name);
        for (size_t i = 0; i < count; i++)
            read_one(gathering, folder, names[i]);
        appended = append(gathering, note); // the views of `own` are not looked at any more
        status = rt_buf_ok(note);
    }
    if (!status && ret_count)
        *ret_count = appended;
    if (gathering) {
        free(gathering->keys);
        free(gathering->signatures);
        free(gathering->has);
    }
    free(gathering);
    rt_file_list_free(names, count);
    return status;
}
