// SPDX-License-Identifier: Apache-2.0
// Elementary functions rounded correctly to a double, by MPFR or, where that settles it, in pairs
// of doubles: the same bits on every processor, which the C library's are not (only sqrt, fabs,
// fmin, fmax and floor are). All statistics use these alone. Pure; MPFR and the quantiles keep a
// small cache per thread, which rt_real_release_thread gives back.
#ifndef RT_STATS_REAL_H
#define RT_STATS_REAL_H

double rt_real_exp(double x);
double rt_real_expm1(double x);
double rt_real_log(double x);
double rt_real_log1p(double x);
double rt_real_pow(double x, double y);
double rt_real_lgamma(double x); // x > 0
double rt_real_sin(double x);
double rt_real_asin(double x);

// log of the beta function, a and b above 0; free of cancellation between large log-gammas.
double rt_real_lbeta(double a, double b);
// log of n over k.
double rt_real_lchoose(double n, double k);

// Before a thread that computed statistics ends. What is computed afterwards is the same.
void rt_real_release_thread(void);

#endif
