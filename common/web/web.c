// SPDX-License-Identifier: Apache-2.0
#include "common/web/web.h"

#ifdef RT_WEB_REPORT_SCRIPT
// The assembler takes the file in as it is: no copy of it in C to generate and to compile.
__asm__(".pushsection .rodata\n"
        "rt_web_report_begin:\n"
        ".incbin \"" RT_WEB_REPORT_SCRIPT "\"\n"
        "rt_web_report_end:\n"
        ".globl rt_web_report_begin, rt_web_report_end\n"
        ".hidden rt_web_report_begin, rt_web_report_end\n"
        ".popsection\n");
extern const uint8_t rt_web_report_begin[], rt_web_report_end[];

struct rt_bytes rt_web_report_script(void)
{
    return (struct rt_bytes){rt_web_report_begin,
                             (size_t)(rt_web_report_end - rt_web_report_begin)};
}
#else
struct rt_bytes rt_web_report_script(void)
{
    return (struct rt_bytes){NULL, 0};
}
#endif
