// SPDX-License-Identifier: Apache-2.0
#include "common/report/out.h"

#include <stdio.h>

void rt_out_put(struct rt_out *b, json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value))
        b->failed = true;
}

void rt_out_append(struct rt_out *b, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value))
        b->failed = true;
}

json_t *rt_out_object(struct rt_out *b)
{
    json_t *made = json_object();
    b->failed |= !made;
    return made;
}

json_t *rt_out_array(struct rt_out *b)
{
    json_t *made = json_array();
    b->failed |= !made;
    return made;
}

void rt_out_put_text(struct rt_out *b, json_t *to, const char *name, const char *text)
{
    rt_out_put(b, to, name, json_string(text));
}

void rt_out_put_count(struct rt_out *b, json_t *to, const char *name, uint64_t count)
{
    rt_out_put(b, to, name, json_integer((json_int_t)count));
}

void rt_out_put_bool(struct rt_out *b, json_t *to, const char *name, bool value)
{
    rt_out_put(b, to, name, json_boolean(value));
}

void rt_out_put_real(struct rt_out *b, json_t *to, const char *name, double value)
{
    rt_out_put(b, to, name, json_real(value));
}

static void put_reason(struct rt_out *b, json_t *to, const char *name, enum rt_reason reason)
{
    char key[96];
    snprintf(key, sizeof key, "%s_reason", name);
    rt_out_put(b, to, name, json_null());
    rt_out_put_text(b, to, key, rt_reason_code(reason));
}

void rt_out_put_value(struct rt_out *b, json_t *to, const char *name, struct rt_value value)
{
    if (rt_value_ok(value))
        rt_out_put_real(b, to, name, value.number);
    else
        put_reason(b, to, name, value.reason);
}

void rt_out_put_interval(struct rt_out *b, json_t *to, const char *name,
                         struct rt_interval interval)
{
    if (!rt_interval_ok(interval)) {
        put_reason(b, to, name, interval.reason);
        return;
    }
    json_t *pair = rt_out_array(b);
    rt_out_append(b, pair, json_real(interval.lower));
    rt_out_append(b, pair, json_real(interval.upper));
    rt_out_put(b, to, name, pair);
}

// An id, left out where the figure is averaged over that factor.
void rt_out_put_id(struct rt_out *b, json_t *to, const char *name, const char *id)
{
    if (id)
        rt_out_put_text(b, to, name, id);
}

const char *rt_out_arm_id(const struct rt_out *b, uint32_t index)
{
    return index == RT_STUDY_NONE ? NULL : b->report->study->arms[index].id;
}

const char *rt_out_phrasing_id(const struct rt_out *b, uint32_t index)
{
    return index == RT_STUDY_NONE ? NULL : b->report->study->phrasings[index].id;
}

const char *rt_out_lab_id(const struct rt_out *b, uint32_t index)
{
    return index == RT_STUDY_NONE ? NULL : b->report->study->labs[index].id;
}

void rt_out_put_temperature(struct rt_out *b, json_t *to, uint32_t index)
{
    if (index != RT_STUDY_NONE)
        rt_out_put_real(b, to, "temperature",
                        (double)b->report->study->temperatures_micro[index] / 1000000);
}
