// SPDX-License-Identifier: Apache-2.0
#include "common/base/csv.h"

#include <inttypes.h>

#include "common/base/text.h"

void rt_csv_init(struct rt_csv *csv, const char *name, struct rt_bytes text)
{
    *csv = (struct rt_csv){.name = name, .rest = text, .line = 1};
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    if (text.size >= sizeof mark && memcmp(text.data, mark, sizeof mark) == 0)
        csv->rest = rt_bytes(text.data + sizeof mark, text.size - sizeof mark);
    rt_buf_init(&csv->row, RT_CSV_ROW_BYTES_MAX);
}

void rt_csv_release(struct rt_csv *csv)
{
    rt_buf_release(&csv->row);
}

static enum rt_status fail(const struct rt_csv *csv, struct rt_error *err, const char *what)
{
    return rt_error_set(err, RT_MALFORMED, "%s:%" PRIu64 ": %s", csv->name, csv->line, what);
}

static int peek(const struct rt_csv *csv)
{
    return csv->rest.size ? csv->rest.data[0] : -1;
}

static void skip(struct rt_csv *csv, size_t bytes)
{
    csv->rest = rt_bytes(csv->rest.data + bytes, csv->rest.size - bytes);
}

// Takes a line end if there is one here: LF, CRLF or the end of the text.
static bool take_line_end(struct rt_csv *csv)
{
    if (!csv->rest.size)
        return true;
    size_t size = peek(csv) == '\n'                                                      ? 1
                  : peek(csv) == '\r' && csv->rest.size > 1 && csv->rest.data[1] == '\n' ? 2
                                                                                         : 0;
    if (!size)
        return false;
    skip(csv, size);
    csv->line++;
    return true;
}

static enum rt_status take_quoted(struct rt_csv *csv, struct rt_error *err)
{
    uint64_t opened = csv->line;
    skip(csv, 1);
    while (csv->rest.size) {
        const uint8_t *quote = memchr(csv->rest.data, '"', csv->rest.size);
        size_t run = quote ? (size_t)(quote - csv->rest.data) : csv->rest.size;
        for (size_t i = 0; i < run; i++)
            csv->line += csv->rest.data[i] == '\n';
        rt_buf_add(&csv->row, csv->rest.data, run);
        skip(csv, run);
        if (!quote)
            break;
        skip(csv, 1);
        if (peek(csv) != '"')
            return RT_OK;
        rt_buf_add_u8(&csv->row, '"');
        skip(csv, 1);
    }
    return rt_error_set(err, RT_MALFORMED, "%s:%" PRIu64 ": a quoted field is never closed",
                        csv->name, opened);
}

static enum rt_status take_bare(struct rt_csv *csv, struct rt_error *err)
{
    size_t size = 0;
    for (; size < csv->rest.size; size++) {
        uint8_t c = csv->rest.data[size];
        if (c == ',' || c == '\n' || c == '\r')
            break;
        if (c == '"')
            return fail(csv, err, "a quote inside a field that does not start with one");
    }
    rt_buf_add(&csv->row, csv->rest.data, size);
    skip(csv, size);
    return RT_OK;
}

static enum rt_status take_field(struct rt_csv *csv, size_t column, struct rt_error *err)
{
    if (column == RT_CSV_COLUMNS_MAX)
        return fail(csv, err, "more than 128 columns");
    size_t start = csv->row.size;
    enum rt_status status = peek(csv) == '"' ? take_quoted(csv, err) : take_bare(csv, err);
    if (status)
        return status;
    csv->offsets[column] = start;
    csv->fields[column].size = csv->row.size - start;
    rt_buf_add_u8(&csv->row, 0);
    if (rt_buf_ok(&csv->row))
        return fail(csv, err, "the row is longer than 1 MiB");
    struct rt_bytes field = rt_bytes(csv->row.data + start, csv->fields[column].size);
    if (field.size && memchr(field.data, 0, field.size))
        return fail(csv, err, "a NUL byte");
    if (!rt_utf8_valid(field))
        return fail(csv, err, "the text is not UTF-8; save the table as UTF-8");
    return RT_OK;
}

enum rt_status rt_csv_next(struct rt_csv *csv, bool *ret_row, struct rt_error *err)
{
    while (csv->rest.size && take_line_end(csv))
        continue;
    *ret_row = csv->rest.size > 0;
    if (!*ret_row)
        return RT_OK;
    rt_buf_clear(&csv->row);
    csv->row_line = csv->line;
    size_t column = 0;
    for (bool more = true; more; column++) {
        enum rt_status status = take_field(csv, column, err);
        if (status)
            return status;
        more = peek(csv) == ',';
        if (more)
            skip(csv, 1);
        else if (!take_line_end(csv))
            return fail(csv, err,
                        peek(csv) == '\r' ? "a carriage return that ends no line"
                                          : "text after a closing quote");
    }
    if (csv->columns && column != csv->columns)
        return rt_error_set(err, RT_MALFORMED,
                            "%s:%" PRIu64 ": %zu fields where the header has %zu", csv->name,
                            csv->row_line, column, csv->columns);
    csv->columns = column;
    for (size_t i = 0; i < column; i++)
        csv->fields[i].text = (const char *)csv->row.data + csv->offsets[i];
    return RT_OK;
}
