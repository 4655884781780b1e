// SPDX-License-Identifier: Apache-2.0
#include "interop/tidy.h"

#include "common/report/render.h"

enum rt_status rt_interop_tidy(const struct rt_study *study, struct rt_buf *out)
{
    return rt_report_tidy(study, out);
}
