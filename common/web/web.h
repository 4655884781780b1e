// SPDX-License-Identifier: Apache-2.0
// The charts of the report page: one minified script, built from src/ by npm and esbuild and linked
// into the program. It reads the report's JSON from the page, draws, and uses no network. Never
// changes at run time; safe from any thread.
#ifndef RT_WEB_WEB_H
#define RT_WEB_WEB_H

#include "common/base/bytes.h"

// The script's bytes (ASCII, without "</script"), static. Empty where the build left it out
// (RT_WEB=OFF): the page then has its tables and no charts.
struct rt_bytes rt_web_report_script(void);

#endif
