// SPDX-License-Identifier: Apache-2.0
#include "interop/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <zip.h>

#include "common/base/text.h"

struct rt_zip_reader {
    zip_t *zip;
    char name[256]; // of the archive, for messages
    size_t count;
    uint64_t budget; // bytes that may still be unpacked
};

// ---- reading

static bool name_safe(const char *name)
{
    size_t size = name ? strlen(name) : 0;
    if (!size || size >= RT_ZIP_NAME_BYTES || *name == '/' || strchr(name, '\\') ||
        !rt_utf8_valid(rt_bytes_str(name)))
        return false;
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        size_t length = strcspn(part, "/");
        if (length == 2 && memcmp(part, "..", 2) == 0)
            return false;
    }
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    return true;
}

static enum rt_status check_member(struct rt_zip_reader *reader, size_t i, uint64_t *total,
                                   struct rt_error *err)
{
    zip_stat_t facts;
    if (zip_stat_index(reader->zip, i, ZIP_FL_ENC_RAW, &facts) || !(facts.valid & ZIP_STAT_SIZE))
        return rt_error_set(err, RT_MALFORMED, "%s: member %zu has no readable entry", reader->name,
                            i);
    if (!name_safe(facts.name))
        return rt_error_set(err, RT_NOT_PERMITTED,
                            "%s: member %zu has a name that may lead outside the archive",
                            reader->name, i);
    if ((facts.valid & ZIP_STAT_ENCRYPTION_METHOD) && facts.encryption_method != ZIP_EM_NONE)
        return rt_error_set(err, RT_NOT_PERMITTED, "%s: %s is encrypted; unpack it first",
                            reader->name, facts.name);
    if (facts.size > RT_ZIP_MEMBER_MOST || *total > RT_ZIP_BUDGET_BYTES - facts.size)
        return rt_error_set(err, RT_TOO_LARGE,
                            "%s: %s would unpack beyond %zu MiB a member or %zu GiB in all",
                            reader->name, facts.name, RT_ZIP_MEMBER_MOST >> 20,
                            (size_t)(RT_ZIP_BUDGET_BYTES >> 30));
    *total += facts.size;
    return RT_OK;
}

static enum rt_status take(zip_t *zip, const char *name, struct rt_zip_reader **ret_reader,
                           struct rt_error *err)
{
    struct rt_zip_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        zip_discard(zip);
        return rt_error_set(err, RT_NO_MEMORY, "%s", name);
    }
    reader->zip = zip;
    reader->budget = RT_ZIP_BUDGET_BYTES;
    snprintf(reader->name, sizeof reader->name, "%s", name);
    zip_int64_t count = zip_get_num_entries(zip, 0);
    reader->count = count > 0 ? (size_t)count : 0;
    uint64_t total = 0;
    enum rt_status status = RT_OK;
    if (reader->count > RT_ZIP_MEMBERS_MOST)
        status =
            rt_error_set(err, RT_TOO_LARGE, "%s: more than %zu members", name, RT_ZIP_MEMBERS_MOST);
    for (size_t i = 0; i < reader->count && !status; i++)
        status = check_member(reader, i, &total, err);
    if (status)
        rt_zip_free(reader);
    else
        *ret_reader = reader;
    return status;
}

enum rt_status rt_zip_open(const char *path, struct rt_zip_reader **ret_reader,
                           struct rt_error *err)
{
    int code = 0;
    zip_t *zip = zip_open(path, ZIP_RDONLY, &code);
    if (zip)
        return take(zip, path, ret_reader, err);
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    enum rt_status status =
        code == ZIP_ER_OPEN || code == ZIP_ER_READ || code == ZIP_ER_NOENT ? RT_IO : RT_MALFORMED;
    rt_error_set(err, status, "%s: %s", path, zip_error_strerror(&error));
    zip_error_fini(&error);
    return status;
}

enum rt_status rt_zip_open_memory(const char *name, struct rt_bytes bytes,
                                  struct rt_zip_reader **ret_reader, struct rt_error *err)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(bytes.data, bytes.size, 0, &error);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    enum rt_status status = RT_OK;
    if (!zip) {
        status = rt_error_set(err, RT_MALFORMED, "%s: %s", name, zip_error_strerror(&error));
        if (source)
            zip_source_free(source);
    }
    zip_error_fini(&error);
    return status ? status : take(zip, name, ret_reader, err);
}

void rt_zip_free(struct rt_zip_reader *reader)
{
    if (reader)
        zip_discard(reader->zip);
    free(reader);
}

size_t rt_zip_count(const struct rt_zip_reader *reader)
{
    return reader->count;
}

const char *rt_zip_name(const struct rt_zip_reader *reader, size_t i)
{
    return zip_get_name(reader->zip, i, ZIP_FL_ENC_RAW);
}

size_t rt_zip_find(const struct rt_zip_reader *reader, const char *name)
{
    for (size_t i = reader->count; i-- > 0;)
        if (strcmp(rt_zip_name(reader, i), name) == 0)
            return i;
    return SIZE_MAX;
}

enum rt_status rt_zip_read(struct rt_zip_reader *reader, size_t i, struct rt_buf *out,
                           struct rt_error *err)
{
    const char *name = rt_zip_name(reader, i);
    zip_file_t *file = zip_fopen_index(reader->zip, i, 0);
    if (!file)
        return rt_error_set(err, RT_MALFORMED, "%s: %s: %s", reader->name, name,
                            zip_strerror(reader->zip));
    enum rt_status status = RT_OK;
    size_t most = RT_ZIP_MEMBER_MOST;
    uint8_t block[65536];
    while (!status) {
        zip_int64_t got = zip_fread(file, block, sizeof block);
        if (got < 0)
            status = rt_error_set(err, RT_MALFORMED, "%s: %s: %s", reader->name, name,
                                  zip_file_strerror(file));
        if (got <= 0)
            break;
        if ((uint64_t)got > reader->budget || (size_t)got > most) {
            status = rt_error_set(err, RT_TOO_LARGE, "%s: %s unpacks to more than it may",
                                  reader->name, name);
            break;
        }
        reader->budget -= (uint64_t)got;
        most -= (size_t)got;
        rt_buf_add(out, block, (size_t)got);
        if ((status = rt_buf_ok(out)))
            rt_error_set(err, status, "%s: %s: %s", reader->name, name, rt_status_text(status));
    }
    zip_fclose(file);
    return status;
}
