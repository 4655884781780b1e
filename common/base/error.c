// SPDX-License-Identifier: Apache-2.0
#include "common/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void clean(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
}

enum rt_status rt_error_set(struct rt_error *err, enum rt_status status, const char *format, ...)
{
    if (!err)
        return status;
    char text[RT_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    clean(text);
    err->status = status;
    memcpy(err->text, text, sizeof text);
    return status;
}

enum rt_status rt_error_errno(struct rt_error *err, int errno_value, const char *format, ...)
{
    enum rt_status status = errno_value == ENOSPC || errno_value == EDQUOT ? RT_NO_SPACE
                            : errno_value == ENOMEM                        ? RT_NO_MEMORY
                            : errno_value == ENOENT                        ? RT_NOT_FOUND
                                                                           : RT_IO;
    if (!err)
        return status;
    char text[RT_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return rt_error_set(err, status, "%s: %s", text, strerror(errno_value));
}

enum rt_status rt_error_wrap(struct rt_error *err, const char *format, ...)
{
    if (!err)
        return RT_OK;
    char context[RT_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    char old[RT_ERROR_TEXT_BYTES];
    memcpy(old, err->text, sizeof old);
    return rt_error_set(err, err->status, "%s: %s", context, old);
}
