// Deviations of each day's return, each from the days before it alone.

/** The root mean square of the `days` returns before; NaN for the first days. */
export function rollingVolatility(returns: Float64Array, days: number): Float64Array {
  let sum = 0;
  return returns.map((_, day) => {
    if (day > 0) sum += (returns[day - 1] as number) ** 2;
    if (day > days) sum -= (returns[day - 1 - days] as number) ** 2;
    return day < days ? Number.NaN : Math.sqrt(Math.max(0, sum) / days);
  });
}

/** h[t] = λ h[t - 1] + (1 - λ) r[t - 1]², as RiskMetrics has it (J.P. Morgan, 1996). */
export function exponentialVolatility(returns: Float64Array, decay: number): Float64Array {
  return recursion(returns, 0, 1 - decay, decay);
}

/** GARCH(1,1), h[t] = ω + α r[t - 1]² + β h[t - 1] (T. Bollerslev, 1986), of the greatest normal likelihood on the first `training` days. */
export function garchVolatility(returns: Float64Array, training: number): Float64Array {
  const own = returns.subarray(0, training);
  const variance = own.reduce((sum, value) => sum + value ** 2, 0) / training;
  let best = { cost: Number.POSITIVE_INFINITY, alpha: 0, beta: 0 };
  // ω makes the mean variance that of the training days (variance targeting), so that two parameters are left: a grid finds them.
  for (let alpha = 0.005; alpha < 0.3; alpha += 0.005) {
    for (let beta = 0.6; alpha + beta < 0.9995; beta += 0.005) {
      const deviation = recursion(own, variance * (1 - alpha - beta), alpha, beta);
      let cost = 0;
      for (let day = 1; day < training; day++) {
        const h = (deviation[day] as number) ** 2;
        cost += Math.log(h) + (own[day] as number) ** 2 / h;
      }
      if (cost < best.cost) best = { cost, alpha, beta };
    }
  }
  return recursion(returns, variance * (1 - best.alpha - best.beta), best.alpha, best.beta);
}

function recursion(returns: Float64Array, constant: number, alpha: number, beta: number): Float64Array {
  let variance = returns.subarray(0, 250).reduce((sum, value) => sum + value ** 2, 0) / 250;
  return returns.map((_, day) => {
    if (day > 0) variance = constant + alpha * (returns[day - 1] as number) ** 2 + beta * variance;
    return Math.sqrt(variance);
  });
}
